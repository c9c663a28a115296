package ingest

import (
	"context"
	"log/slog"
	"math"
	"time"

	"headwater/mux"
)

const (
	// maxLag is how much of what a source lacks it may make up for later.
	maxLag = 30 * time.Second
	// drift is how much faster than ours the clock of an encoder may run, as one
	// part in so many: it must never be held, for it would have to drop something.
	drift = 2000
	// paceSpan is how long the speed of a source is measured.
	paceSpan = 10 * time.Second
	// slow is the speed below which listeners hear gaps, once the sound is late
	// by more than their players have in store.
	slow  = 0.95
	store = 2 * time.Second
)

// pace compares the sound that has come, counted by its samples, with the
// clock. A source that sends faster than it plays is read as fast as it plays:
// then TCP has it wait, and a file that is sent at once becomes a broadcast.
// Media with timestamps of its own is never held.
type pace struct {
	begun bool
	base  time.Time // when the media at 0 was due
	seen  time.Time // when sound came last
	end   mux.Ticks // of the sound so far, on the source's clock

	held   time.Duration // in the present span
	marked time.Time     // when that began
	mark   mux.Ticks     // end then
	state  paceState     // as told
}

type paceState uint8

const (
	paceRight paceState = iota
	paceFast
	paceSlow
)

// saw notes units that came now.
func (p *pace) saw(units []*mux.Unit, now time.Time) {
	u := units[len(units)-1]
	if u.Program.Timing != mux.TimingSamples || len(u.Frames) == 0 {
		return
	}
	f := u.Frames[len(u.Frames)-1]
	end := f.PTS + mux.FromSamples(int64(f.Samples), f.Rate)
	if !p.begun {
		p.begun, p.base = true, now.Add(-units[0].PTS.Duration())
		p.seen, p.marked, p.mark = now, now, end
	}
	switch lead := p.lead(now); {
	case lead > 0:
		p.base = p.base.Add(-min(now.Sub(p.seen)/drift, lead))
	case lead < -maxLag:
		p.base = p.base.Add(-maxLag - lead)
	}
	p.seen, p.end = now, end
}

// lead returns how far the sound is ahead of the clock; negative: behind.
func (p *pace) lead(now time.Time) time.Duration {
	if !p.begun {
		return 0
	}
	return p.end.Duration() - now.Sub(p.base)
}

// hold waits while the source is further ahead than most, or until ctx ends. It
// reports whether it has waited. A negative most is no limit.
func (p *pace) hold(ctx context.Context, most time.Duration, now time.Time) bool {
	wait := p.lead(now) - most
	if wait <= 0 || most < 0 {
		return false
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	p.held += wait
	return true
}

// tell logs it once when a source begins to send faster or slower than it plays,
// and when it keeps time again.
func (p *pace) tell(log *slog.Logger, now time.Time) {
	span := now.Sub(p.marked)
	if !p.begun || span < paceSpan {
		return
	}
	speed := float64((p.end - p.mark).Duration()) / float64(span)
	state := paceRight
	switch {
	case p.held > span/2:
		state = paceFast
	case speed < slow && p.lead(now) < -store:
		state = paceSlow
	}
	was := p.state
	p.held, p.marked, p.mark, p.state = 0, now, p.end, state
	if state == was {
		return
	}
	attrs := []any{"lead", p.lead(now).Round(time.Millisecond)}
	switch state {
	case paceFast:
		log.Info("source sends faster than it plays, so it has to wait", attrs...)
	case paceSlow:
		log.Warn("source sends slower than it plays, listeners hear gaps", append(attrs, "speed", math.Round(speed*100)/100)...)
	default:
		log.Info("source keeps time again", attrs...)
	}
}
