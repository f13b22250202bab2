package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// each calls do for 0 to n-1, `workers` at a time, and gives the first error.
func each(ctx context.Context, n, workers int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(workers, n) {
		all.Add(1)
		go func() {
			defer all.Done()
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		}()
	}
	all.Wait()
	return context.Cause(ctx)
}

// steadily calls do `rate` times a second until the context ends, a few at a time, and gives how often it did.
func steadily(ctx context.Context, rate int, do func(ctx context.Context, i int) error) (int, error) {
	const atOnce = 8
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	places := make(chan struct{}, atOnce)
	failed := make(chan error, 1)
	var done sync.WaitGroup
	defer done.Wait()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return i, nil
		case err := <-failed:
			return i, err
		case <-ticker.C:
		}
		places <- struct{}{}
		done.Add(1)
		go func() {
			defer func() { <-places; done.Done() }()
			if err := do(ctx, i); err != nil && ctx.Err() == nil {
				select {
				case failed <- err:
				default:
				}
			}
		}()
	}
}
