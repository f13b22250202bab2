package main

import (
	"context"
	"time"
)

// rawPatches: as many status patches of as many claims as fast as `workers` of them at a time go, each with the body
// of a tell and the claim's resourceVersion, until the last is seen through a watch.
func rawPatches(ctx context.Context, o *options) error {
	client, _, err := prepare(ctx, o, 0, false)
	if err != nil {
		return err
	}
	patcher, err := connect(o)
	if err != nil {
		return err
	}
	asked := make([]grant, o.number)
	err = each(ctx, o.number, o.workers, func(ctx context.Context, i int) error {
		created, err := patcher.create(ctx, permits, waiter(i))
		if err != nil {
			return err
		}
		g := grant{claim: created.GetName(), uid: string(created.GetUID()), rv: created.GetResourceVersion(), token: int64(i)}
		// As an operator does with a claim that waits, so that the objects are the same ones.
		told, err := patcher.patch(ctx, permits, g.claim, acknowledge(g, g.uid, time.Now()), "status")
		if err == nil {
			g.rv = told.GetResourceVersion()
		}
		asked[i] = g
		return err
	})
	if err != nil {
		return err
	}
	return untilGranted(ctx, client, o.number, func(ctx context.Context) error {
		return each(ctx, o.number, o.workers, func(ctx context.Context, i int) error {
			g := asked[i]
			_, err := patcher.patch(ctx, permits, g.claim, tell(g, g.uid, time.Now()), "status")
			return err
		})
	})
}

// grants: all wait at a limit of 0; one patch raises it.
func grants(ctx context.Context, o *options) error {
	client, _, err := prepare(ctx, o, 0, false)
	if err != nil {
		return err
	}
	if _, err := fill(ctx, client, o.number, o.workers, "Pending", waiter); err != nil {
		return err
	}
	return untilGranted(ctx, client, o.number, func(ctx context.Context) error {
		_, err := client.patch(ctx, semaphores, queue, object{"spec": object{"permits": o.number}})
		return err
	})
}

// untilGranted says how long it takes from `do` until n claims are seen granted.
func untilGranted(ctx context.Context, client *connection, n int, do func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := client.streamAll(ctx)
	if err != nil {
		return err
	}
	pause(ctx, time.Second, time.Second+100*time.Millisecond)
	say(map[string]any{"at": "begin"})
	began := time.Now()
	failed := make(chan error, 1)
	go func() { failed <- do(ctx) }()
	half, last, err := count(ctx, events, n, inPhase("Granted"))
	if err != nil {
		return err
	}
	say(map[string]any{"at": "end", "number": n, "seconds": last.Sub(began).Seconds(), "half_seconds": half.Sub(began).Seconds()})
	return <-failed
}
