// The driver of `make bench`. It plays the clients of Konductor and, for the floor, the operator as well: the same
// objects, the same verbs, bodies of the same size, each seen through a watch, and no Konductor. What it measures
// comes out as one JSON object a line.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

type options struct {
	kubeconfig string
	namespace  string
	number     int
	rounds     int
	holders    int
	waiting    int
	workers    int
	others     int
	rate       int
	steady     time.Duration
	window     time.Duration
}

type command struct {
	name    string
	summary string
	run     func(context.Context, *options) error
}

var commands = []command{
	{"floor-acquire", "rounds of create, record, tell; seen by the client. No Konductor may run", floorAcquire},
	{"acquire", "the same rounds against a running Konductor", acquire},
	{"floor-handoff", "rounds of delete, record, tell; seen by the next waiter. No Konductor may run", floorHandoff},
	{"handoff", "the same rounds against a running Konductor", handoff},
	{"raw-patches", "number status patches of as many claims, by workers at a time. No Konductor may run", rawPatches},
	{"grants", "number claims wait; one patch raises the limit; until all are seen granted", grants},
	{"floor-release", "rounds of one status patch, seen by number watchers of the object. No Konductor may run", floorRelease},
	{"release", "rounds of the last of number arrivals, seen by number watchers of the barrier, against a running Konductor", releaseRounds},
	{"raw-creates", "number arrivals of a barrier, by workers at a time. No Konductor may run", rawCreates},
	{"arrivals", "the same against a running Konductor, until the barrier is open; counts the writes of the barrier", arrive},
	{"wait", "number claims that wait, of a semaphore with no permits", wait},
	{"pods", "number claims of pods; others change at a rate; the pods are force-deleted at once", podsGone},
	{"clear", "deletes the claims and primitives of the namespace", clearAll},
}

var printing sync.Mutex

// say prints one line; whoever started us reads it while we go on.
func say(fields map[string]any) {
	printing.Lock()
	defer printing.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(fields); err != nil {
		os.Exit(1) // nobody reads any more
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// pause is the time between two rounds: of no fixed length, so that rounds fall in step with nothing.
func pause(ctx context.Context, from, to time.Duration) {
	length := from + time.Duration(rand.Int63n(int64(to-from)+1))
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
}

func parse(arguments []string) (*command, *options, error) {
	if len(arguments) == 0 {
		return nil, nil, fmt.Errorf("no command")
	}
	o := &options{}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	flags.StringVar(&o.kubeconfig, "kubeconfig", "", "how to reach the API server")
	flags.StringVar(&o.namespace, "namespace", "default", "where to work")
	flags.IntVar(&o.number, "number", 1000, "how many claims, or watchers")
	flags.IntVar(&o.rounds, "rounds", 20, "rounds that count; of acquires and handoffs three before them do not")
	flags.IntVar(&o.holders, "holders", 10, "claims that hold during the rounds of a handoff")
	flags.IntVar(&o.waiting, "waiting", 0, "claims that wait at the end of the rounds of a handoff; 0: only the next one does")
	flags.IntVar(&o.workers, "workers", 32, "requests at a time")
	flags.IntVar(&o.others, "others", 10000, "other pods")
	flags.IntVar(&o.rate, "rate", 200, "changes of other pods a second")
	flags.DurationVar(&o.steady, "steady", 10*time.Second, "how long only the other pods change")
	flags.DurationVar(&o.window, "window", 3*time.Second, "over which the cost of the release is counted")
	if err := flags.Parse(arguments[1:]); err != nil {
		return nil, nil, err
	}
	for i := range commands {
		if commands[i].name == arguments[0] {
			return &commands[i], o, nil
		}
	}
	return nil, nil, fmt.Errorf("no command %q", arguments[0])
}

func main() {
	chosen, o, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintf(os.Stderr, "driver: %v\n", err)
		for _, c := range commands {
			fmt.Fprintf(os.Stderr, "  %-14s %s\n", c.name, c.summary)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := chosen.run(ctx, o); err != nil {
		fmt.Fprintf(os.Stderr, "driver: %s: %v\n", chosen.name, err)
		os.Exit(1)
	}
}
