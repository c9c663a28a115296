package audio

import "headwater/mux"

// clock is a running time in units that are a whole number of any sample of
// any rate of MPEG audio and AAC: it stays exact through changes of rate.
type clock int64

// clockRate is the least common multiple of all sampling rates from 7350 to
// 96000 Hz, in hertz. A clock lasts ten thousand years.
const clockRate = 28_224_000

// after returns the time n samples at rate hertz later.
func (c clock) after(n, rate int) clock { return c + clock(n)*(clockRate/clock(rate)) }

// ticks returns c rounded to the nearest tick, halves up, like [mux.FromSamples].
func (c clock) ticks() mux.Ticks {
	const num, den = 5, 1568 // mux.ClockRate : clockRate
	return mux.Ticks((c*num + den/2) / den)
}
