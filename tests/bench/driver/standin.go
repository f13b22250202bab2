package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
)

// standIn does what any operator has to do for a grant, and nothing else: it sees the claim through its watch, writes
// the primitive's status, then the claim's, each with the resourceVersion. One semaphore, one goroutine, no checks.
type standIn struct {
	api     *connection
	limit   int
	uid     string
	rv      string // of the semaphore
	seen    string // what the last tell returned
	token   int64
	holding []holderLine
	waiting []grant
}

// start runs a stand-in for the semaphore until the context ends; errors go to the channel of the clients.
func start(ctx context.Context, o *options, of *unstructured.Unstructured, limit int, errors chan<- event) error {
	api, err := connect(o)
	if err != nil {
		return err
	}
	events, err := api.streamAll(ctx)
	if err != nil {
		return err
	}
	rv := of.GetResourceVersion()
	revision, err := strconv.ParseInt(rv, 10, 64)
	if err != nil {
		return err
	}
	s := &standIn{api: api, limit: limit, uid: string(of.GetUID()), rv: rv, seen: rv, token: revision * 1000}
	go func() {
		for e := range events {
			if err := s.handle(ctx, of.GetName(), e); err != nil && ctx.Err() == nil {
				errors <- event{err: fmt.Errorf("the stand-in: %w", err)}
				return
			}
		}
	}()
	return nil
}

func (s *standIn) handle(ctx context.Context, semaphore string, e event) error {
	if e.err != nil {
		return e.err
	}
	name := e.claim.GetName()
	switch e.kind {
	case watch.Added:
		asked := grant{claim: name, uid: string(e.claim.GetUID()), rv: e.claim.GetResourceVersion()}
		if len(s.holding) < s.limit {
			return s.grant(ctx, semaphore, asked)
		}
		told, err := s.api.patch(ctx, permits, name, acknowledge(asked, s.uid, time.Now()), "status")
		if err != nil {
			return err
		}
		asked.rv = told.GetResourceVersion()
		s.waiting = append(s.waiting, asked)
	case watch.Deleted:
		s.holding = slices.DeleteFunc(s.holding, func(line holderLine) bool { return line.claim == name })
		if len(s.waiting) == 0 || len(s.holding) >= s.limit {
			return nil
		}
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		return s.grant(ctx, semaphore, next)
	}
	return nil
}

func (s *standIn) grant(ctx context.Context, semaphore string, g grant) error {
	s.token++
	g.token = s.token
	now := time.Now()
	s.holding = append(s.holding, holderLine{g.claim, microTime(now)})
	body := record(s.uid, s.rv, s.api.namespace, s.seen, s.limit, len(s.waiting), s.holding, g)
	recorded, err := s.api.patch(ctx, semaphores, semaphore, body, "status")
	if err != nil {
		return err
	}
	s.rv = recorded.GetResourceVersion()
	told, err := s.api.patch(ctx, permits, g.claim, tell(g, s.uid, now), "status")
	if err != nil {
		return err
	}
	s.seen = told.GetResourceVersion()
	return nil
}
