package ingest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
)

// audience is what somebody wants of a stream.
type audience struct {
	mu        sync.Mutex
	requests  uint64 // guarded by mu
	listeners int64  // guarded by mu
}

func (a *audience) Demand() (uint64, int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests, a.listeners
}

func (a *audience) set(requests uint64, listeners int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests, a.listeners = requests, listeners
}

// running counts how often it was started, and whether it runs.
type running struct {
	mu     sync.Mutex
	starts int  // guarded by mu
	runs   bool // guarded by mu
	fail   chan error
}

func (r *running) Run(ctx context.Context) error {
	r.set(true)
	defer r.set(false)
	select {
	case <-ctx.Done():
		return nil
	case err := <-r.fail:
		return err
	}
}

func (r *running) set(runs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runs = runs; runs {
		r.starts++
	}
}

func (r *running) state() (starts int, runs bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.starts, r.runs
}

func TestOnDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var people audience
		source := &running{fail: make(chan error)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		o := ingest.NewOnDemand(source, &people, (&ingesttest.Log{}).Logger())
		go func() { done <- o.Run(ctx) }()

		after := func(d time.Duration, what string, starts int, runs bool) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if s, r := source.state(); s != starts || r != runs {
				t.Fatalf("%s: started %d times, runs %v, want %d, %v", what, s, r, starts, runs)
			}
		}
		after(time.Hour, "nobody was there", 0, false)
		people.set(1, 0)
		after(200*time.Millisecond, "somebody asked", 1, true)
		after(50*time.Second, "nobody asked again", 1, true)
		people.set(2, 0)
		after(50*time.Second, "somebody asked meanwhile", 1, true)
		after(11*time.Second, "nobody asked for a minute", 1, false)
		people.set(3, 2)
		after(200*time.Millisecond, "somebody listens", 2, true)
		after(time.Hour, "two listen for an hour", 2, true)
		people.set(3, 0)
		after(time.Minute+200*time.Millisecond, "they went a minute ago", 2, false)
		people.set(4, 1)
		after(200*time.Millisecond, "somebody listens again", 3, true)
		source.fail <- errors.New("no route")
		if err := <-done; err == nil || err.Error() != "no route" {
			t.Errorf("Run = %v, want why the source failed", err)
		}
		go func() { done <- o.Run(ctx) }()
		after(200*time.Millisecond, "it was tried again", 4, true)
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
}
