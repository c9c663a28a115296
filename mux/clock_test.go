package mux_test

import (
	"fmt"
	"math/big"
	"testing"
	"time"

	"headwater/mux"
)

// hls-rules C15: 33-bit timestamps are followed through the wrap both ways.
func TestTicksNearest(t *testing.T) {
	const half = mux.Wrap / 2
	tests := []struct {
		name      string
		from, raw mux.Ticks
		want      mux.Ticks
	}{
		{"the same", 1000, 1000, 1000},
		{"a little on", 1000, 4600, 4600},
		{"a little back, as B pictures are", 4600, 1000, 1000},
		{"on over the wrap", mux.Wrap - 10, 5, mux.Wrap + 5},
		{"back over the wrap", mux.Wrap + 5, mux.Wrap - 10, mux.Wrap - 10},
		{"back below zero", 5, mux.Wrap - 10, -10},
		{"in the third day", 2*mux.Wrap + 7, 100, 2*mux.Wrap + 100},
		{"from a negative time", -10, 5, 5},
		{"just less than half a turn on", 0, half - 1, half - 1},
		{"half a turn is back", 0, half, -half},
		{"from the epoch", 1_700_000_000 * mux.ClockRate, 0, 17812 * mux.Wrap},
	}
	for _, tt := range tests {
		if got := tt.from.Nearest(tt.raw); got != tt.want {
			t.Errorf("%s: Ticks(%d).Nearest(%d) = %d, want %d", tt.name, tt.from, tt.raw, got, tt.want)
		}
	}
}

// hls-rules C22: exact for a year of audio at every rate.
func TestFromSamples(t *testing.T) {
	for _, rate := range []int{7350, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000} {
		year := int64(366 * 24 * 3600 * rate)
		for _, n := range []int64{0, 1, 576, 1024, 1152, 12345678, year - 1, year, -1, -1152, -year} {
			if got, want := mux.FromSamples(n, rate), exact(n*mux.ClockRate, int64(rate)); got != want {
				t.Errorf("FromSamples(%d, %d) = %d, want %d", n, rate, got, want)
			}
		}
	}
}

// exact returns num/den rounded half away from zero, by other means.
func exact(num, den int64) mux.Ticks {
	f := new(big.Rat).SetFrac64(num, den).FloatString(0)
	n, _ := new(big.Int).SetString(f, 10)
	return mux.Ticks(n.Int64())
}

func TestTicksTime(t *testing.T) {
	tests := []struct {
		ticks mux.Ticks
		want  string
	}{
		{0, "1970-01-01T00:00:00Z"},
		{90_000, "1970-01-01T00:00:01Z"},
		{45_000, "1970-01-01T00:00:00.5Z"},
		{-45_000, "1969-12-31T23:59:59.5Z"},
		{-90_000, "1969-12-31T23:59:59Z"},
		{1_700_000_000*mux.ClockRate + 9, "2023-11-14T22:13:20.0001Z"},
	}
	for _, tt := range tests {
		got := tt.ticks.Time()
		if s := got.Format(time.RFC3339Nano); s != tt.want {
			t.Errorf("Ticks(%d).Time() = %s, want %s", tt.ticks, s, tt.want)
		}
		if back := mux.FromTime(got); back != tt.ticks {
			t.Errorf("FromTime(%s) = %d, want %d", tt.want, back, tt.ticks)
		}
	}
}

func TestTicksDuration(t *testing.T) {
	tests := []struct {
		ticks mux.Ticks
		want  time.Duration
	}{
		{0, 0},
		{1, 11111 * time.Nanosecond},
		{-1, -11111 * time.Nanosecond},
		{540_540, 6006 * time.Millisecond},
		{mux.Wrap, 26*time.Hour + 30*time.Minute + 43*time.Second + 717688888*time.Nanosecond},
		{90_000 * 3600 * 24 * 365 * 100, 24 * 365 * 100 * time.Hour},
	}
	for _, tt := range tests {
		got := tt.ticks.Duration()
		if got != tt.want {
			t.Errorf("Ticks(%d).Duration() = %v, want %v", tt.ticks, got, tt.want)
		}
		if back := mux.FromDuration(got); back != tt.ticks {
			t.Errorf("FromDuration(%v) = %d, want %d", got, back, tt.ticks)
		}
	}
}

// FuzzTicksNearest: the result is congruent to raw, and no other is nearer.
func FuzzTicksNearest(f *testing.F) {
	f.Add(int64(mux.Wrap)-10, int64(5))
	f.Fuzz(func(t *testing.T, from, raw int64) {
		const limit = 1 << 61
		if from < -limit || from > limit {
			return
		}
		got := mux.Ticks(from).Nearest(mux.Ticks(raw))
		d := got - mux.Ticks(from)
		if d < -mux.Wrap/2 || d >= mux.Wrap/2 || (got-mux.Ticks(raw))&(mux.Wrap-1) != 0 {
			t.Fatalf("Ticks(%d).Nearest(%d) = %d", from, raw, got)
		}
	})
}

// FuzzTicksTime: a time and a duration lead back to the ticks they came from.
func FuzzTicksTime(f *testing.F) {
	f.Add(int64(-45_000))
	f.Fuzz(func(t *testing.T, n int64) {
		const limit = 250 * 366 * 24 * 3600 * mux.ClockRate // what a time.Duration holds
		if n < -limit || n > limit {
			return
		}
		ticks := mux.Ticks(n)
		if back := mux.FromTime(ticks.Time()); back != ticks {
			t.Errorf("FromTime(Ticks(%d).Time()) = %d", n, back)
		}
		if back := mux.FromDuration(ticks.Duration()); back != ticks {
			t.Errorf("FromDuration(Ticks(%d).Duration()) = %d", n, back)
		}
	})
}

func ExampleTicks_Nearest() {
	// A 33-bit timestamp just after the wrap, seen just before it.
	last := mux.Wrap - 3600
	fmt.Println(last.Nearest(1800) - last)
	// Output: 5400
}

func ExampleFromSamples() {
	// The 1000th frame of MP3 at 44.1 kHz. Adding the rounded length of a
	// frame, 2351 ticks, a thousand times would be off by 20.
	fmt.Println(mux.FromSamples(1000*1152, 44100))
	// Output: 2351020
}
