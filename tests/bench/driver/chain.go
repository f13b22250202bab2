package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	warmUp = 3   // rounds that do not count: connections, caches, pages
	queue  = "q" // the semaphore
	much   = 1000
	// A claim that is not strictly newer than its primitive, in whole seconds, costs Konductor a write more, once.
	olderThanClaims = 1100 * time.Millisecond
)

// prepare makes the semaphore of a run and connects its clients; with `standing` it starts the stand-in too.
func prepare(ctx context.Context, o *options, limit int, standing bool) (*connection, chan event, error) {
	client, err := connect(o)
	if err != nil {
		return nil, nil, err
	}
	made, err := client.create(ctx, semaphores, semaphore(queue, limit))
	if err != nil {
		return nil, nil, err
	}
	seen := make(chan event, 4096)
	if standing {
		if err := start(ctx, o, made, limit, seen); err != nil {
			return nil, nil, err
		}
	}
	pause(ctx, olderThanClaims, olderThanClaims)
	return client, seen, nil
}

func floorAcquire(ctx context.Context, o *options) error { return acquireRounds(ctx, o, true) }
func acquire(ctx context.Context, o *options) error      { return acquireRounds(ctx, o, false) }
func floorHandoff(ctx context.Context, o *options) error { return handoffRounds(ctx, o, true) }
func handoff(ctx context.Context, o *options) error      { return handoffRounds(ctx, o, false) }

// acquireRounds: one client at a time creates a claim and sees it granted; nobody else wants anything.
func acquireRounds(ctx context.Context, o *options, standing bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, events, err := prepare(ctx, o, much, standing)
	if err != nil {
		return err
	}
	for i := range warmUp + o.rounds {
		claim := permit(fmt.Sprintf("a%05d", i), queue)
		began := time.Now()
		created, err := client.create(ctx, permits, claim)
		if err != nil {
			return err
		}
		answered := time.Now()
		client.follow(ctx, created, events)
		seen, err := await(ctx, events, "Granted")
		if err != nil {
			return err
		}
		if i >= warmUp {
			say(map[string]any{"ms": milliseconds(seen.at.Sub(began)), "create_ms": milliseconds(answered.Sub(began))})
		}
		pause(ctx, 20*time.Millisecond, 60*time.Millisecond)
		if err := client.delete(ctx, permits, created.GetName()); err != nil {
			return err
		}
		pause(ctx, 30*time.Millisecond, 120*time.Millisecond)
	}
	return nil
}

// handoffRounds: all permits are held; the oldest holder goes, and the next waiter sees that it is granted.
func handoffRounds(ctx context.Context, o *options, standing bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, events, err := prepare(ctx, o, o.holders, standing)
	if err != nil {
		return err
	}
	holders, err := fill(ctx, client, o.holders, o.workers, "Granted", func(i int) *unstructured.Unstructured {
		return permit(fmt.Sprintf("h%05d", i), queue)
	})
	if err != nil {
		return err
	}
	if o.waiting > 0 {
		if err := join(ctx, client, events, 0, o.waiting+warmUp+o.rounds); err != nil {
			return err
		}
		pause(ctx, time.Second, 2*time.Second)
	}
	say(map[string]any{"at": "ready"})
	for i := range warmUp + o.rounds {
		if o.waiting == 0 {
			if err := join(ctx, client, events, i, 1); err != nil {
				return err
			}
		}
		pause(ctx, 50*time.Millisecond, 250*time.Millisecond)
		began := time.Now()
		if err := client.delete(ctx, permits, holders[i]); err != nil {
			return err
		}
		answered := time.Now()
		seen, err := await(ctx, events, "Granted")
		if err != nil {
			return err
		}
		holders = append(holders, seen.claim.GetName())
		if i >= warmUp {
			say(map[string]any{"ms": milliseconds(seen.at.Sub(began)), "delete_ms": milliseconds(answered.Sub(began))})
		}
	}
	return nil
}

// join adds waiting clients, each with a watch of its own, and returns when all were told that they wait.
func join(ctx context.Context, client *connection, events chan event, first, n int) error {
	err := each(ctx, n, 16, func(ctx2 context.Context, i int) error {
		created, err := client.create(ctx2, permits, permit(fmt.Sprintf("w%05d", first+i), queue))
		if err == nil {
			client.follow(ctx, created, events)
		}
		return err
	})
	for i := 0; i < n && err == nil; i++ {
		_, err = await(ctx, events, "Pending")
	}
	return err
}
