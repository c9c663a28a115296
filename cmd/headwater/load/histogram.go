package load

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// Buckets: each power of two is cut into 64 equal parts, and what is below 128 ns
// stands alone.
const (
	subBits     = 6
	maxBits     = 42 // the longest duration counted, 73 minutes, is 2^42 - 1 ns
	maxValue    = 1<<maxBits - 1
	bucketCount = (maxBits-subBits-1)<<subBits + 2<<subBits
)

// Histogram counts durations. It takes 19 KiB whatever is recorded, and
// what it tells of quantiles is right within 1/128, so less than 0.8 %. Durations
// below zero count as zero, those above 73 minutes as 73 minutes.
//
// The zero value is empty. A Histogram may be used by many goroutines.
type Histogram struct {
	buckets [bucketCount]atomic.Int64
	sum     atomic.Int64
}

// Record counts d.
func (h *Histogram) Record(d time.Duration) {
	v := min(max(int64(d), 0), maxValue)
	h.buckets[bucketOf(v)].Add(1)
	h.sum.Add(v)
}

// bucketOf returns the bucket of v, which is 0 to maxValue.
func bucketOf(v int64) int {
	shift := max(bits.Len64(uint64(v))-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// middle returns the value in the middle of a bucket.
func middle(bucket int) int64 {
	shift := max(bucket>>subBits-1, 0)
	low := int64(bucket-shift<<subBits) << shift
	return low + (1<<shift-1)/2
}

// Counts returns what was recorded so far. What others record meanwhile may be in it or not.
func (h *Histogram) Counts() Counts {
	c := Counts{buckets: make([]int64, bucketCount), sum: h.sum.Load()}
	for i := range h.buckets {
		n := h.buckets[i].Load()
		c.buckets[i] = n
		c.n += n
	}
	return c
}

// Counts is what a [Histogram] held at one time. The zero value is empty.
type Counts struct {
	buckets []int64
	n, sum  int64
}

// N returns how many durations were counted.
func (c Counts) N() int64 { return c.n }

// Since returns what came after before, an older state of the same histogram.
func (c Counts) Since(before Counts) Counts {
	d := Counts{buckets: make([]int64, len(c.buckets)), n: c.n - before.n, sum: c.sum - before.sum}
	copy(d.buckets, c.buckets)
	for i, n := range before.buckets {
		d.buckets[i] -= n
	}
	return d
}

// Quantile returns the duration that a share q, 0 to 1, of all durations do not
// exceed; that of 1 is the longest. It is 0 if nothing was counted.
func (c Counts) Quantile(q float64) time.Duration {
	rank := max(int64(math.Ceil(q*float64(c.n))), 1)
	for i, n := range c.buckets {
		if rank -= n; rank <= 0 {
			return time.Duration(middle(i))
		}
	}
	return 0
}

// Mean returns the mean, 0 if nothing was counted.
func (c Counts) Mean() time.Duration { return time.Duration(c.sum / max(c.n, 1)) }

// Quantiles is what reports say of a histogram. Times are in milliseconds.
type Quantiles struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// Quantiles returns the figures for a report.
func (c Counts) Quantiles() Quantiles {
	return Quantiles{c.n, ms(c.Mean()), ms(c.Quantile(0.5)), ms(c.Quantile(0.99)), ms(c.Quantile(1))}
}

// ms returns d in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
