package main

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// fill creates n claims, and returns their names when all have come to the phase.
func fill(ctx context.Context, c *connection, n, workers int, wanted string, claim func(i int) *unstructured.Unstructured) ([]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	events, err := c.streamAll(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, n)
	go func() { // the events are read meanwhile
		failed := each(ctx, n, workers, func(ctx context.Context, i int) error {
			created, err := c.create(ctx, permits, claim(i))
			if err == nil {
				names[i] = created.GetName()
			}
			return err
		})
		if failed != nil {
			cancel(failed)
		}
	}()
	_, _, err = count(ctx, events, n, inPhase(wanted))
	return names, err
}

// wait leaves claims behind that only wait.
func wait(ctx context.Context, o *options) error {
	client, _, err := prepare(ctx, o, 0, false)
	if err == nil {
		_, err = fill(ctx, client, o.number, o.workers, "Pending", waiter)
	}
	return err
}

func waiter(i int) *unstructured.Unstructured { return permit(fmt.Sprintf("w%05d", i), queue) }

// clearAll deletes what the other commands leave behind, and returns when it is gone. Arrivals go before barriers, which
// own them: else the garbage collector would delete them too.
func clearAll(ctx context.Context, o *options) error {
	client, err := connect(o)
	if err != nil {
		return err
	}
	var failed error
	for _, resource := range []schema.GroupVersionResource{semaphores, permits, arrivals, barriers} {
		failed = errors.Join(failed, clearKind(ctx, client, resource, o.workers))
	}
	return failed
}

func clearKind(ctx context.Context, c *connection, resource schema.GroupVersionResource, workers int) error {
	list, err := c.of(resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	return each(ctx, len(list.Items), workers, func(ctx context.Context, i int) error {
		return c.delete(ctx, resource, list.Items[i].GetName())
	})
}
