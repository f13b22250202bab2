package main

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// patience is how long nothing may happen; all that is waited for here takes milliseconds.
const patience = time.Minute

// event is what a watch showed, and when; or why the watch cannot go on.
type event struct {
	kind  watch.EventType
	claim *unstructured.Unstructured // or primitive
	at    time.Time
	err   error
}

// stream watches objects from just after a resourceVersion until the context ends, or an event is the last that is
// wanted. A watch that the API server ends, as a busy one does when a client reads too slowly, is taken up where it ended.
func (c *connection) stream(ctx context.Context, resource schema.GroupVersionResource, selector, after string, to chan<- event, isLast func(event) bool) {
	send := func(e event) {
		select {
		case to <- e:
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		events, err := c.of(resource).Watch(ctx, metav1.ListOptions{FieldSelector: selector, ResourceVersion: after})
		if err != nil {
			send(event{err: err})
			return
		}
		for e := range events.ResultChan() {
			at := time.Now()
			claim, ok := e.Object.(*unstructured.Unstructured)
			if !ok || e.Type == watch.Error {
				send(event{err: fmt.Errorf("the watch of %s failed: %v", resource.Resource, e.Object)})
				events.Stop()
				return
			}
			after = claim.GetResourceVersion()
			seen := event{e.Type, claim, at, nil}
			send(seen)
			if isLast(seen) {
				events.Stop()
				return
			}
		}
	}
}

// streamAll follows the claims of the namespace from now on.
func (c *connection) streamAll(ctx context.Context) (<-chan event, error) {
	list, err := c.of(permits).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return nil, err
	}
	events := make(chan event, 64)
	go c.stream(ctx, permits, "", list.GetResourceVersion(), events, func(event) bool { return false })
	return events, nil
}

// follow watches one claim by its name, as a waiting client does, from its creation until it is granted.
func (c *connection) follow(ctx context.Context, created *unstructured.Unstructured, to chan<- event) {
	go c.stream(ctx, permits, "metadata.name="+created.GetName(), created.GetResourceVersion(), to, inPhase("Granted"))
}

// await reads events until a claim is seen in the wanted phase.
func await(ctx context.Context, from <-chan event, wanted string) (event, error) {
	deadline := time.After(patience)
	for {
		select {
		case <-ctx.Done():
			return event{}, ctx.Err()
		case <-deadline:
			return event{}, fmt.Errorf("no claim became %s in %v", wanted, patience)
		case seen := <-from:
			if seen.err != nil || phase(seen.claim) == wanted {
				return seen, seen.err
			}
		}
	}
}

// count reads events until n claims were seen that `counts` accepts, and gives when half of them and the last were.
func count(ctx context.Context, from <-chan event, n int, counts func(event) bool) (half, last time.Time, err error) {
	patient := time.NewTimer(patience)
	defer patient.Stop()
	seen := map[string]bool{}
	for len(seen) < n {
		select {
		case <-ctx.Done():
			return half, last, context.Cause(ctx)
		case <-patient.C:
			return half, last, fmt.Errorf("%d of %d claims, and no other in %v", len(seen), n, patience)
		case e := <-from:
			if e.err != nil {
				return half, last, e.err
			}
			if !counts(e) || seen[e.claim.GetName()] {
				continue
			}
			seen[e.claim.GetName()] = true
			last = e.at
			patient.Reset(patience)
			if len(seen) == (n+1)/2 {
				half = last
			}
		}
	}
	return half, last, nil
}

func inPhase(wanted string) func(event) bool {
	return func(e event) bool { return phase(e.claim) == wanted }
}

func isOver(e event) bool {
	switch phase(e.claim) {
	case "Expired", "Revoked", "Denied":
		return true
	}
	return e.kind == watch.Deleted
}
