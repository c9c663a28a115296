package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"headwater/origin"
)

// How much garbage may gather before it is collected. Nearly all that
// headwater keeps is media, in large blocks without pointers: marking them
// costs nothing, but each collection wakes the whole process. Garbage is
// memory that nobody else can have.
const (
	slackTime  = 8       // seconds in which as much is allocated as garbage may come to, within these bounds:
	slackShare = 5       // per cent of the live heap
	slackUsual = 15      // per cent of the live heap
	slackLeast = 1 << 20 // bytes, in any case
	slackMost  = 100     // per cent, in any case; the default of package runtime
)

// Metrics of package runtime.
const (
	metricLive      = "/gc/heap/live:bytes"   // what the last collection left over
	metricAllocated = "/gc/heap/allocs:bytes" // ever
)

// memoryTuner keeps garbage small against the media that is held, where
// package runtime by itself lets it grow to the same size. It leaves room for
// what a second allocates, whatever that is: many requests may make garbage so
// fast that collections would cost more than the memory is worth.
type memoryTuner struct {
	interval time.Duration
	heap     func() (live, allocated uint64)
	set      func(percent int) (before int) // see [debug.SetGCPercent]
}

func newMemoryTuner() memoryTuner {
	samples := []metrics.Sample{{Name: metricLive}, {Name: metricAllocated}}
	return memoryTuner{
		interval: 2 * time.Second,
		heap: func() (live, allocated uint64) {
			metrics.Read(samples)
			return samples[0].Value.Uint64(), samples[1].Value.Uint64()
		},
		set: debug.SetGCPercent,
	}
}

// Run follows the heap until ctx ends; then the runtime's default is in force
// again. It does nothing where the environment variable GOGC says what is wanted.
func (t memoryTuner) Run(ctx context.Context) error {
	if os.Getenv("GOGC") != "" {
		return nil
	}
	defer t.set(slackMost)
	ticker := time.NewTicker(t.interval)
	defer ticker.Stop()
	_, before := t.heap()
	for percent := slackMost; ; {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		live, allocated := t.heap()
		want := gcPercent(live, uint64(float64(allocated-before)/t.interval.Seconds()))
		before = allocated
		// It is not set for a trifle, for that stops the world for a moment.
		if max(want-percent, percent-want) > percent/10 {
			t.set(want)
			percent = want
		}
	}
}

// gcPercent returns how much a live heap of so many bytes may grow, in per
// cent, if so many bytes are allocated in a second.
func gcPercent(live, allocated uint64) int {
	slack := min(max(allocated*slackTime, live*slackShare/100), live*slackUsual/100)
	slack = max(slack, allocated, slackLeast)
	return int(min(max(slack*100/max(live, 1), slackShare), slackMost))
}

// memoryLimit is a limit in bytes of what the process may use.
type memoryLimit int64

// Run has package runtime keep garbage within the limit until ctx ends. It does
// nothing where the environment variable GOMEMLIMIT says what is wanted.
func (l memoryLimit) Run(ctx context.Context) error {
	if os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	before := debug.SetMemoryLimit(int64(l) - origin.ProgramBytes)
	defer debug.SetMemoryLimit(before)
	<-ctx.Done()
	return nil
}
