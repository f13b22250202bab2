package main

import (
	"context"
	"strconv"
	"time"
)

// settled is how long after the opening the barrier's writes are still counted.
const settled = 3 * time.Second

// rawCreates: as many arrivals as fast as `workers` of them at a time are created; nobody counts them.
func rawCreates(ctx context.Context, o *options) error {
	client, err := connect(o)
	if err != nil {
		return err
	}
	made, err := client.create(ctx, barriers, barrier("b", o.number))
	if err != nil {
		return err
	}
	pause(ctx, olderThanClaims, olderThanClaims)
	began := time.Now()
	err = each(ctx, o.number, o.workers, func(ctx context.Context, i int) error {
		_, err := client.create(ctx, arrivals, arrival(made, i))
		return err
	})
	say(map[string]any{"at": "end", "number": o.number, "seconds": time.Since(began).Seconds()})
	return err
}

// arrive: the same, until the barrier is seen open. What was written to it after the last arrival is told by the
// resourceVersions, which the whole API server counts by one counter.
func arrive(ctx context.Context, o *options) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := connect(o)
	if err != nil {
		return err
	}
	made, err := client.create(ctx, barriers, barrier("b", o.number))
	if err != nil {
		return err
	}
	events := make(chan event, 4096)
	go client.stream(ctx, barriers, "metadata.name=b", made.GetResourceVersion(), events, func(event) bool { return false })
	pause(ctx, olderThanClaims, olderThanClaims)
	say(map[string]any{"at": "begin"})
	began := time.Now()
	versions := make([]string, o.number)
	err = each(ctx, o.number, o.workers, func(ctx context.Context, i int) error {
		created, err := client.create(ctx, arrivals, arrival(made, i))
		if err == nil {
			versions[i] = created.GetResourceVersion()
		}
		return err
	})
	if err != nil {
		return err
	}
	created := time.Now()
	last, err := newest(versions)
	if err != nil {
		return err
	}
	return countWrites(ctx, events, func(e event, writes, after int) {
		say(map[string]any{"at": "end", "number": o.number, "seconds": e.at.Sub(began).Seconds(),
			"create_seconds": created.Sub(began).Seconds(), "writes": writes, "after_last": after})
	}, last)
}

// countWrites reads the events of the barrier until it has been open for a while.
func countWrites(ctx context.Context, events <-chan event, tell func(opened event, writes, after int), last int64) error {
	var opened event
	writes, after := 0, 0
	over := time.After(patience)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over:
			if opened.claim == nil {
				return context.DeadlineExceeded
			}
			tell(opened, writes, after)
			return nil
		case e := <-events:
			if e.err != nil {
				return e.err
			}
			version, err := strconv.ParseInt(e.claim.GetResourceVersion(), 10, 64)
			if err != nil {
				return err
			}
			writes++
			if version > last {
				after++
			}
			if opened.claim == nil && phase(e.claim) == "Open" {
				opened = e
				over = time.After(settled)
			}
		}
	}
}

func newest(versions []string) (int64, error) {
	var most int64
	for _, text := range versions {
		version, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, err
		}
		most = max(most, version)
	}
	return most, nil
}
