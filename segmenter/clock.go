package segmenter

import (
	"time"

	"headwater/mux"
)

// Limits of the clock, in source time unless said otherwise.
const (
	jumpAhead = 10 * mux.ClockRate // a larger step of DTS forward is a reset, unless as much time has passed (hls-rules C16)
	jumpBack  = 1 * mux.ClockRate  // so is a larger step backward
	// joinError is how far a source may lie from where the record puts it at
	// its first unit and still be on the record's clock. After a restart drift
	// of the encoder's clock adds up, and that is seen only then.
	joinError = 60 * mux.ClockRate
	// overlap is how far a source that continues may reach back into what was
	// placed: the length of the last picture is only an estimate.
	overlap = mux.ClockRate / 10
	// contiguous is how far arrival may lie from the end of the old clock for a
	// reset inside a connection to follow on without a hole. It is far above
	// any jitter, so that two origins decide alike.
	contiguous = 2 * mux.ClockRate
	// rawResume is the longest silence of a source without timestamps that is
	// taken for jitter (hls-rules C30).
	rawResume = mux.ClockRate / 2
	// followLag is how far the time of the media may stay behind that of its
	// arrival by sources that follow each other without a hole.
	followLag = 10 * mux.ClockRate
)

// clock maps the source's times to epoch times. It is fed by the reference
// track and forgets nothing that was given out: epoch times never run back.
type clock struct {
	latency mux.Ticks // how old media is when it arrives

	mapped bool      // shift is valid for the current connection
	shift  mux.Ticks // epoch time - source time
	newest mux.Ticks // DTS of the last reference unit, source time
	fresh  bool      // no reference unit since Attach
	// follows: the source has taken the place of another one, and has sent no
	// reference unit yet.
	follows bool

	end     mux.Ticks // epoch end of the media placed so far, 0 if none
	lead    mux.Ticks // epoch time - arrival time of the last unit
	known   bool      // lead was measured in this process
	arrived time.Time // of the last reference unit
}

// attach forgets the source's time line: a new connection begins.
func (c *clock) attach() { c.mapped, c.fresh, c.follows = false, true, false }

// Epoch returns the epoch time of t, a time of the source, and whether that is
// known: it is not before the first cut.
func (s *Segmenter) Epoch(t mux.Ticks) (mux.Ticks, bool) { return s.clock.epoch(t), s.clock.mapped }

// epoch returns t as epoch time.
func (c *clock) epoch(t mux.Ticks) mux.Ticks { return t + c.shift }

// now returns the epoch time that a unit arriving at the instant would have on
// a clock that runs on as it did.
func (c *clock) now(at time.Time) mux.Ticks {
	if c.known {
		return mux.FromTime(at) + c.lead
	}
	return mux.FromTime(at) - c.latency
}

// jumped reports whether a reference unit does not follow its predecessor:
// its clock was set anew, or at least ten seconds are missing.
func (c *clock) jumped(u *mux.Unit) bool {
	step := u.DTS - c.newest
	return !c.fresh && (step > jumpAhead || step < -jumpBack)
}

// saw notes a reference unit that was mapped.
func (c *clock) saw(u *mux.Unit, length mux.Ticks, at time.Time) {
	c.fresh, c.follows, c.newest = false, false, u.DTS
	e := c.epoch(u.DTS)
	c.lead, c.known, c.arrived = e-mux.FromTime(at), true, at
	c.end = max(c.end, c.epoch(u.PTS)+length)
}

// resume reports whether a unit whose clock is in doubt lies where offset puts
// it, and maps the clock so if it does: not before what was placed already, and
// not far from where the wall clock expects it.
func (c *clock) resume(u *mux.Unit, offset mux.Ticks, at time.Time) bool {
	want := c.now(at)
	e := want.Nearest(u.PTS + offset)
	limit := mux.Ticks(jumpAhead)
	if !c.known {
		limit = joinError
	}
	if e > want+limit || e < want-joinError || c.end > 0 && e < c.end-overlap {
		return false
	}
	c.mapped, c.shift = true, e-u.PTS
	return true
}

// restart maps the clock anew at u and returns the epoch time that u gets: the
// end of the old clock if time has just run on, else the time of arrival.
func (c *clock) restart(u *mux.Unit, at time.Time) mux.Ticks {
	arrival := mux.FromTime(at) - c.latency
	e := arrival - arrival%(mux.ClockRate/1000)
	switch {
	case c.end == 0:
	case !c.fresh && abs(c.now(at)-c.end) <= contiguous, c.joins(at), e < c.end:
		e = c.end
	}
	c.mapped, c.shift = true, e-u.PTS
	return e
}

// restartRaw maps a connection without timestamps: right behind what came
// before if it resumes at once, else at its arrival.
func (c *clock) restartRaw(u *mux.Unit, at time.Time) {
	e := mux.FromTime(at) - c.latency
	if c.end > 0 && (e < c.end+rawResume || c.joins(at)) {
		e = c.end
	}
	c.mapped, c.shift = true, e-u.PTS
}

// joins reports whether a source that follows another one does so at once.
func (c *clock) joins(at time.Time) bool {
	return c.follows && abs(c.now(at)-c.end) <= contiguous && mux.FromTime(at)-c.latency-c.end <= followLag
}

// abs returns the distance of t from 0.
func abs(t mux.Ticks) mux.Ticks {
	if t < 0 {
		return -t
	}
	return t
}
