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
		return permitOfPod(fmt.Sprintf("p%05d", i), name, claimPod(i), uids[i])
	}); err != nil {
		return err
	}
	return release(ctx, client, o)
}

func release(ctx context.Context, client *connection, o *options) error {
	changer, err := connect(o, true)
	if err != nil {
		return err
	}
	counted, err := count(ctx, client)
	if err != nil {
		return err
	}
	defer counted.events.Stop()
	changing, stop := context.WithCancel(ctx)
	defer stop()
	type count struct {
		n   int
		err error
	}
	changed := make(chan count, 1)
	go func() {
		n, err := steadily(changing, o.rate, func(ctx context.Context, i int) error {
			label := object{"metadata": object{"labels": object{"round": strconv.Itoa(i)}}}
			_, err := changer.patch(ctx, pods, otherPod(i%o.others), label)
			return err
		})
		changed <- count{n, err}
	}()
	rest(ctx, 2*time.Second, 2*time.Second+time.Millisecond)
	say(map[string]any{"at": "steady"})
	began := time.Now()
	rest(ctx, o.steady, o.steady+time.Millisecond)
	say(map[string]any{"at": "deleting"})
	deleting := time.Now()
	gone := make(chan time.Time, 1)
	failed := make(chan error, 1)
	go func() {
		failed <- each(ctx, o.number, o.workers, func(ctx context.Context, i int) error { return client.forceDelete(ctx, claimPod(i)) })
		gone <- time.Now()
	}()
	half, last, err := counted.until(ctx, o.number, isOver)
	if err != nil {
		return err
	}
	say(map[string]any{"at": "free", "seconds": last.Sub(deleting).Seconds(), "half_seconds": half.Sub(deleting).Seconds()})
	if left := o.window - time.Since(deleting); left > 0 {
		rest(ctx, left, left+time.Millisecond)
	}
	say(map[string]any{"at": "window", "seconds": time.Since(deleting).Seconds()})
	stop()
	total := <-changed
	say(map[string]any{"at": "end", "deleted_seconds": (<-gone).Sub(deleting).Seconds(), "changes_per_second": float64(total.n) / time.Since(began).Seconds()})
	if err := <-failed; err != nil {
		return err
	}
	return total.err
}

func otherPod(i int) string { return fmt.Sprintf("other-%05d", i) }
func claimPod(i int) string { return fmt.Sprintf("claim-%05d", i) }
