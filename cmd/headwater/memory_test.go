package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headwater/origin"
)

func TestGCPercent(t *testing.T) {
	tests := []struct {
		name            string
		live, allocated uint64
		want            int
	}{
		{"an empty heap gets the default of the runtime", 0, 0, 100},
		{"so does a small one", 1 << 20, 0, 100},
		{"1 MiB may be garbage beside 4 MiB", 4 << 20, 0, 25},
		{"a large heap gets a twentieth", 200 << 20, 0, 5},
		{"as does a huge one", 1 << 40, 0, 5},
		{"a source adds less in 8 s than the twentieth", 64 << 20, 350 << 10, 5},
		{"what 20 sources add in 8 s may be garbage", 600 << 20, 8 << 20, 10},
		{"but no more than a part of a heap whose media leaves soon", 200 << 20, 8 << 20, 15},
		{"players that make 32 MiB of garbage in a second get room for it", 64 << 20, 32 << 20, 50},
		{"but no more than the default", 64 << 20, 1 << 30, 100},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := gcPercent(tt.live, tt.allocated); got != tt.want {
				t.Errorf("gcPercent(%d, %d) = %d, want %d", tt.live, tt.allocated, got, tt.want)
			}
		})
	}
}

// A wrong name would be noticed nowhere else before the program runs.
func TestMemoryTunerMetrics(t *testing.T) {
	for _, name := range []string{metricLive, metricAllocated} {
		if !slices.ContainsFunc(metrics.All(), func(d metrics.Description) bool {
			return d.Name == name && d.Kind == metrics.KindUint64
		}) {
			t.Errorf("package metrics has no whole number %s", name)
		}
	}
}

func TestMemoryTunerRun(t *testing.T) {
	t.Setenv("GOGC", "")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var live, allocated atomic.Uint64
		live.Store(1 << 20)
		var set []int
		tuner := memoryTuner{
			interval: 2 * time.Second,
			heap:     func() (uint64, uint64) { return live.Load(), allocated.Load() },
			set:      func(percent int) int { set = append(set, percent); return 0 },
		}
		done := make(chan error, 1)
		go func() { done <- tuner.Run(ctx) }()
		synctest.Wait()
		for _, step := range []struct{ live, allocated uint64 }{
			{1 << 20, 0},
			{8 << 20, 0},
			{8<<20 + 1000, 0}, // a trifle
			{1 << 30, 0},
			{1 << 30, 1 << 30}, // 512 MiB a second
			{1 << 20, 0},
		} {
			live.Store(step.live)
			allocated.Add(step.allocated)
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
		// The last one is the runtime's own, put back at the end.
		if want := []int{12, 5, 50, 100, 100}; !slices.Equal(set, want) {
			t.Errorf("percentages set = %v, want %v", set, want)
		}
	})
}

func TestMemoryLimit(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetMemoryLimit(-1)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- memoryLimit(1 << 30).Run(ctx) }()
		synctest.Wait()
		if got, want := debug.SetMemoryLimit(-1), int64(1<<30-origin.ProgramBytes); got != want {
			t.Errorf("the memory limit is %d, want %d", got, want)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run() = %v, want nil", err)
		}
	})
	if got := debug.SetMemoryLimit(-1); got != before {
		t.Errorf("the memory limit is %d in the end, want %d as before", got, before)
	}
	t.Setenv("GOMEMLIMIT", "2GiB") // the user's
	if err := memoryLimit(1 << 30).Run(t.Context()); err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
}

func TestMemoryTunerRespectsGOGC(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := debug.SetGCPercent(50)
	defer debug.SetGCPercent(before)
	if err := newMemoryTuner().Run(t.Context()); err != nil {
		t.Errorf("Run() = %v, want nil", err)
	}
	if got := debug.SetGCPercent(50); got != 50 {
		t.Errorf("the percentage is %d with GOGC=50, want 50", got)
	}
}
