package mux

import "time"

// Ticks is an instant or a distance on a 90 kHz clock, unwrapped to 64 bits
// (ISO/IEC 13818-1 §2.4.3.7). Which zero it counts from is said where it is
// used: the source's own clock, or the Unix epoch.
type Ticks int64

const (
	// ClockRate is the number of [Ticks] in a second.
	ClockRate = 90_000
	// Wrap is the number of Ticks after which a 33-bit timestamp starts again, 26 h 30 min 43.7 s.
	Wrap Ticks = 1 << 33
)

// FromDuration converts d to Ticks, rounding to the nearest.
func FromDuration(d time.Duration) Ticks {
	s, ns := int64(d/time.Second), int64(d%time.Second)
	return Ticks(s*ClockRate + roundDiv(ns*ClockRate, int64(time.Second)))
}

// FromTime returns t as Ticks since the Unix epoch, rounding to the nearest.
func FromTime(t time.Time) Ticks {
	return Ticks(t.Unix()*ClockRate + roundDiv(int64(t.Nanosecond())*ClockRate, int64(time.Second)))
}

// FromSamples returns the length of n samples at rate hertz, rounding to the
// nearest. It is exact for any n that fits a year of audio (hls-rules C22).
func FromSamples(n int64, rate int) Ticks {
	whole, rest := n/int64(rate), n%int64(rate)
	return Ticks(whole*ClockRate + roundDiv(rest*ClockRate, int64(rate)))
}

// Duration converts t to a time.Duration, rounding toward zero.
func (t Ticks) Duration() time.Duration {
	return time.Duration(t/ClockRate)*time.Second +
		time.Duration(t%ClockRate)*time.Second/ClockRate
}

// Time returns the UTC instant of t, which counts from the Unix epoch.
func (t Ticks) Time() time.Time {
	s := int64(t) / ClockRate
	rest := int64(t) % ClockRate
	if rest < 0 {
		s, rest = s-1, rest+ClockRate
	}
	return time.Unix(s, rest*int64(time.Second)/ClockRate).UTC()
}

// Nearest returns the value congruent to raw modulo 2^33 that lies nearest to t.
func (t Ticks) Nearest(raw Ticks) Ticks {
	diff := (raw - t) & (Wrap - 1)
	if diff >= Wrap/2 {
		diff -= Wrap
	}
	return t + diff
}

// roundDiv divides rounding half away from zero; d is positive.
func roundDiv(n, d int64) int64 {
	if n < 0 {
		return -((-n + d/2) / d)
	}
	return (n + d/2) / d
}
