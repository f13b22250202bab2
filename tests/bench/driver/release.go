package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// crowd is who waits for one barrier, each with a watch of it by its name, as kondctl waits.
type crowd struct {
	size            int
	gathered, freed chan event // of each watcher one: all but one have arrived; it is open
}

// waitFor lets n clients wait from the creation of a barrier that expects n.
func (c *connection) waitFor(ctx context.Context, made *unstructured.Unstructured, n int) *crowd {
	all := &crowd{n, make(chan event, n), make(chan event, n)}
	for range n {
		seen := make(chan event)
		go c.stream(ctx, barriers, "metadata.name="+made.GetName(), made.GetResourceVersion(), seen, inPhase("Open"))
		go all.listen(ctx, seen)
	}
	return all
}

// listen is one of them.
func (all *crowd) listen(ctx context.Context, seen <-chan event) {
	gathered := false
	for {
		var e event
		select {
		case <-ctx.Done():
			return
		case e = <-seen:
		}
		if !gathered && (e.err != nil || arrived(e.claim) == int64(all.size-1)) {
			gathered = true
			all.gathered <- e
		}
		if e.err != nil || phase(e.claim) == "Open" {
			all.freed <- e
			return
		}
	}
}

// take gives when each of the crowd saw it.
func (all *crowd) take(ctx context.Context, from <-chan event) ([]time.Time, error) {
	times := make([]time.Time, 0, all.size)
	patient := time.NewTimer(patience)
	defer patient.Stop()
	for len(times) < all.size {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-patient.C:
			return nil, fmt.Errorf("%d of %d watchers, and no other in %v", len(times), all.size, patience)
		case e := <-from:
			if e.err != nil {
				return nil, e.err
			}
			times = append(times, e.at)
			patient.Reset(patience)
		}
	}
	return times, nil
}

// timed does what frees the crowd, and says how long after the sending of it each of them saw that.
func (all *crowd) timed(ctx context.Context, do func(context.Context) error) error {
	if _, err := all.take(ctx, all.gathered); err != nil {
		return err
	}
	pause(ctx, time.Second, 1500*time.Millisecond)
	began := time.Now()
	if err := do(ctx); err != nil {
		return err
	}
	answered := time.Now()
	times, err := all.take(ctx, all.freed)
	if err != nil {
		return err
	}
	took := make([]float64, len(times))
	for i, at := range times {
		took[i] = milliseconds(at.Sub(began))
	}
	say(map[string]any{"ms": took, "answer_ms": milliseconds(answered.Sub(began))})
	return nil
}

// floorRelease: nobody arrives; the driver writes what the operator would.
func floorRelease(ctx context.Context, o *options) error {
	return releases(ctx, o, func(ctx context.Context, client *connection, all *crowd, made *unstructured.Unstructured) error {
		write := func(come int) (err error) {
			made, err = client.patch(ctx, barriers, made.GetName(), standing(made, come, o.number, time.Now()), "status")
			return err
		}
		if err := write(o.number - 1); err != nil {
			return err
		}
		return all.timed(ctx, func(context.Context) error { return write(o.number) })
	})
}

// releaseRounds: all but one arrive, and that is seen by all; then the last one does.
func releaseRounds(ctx context.Context, o *options) error {
	return releases(ctx, o, func(ctx context.Context, client *connection, all *crowd, made *unstructured.Unstructured) error {
		come := func(ctx context.Context, i int) error {
			_, err := client.create(ctx, arrivals, arrival(made, i))
			return err
		}
		if err := each(ctx, o.number-1, o.workers, come); err != nil {
			return err
		}
		return all.timed(ctx, func(ctx context.Context) error { return come(ctx, o.number-1) })
	})
}

func releases(ctx context.Context, o *options, round func(context.Context, *connection, *crowd, *unstructured.Unstructured) error) error {
	client, err := connect(o)
	if err != nil {
		return err
	}
	for i := range o.rounds {
		// Connections of their own, as those who wait have: nothing that is sent comes behind what they are told.
		watchers, err := connect(o)
		if err != nil {
			return err
		}
		made, err := client.create(ctx, barriers, barrier(fmt.Sprintf("b%03d", i), o.number))
		if err != nil {
			return err
		}
		within, cancel := context.WithCancel(ctx)
		err = round(within, client, watchers.waitFor(within, made, o.number), made)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}
