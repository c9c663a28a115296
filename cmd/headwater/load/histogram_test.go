package load_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"headwater/cmd/headwater/load"
)

// The bound that the documentation states, over all magnitudes.
func TestHistogramError(t *testing.T) {
	const bound = 1.0 / 128
	for v := time.Duration(1); v < 73*time.Minute; v += v/60 + 1 {
		var h load.Histogram
		h.Record(v)
		counts := h.Counts()
		for _, q := range []float64{0, 0.5, 0.99, 1} {
			got := counts.Quantile(q)
			if off := math.Abs(float64(got-v)) / float64(v); off > bound {
				t.Fatalf("Quantile(%v) of %v = %v, off by %.2f %%", q, v, got, 100*off)
			}
		}
	}
}

func TestHistogramQuantiles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var h load.Histogram
	var all []time.Duration
	for range 20_000 {
		d := time.Duration(math.Exp(r.Float64()*20) * 10)
		all = append(all, d)
		h.Record(d)
	}
	slices.Sort(all)
	c := h.Counts()
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[int(math.Ceil(q*float64(len(all))))-1]
		if got := c.Quantile(q); math.Abs(float64(got-want)) > float64(want)/128 {
			t.Errorf("Quantile(%v) = %v, want %v", q, got, want)
		}
	}
	if c.N() != int64(len(all)) {
		t.Errorf("N() = %d, want %d", c.N(), len(all))
	}
}

func TestHistogramEdges(t *testing.T) {
	tests := []struct {
		name     string
		d        time.Duration
		atLeast  time.Duration
		atMost   time.Duration
		wantMean time.Duration
	}{
		{"nothing lasts less than no time", -time.Second, 0, 0, 0},
		{"zero", 0, 0, 0, 0},
		{"a nanosecond", 1, 1, 1, 1},
		{"more than is counted", 100 * time.Hour, 72 * time.Minute, 74 * time.Minute, 1<<42 - 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h load.Histogram
			h.Record(tt.d)
			got := h.Counts().Quantile(1)
			if got < tt.atLeast || got > tt.atMost {
				t.Errorf("Quantile(1) of %v = %v, want %v to %v", tt.d, got, tt.atLeast, tt.atMost)
			}
			if mean := h.Counts().Mean(); mean != tt.wantMean {
				t.Errorf("Mean() of %v = %v, want %v", tt.d, mean, tt.wantMean)
			}
		})
	}
	var empty load.Histogram
	if got := empty.Counts().Quantiles(); got != (load.Quantiles{}) {
		t.Errorf("Quantiles() of nothing = %+v, want zeros", got)
	}
}

func TestCountsSince(t *testing.T) {
	var h load.Histogram
	h.Record(time.Hour)
	before := h.Counts()
	h.Record(time.Millisecond)
	h.Record(time.Millisecond)
	got := h.Counts().Since(before)
	if q := got.Quantile(1); got.N() != 2 || q > 2*time.Millisecond {
		t.Errorf("Since: N = %d, Quantile(1) = %v, want 2 and 1ms", got.N(), q)
	}
	if all := h.Counts().Since(load.Counts{}); all.N() != 3 {
		t.Errorf("Since of the zero value: N = %d, want 3", all.N())
	}
}

func TestHistogramConcurrently(t *testing.T) {
	var h load.Histogram
	var recording sync.WaitGroup
	for range 8 {
		recording.Go(func() {
			for i := range 1000 {
				h.Record(time.Duration(i))
			}
		})
	}
	recording.Wait()
	if got := h.Counts().N(); got != 8000 {
		t.Errorf("N() = %d, want 8000", got)
	}
}

func TestHistogramAllocatesNothing(t *testing.T) {
	h := new(load.Histogram)
	if n := testing.AllocsPerRun(100, func() { h.Record(time.Second) }); n != 0 {
		t.Errorf("Record allocates %v times", n)
	}
}

func BenchmarkHistogramRecord(b *testing.B) {
	h := new(load.Histogram)
	for b.Loop() {
		h.Record(123 * time.Millisecond)
	}
}
