package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

const patience = time.Minute

// sighting is the moment at which a client saw the phase of its claim.
type sighting struct {
	name, phase string
	at          time.Time
	err         error
}

// follow watches one claim by name, as a waiting client does, until it is granted, and passes on each phase.
func follow(ctx context.Context, c *connection, created *unstructured.Unstructured, to chan<- sighting) {
	name := created.GetName()
	events, err := c.watchOne(ctx, permits, name, created.GetResourceVersion())
	if err != nil {
		to <- sighting{name: name, err: err}
		return
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		at := time.Now()
		claim, ok := event.Object.(*unstructured.Unstructured)
		if !ok || event.Type == watch.Error {
			to <- sighting{name: name, err: fmt.Errorf("the watch of %s failed: %v", name, event.Object)}
			return
		}
		seen := phase(claim)
		if seen == "" {
			continue
		}
		to <- sighting{name: name, phase: seen, at: at}
		if seen == "Granted" {
			return
		}
	}
	if ctx.Err() == nil {
		to <- sighting{name: name, err: fmt.Errorf("the watch of %s ended", name)}
	}
}

// await reads sightings until one of the wanted phase.
func await(ctx context.Context, from <-chan sighting, wanted string) (sighting, error) {
	deadline := time.After(patience)
	for {
		select {
		case <-ctx.Done():
			return sighting{}, ctx.Err()
		case <-deadline:
			return sighting{}, fmt.Errorf("no claim became %s in %v", wanted, patience)
		case seen := <-from:
			if seen.err != nil {
				return seen, seen.err
			}
			if seen.phase == wanted {
				return seen, nil
			}
		}
	}
}

// counter counts the claims of a namespace that have come to a phase, by one watch of them all.
type counter struct {
	events watch.Interface
	seen   map[string]bool
}

func count(ctx context.Context, c *connection) (*counter, error) {
	events, err := c.watchAll(ctx, permits)
	return &counter{events, map[string]bool{}}, err
}

// until waits for n claims that `counts` accepts, and gives when the last was seen, and when half of them were.
func (c *counter) until(ctx context.Context, n int, counts func(watch.Event, *unstructured.Unstructured) bool) (half, last time.Time, err error) {
	patient := time.NewTimer(patience)
	defer patient.Stop()
	for len(c.seen) < n {
		select {
		case <-ctx.Done():
			return half, last, ctx.Err()
		case <-patient.C:
			return half, last, fmt.Errorf("%d of %d claims, and no other in %v", len(c.seen), n, patience)
		case event, open := <-c.events.ResultChan():
			claim, ok := event.Object.(*unstructured.Unstructured)
			if !open || !ok {
				return half, last, fmt.Errorf("the watch of the claims ended: %v", event.Object)
			}
			if !counts(event, claim) {
				continue
			}
			c.seen[claim.GetName()] = true
			last = time.Now()
			patient.Reset(patience)
			if len(c.seen) == (n+1)/2 {
				half = last
			}
		}
	}
	return half, last, nil
}

func inPhase(wanted string) func(watch.Event, *unstructured.Unstructured) bool {
	return func(_ watch.Event, claim *unstructured.Unstructured) bool { return phase(claim) == wanted }
}
