package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// podsGone: claims hold for pods; while other pods change, the claims' pods are force-deleted at once.
func podsGone(ctx context.Context, o *options) error {
	client, _, err := prepare(ctx, o, o.number, false)
	if err != nil {
		return err
	}
	if err := each(ctx, o.others, o.workers, func(ctx context.Context, i int) error {
		_, err := client.create(ctx, pods, pod(otherPod(i)))
		return err
	}); err != nil {
		return err
	}
	uids := make([]string, o.number)
	if err := each(ctx, o.number, o.workers, func(ctx context.Context, i int) error {
		made, err := client.create(ctx, pods, pod(claimPod(i)))
		if err == nil {
			uids[i] = string(made.GetUID())
		}
		return err
	}); err != nil {
		return err
	}
	if _, err := fill(ctx, client, o.number, o.workers, "Granted", func(i int) *unstructured.Unstructured {
		return permitOfPod(fmt.Sprintf("p%05d", i), queue, claimPod(i), uids[i])
	}); err != nil {
		return err
	}
	return release(ctx, client, o)
}

// release deletes the pods of the claims while the others change, and says when all claims were free.
func release(ctx context.Context, client *connection, o *options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, err := client.streamAll(ctx)
	if err != nil {
		return err
	}
	stop, changes, err := changeOthers(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	pause(ctx, 2*time.Second, 2*time.Second)
	say(map[string]any{"at": "steady"})
	pause(ctx, o.steady, o.steady)
	say(map[string]any{"at": "deleting"})
	began := time.Now()
	deleted := make(chan error, 1)
	go func() {
		deleted <- each(ctx, o.number, o.workers, func(ctx context.Context, i int) error {
			return client.forceDelete(ctx, claimPod(i))
		})
		say(map[string]any{"at": "deleted", "seconds": time.Since(began).Seconds()})
	}()
	half, last, err := count(ctx, events, o.number, isOver)
	if err != nil {
		return err
	}
	say(map[string]any{"at": "free", "seconds": last.Sub(began).Seconds(), "half_seconds": half.Sub(began).Seconds()})
	if left := o.window - time.Since(began); left > 0 {
		pause(ctx, left, left)
	}
	say(map[string]any{"at": "window", "seconds": time.Since(began).Seconds()})
	if err := <-deleted; err != nil {
		return err
	}
	stop()
	return <-changes
}

// changeOthers relabels the other pods, one after the other, until it is stopped.
func changeOthers(ctx context.Context, o *options) (context.CancelFunc, <-chan error, error) {
	changer, err := connect(o)
	if err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		began := time.Now()
		n, err := steadily(ctx, o.rate, func(ctx context.Context, i int) error {
			label := object{"metadata": object{"labels": object{"round": strconv.Itoa(i)}}}
			_, err := changer.patch(ctx, pods, otherPod(i%o.others), label)
			return err
		})
		say(map[string]any{"at": "end", "changes_per_second": float64(n) / time.Since(began).Seconds()})
		ended <- err
	}()
	return stop, ended, nil
}

func otherPod(i int) string { return fmt.Sprintf("other-%05d", i) }
func claimPod(i int) string { return fmt.Sprintf("claim-%05d", i) }
