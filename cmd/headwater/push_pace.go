package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// jump is the step in the media's time that is taken for a new clock: no
// encoder leaves so much between two pictures.
const jump = 5 * time.Second

// pacer waits until media is due.
type pacer struct {
	speed float64 // times real time; 0 does not wait

	started bool
	epoch   time.Time     // when the media's origin was due
	origin  time.Duration // on the media's clock
	last    time.Duration // newest time seen
	media   time.Duration // let through so far, without jumps
	due     time.Time     // when the newest piece was
}

// start makes the next piece due at once and those after it relative to that.
func (p *pacer) start(speed float64) { p.speed, p.started = speed, false }

// wait waits until what is due at the media's time at may be sent. It reports
// false if ctx ended.
func (p *pacer) wait(ctx context.Context, at time.Duration) bool {
	now := time.Now()
	if !p.started {
		p.started, p.epoch, p.origin, p.last, p.due = true, now, at, at, now
	}
	step := at - p.last
	if step > jump || step < -jump { // go on as if nothing had happened
		p.origin += step
		step = 0
	}
	p.media += max(0, step)
	p.last = at
	if p.speed == 0 {
		p.due = now
		return ctx.Err() == nil
	}
	p.due = p.epoch.Add(time.Duration(float64(at-p.origin) / p.speed))
	pause := p.due.Sub(now)
	if pause <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// ahead returns how much earlier than due the newest piece was sent, if that
// was now; negative if it was late.
func (p *pacer) ahead(now time.Time) time.Duration {
	if !p.started {
		return 0
	}
	return p.due.Sub(now)
}

// sentMedia is what a push has sent.
type sentMedia struct {
	bytes int64
	media time.Duration
	ahead time.Duration // of real time; negative if the network is too slow
}

// progressEvery is how often the progress line is written anew.
const progressEvery = 500 * time.Millisecond

// progress is one line on a terminal that says how far a push has come, and
// nothing elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
	shown    time.Time // when the line was written last
	bytes    int64     // sent then
}

func newProgress(w io.Writer, quiet bool) *progress {
	return &progress{w: w, terminal: !quiet && isTerminal(w)}
}

// show writes the line, unless that was done a moment ago.
func (p *progress) show(sent *sentMedia) {
	now := time.Now()
	since := now.Sub(p.shown)
	if !p.terminal || since < progressEvery {
		return
	}
	rate := ""
	if !p.shown.IsZero() {
		rate = fmt.Sprintf("%.2f Mbit/s", float64(sent.bytes-p.bytes)*8/since.Seconds()/1e6)
	}
	p.shown, p.bytes = now, sent.bytes
	fmt.Fprintf(p.w, "\r\x1b[K%s  %s", progressText(sent), rate)
}

// progressText returns what the line says but for the rate.
func progressText(sent *sentMedia) string {
	s := int(sent.media / time.Second)
	text := fmt.Sprintf("%02d:%02d:%02d sent, %.1f MB", s/3600, s/60%60, s%60, float64(sent.bytes)/1e6)
	if behind := -sent.ahead; behind > 200*time.Millisecond {
		text += fmt.Sprintf(", %.1f s behind: the network or the server is too slow", behind.Seconds())
	} else {
		text += ", in time"
	}
	return text
}

// say writes a line of its own.
func (p *progress) say(format string, args ...any) {
	if p.terminal {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	fmt.Fprintf(p.w, format+"\n", args...)
	p.shown = time.Time{}
}

// end writes the line for the last time and leaves it standing.
func (p *progress) end(sent *sentMedia) {
	if p.terminal {
		fmt.Fprintf(p.w, "\r\x1b[K%s\n", progressText(sent))
	}
}
