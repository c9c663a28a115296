package segmenter

import (
	"fmt"
	"time"

	"headwater/mux"
)

// Bounds of the measurement before a stream's first playlist, in media time.
const (
	measureGOPs   = 3                   // hls-rules A20
	measureSilent = 5 * mux.ClockRate   // a declared track without a unit for this long is not there
	measureLimit  = 60 * mux.ClockRate  // without keyframes for this long there are none
	measureBytes  = 64 << 20            // held back at most
	maxSkew       = 5 * mux.ClockRate   // audio later than this is lost, not late
	minFrame      = mux.ClockRate / 300 // pictures nearer than this are fields or faults
)

// arrival is a unit and when it came.
type arrival struct {
	unit *mux.Unit
	at   time.Time
}

// measurement holds the first units of a stream back until the distance of
// its keyframes is known, for the target duration may never change afterwards
// (hls-rules A13, A20, H15).
type measurement struct {
	queue []arrival
	bytes int
	seen  seenTracks

	first, last mux.Ticks   // DTS of the first and newest unit of any track
	started     bool        // first is valid
	dts         mux.Ticks   // DTS of the newest video unit
	random      []mux.Ticks // PTS of the units with AccessRandom
	starts      []mux.Ticks // PTS of those and of the recovery points
	frame       mux.Ticks   // shortest distance of two pictures, 0 if not known
	skew        mux.Ticks   // furthest that a unit of another track lay behind the video
}

// add takes a unit and reports whether enough is known.
func (m *measurement) add(a arrival) bool {
	u := a.unit
	m.queue = append(m.queue, a)
	m.bytes += u.Size
	m.seen[u.Program.Tracks[u.Track].PID] = true
	if u.Untimed {
		return m.bytes > measureBytes
	}
	if !m.started || u.DTS < m.last-jumpAhead || u.DTS > m.last+jumpAhead { // a reset: what came before tells nothing
		m.started, m.first, m.last, m.dts = true, u.DTS, u.DTS, u.DTS
		m.random, m.starts = nil, nil
	}
	m.last = max(m.last, u.DTS)
	switch c := u.Program.Tracks[u.Track].Codec; {
	case c.Video():
		m.video(u)
	case c.Audio() && len(m.starts) > 0:
		m.skew = max(m.skew, min(m.dts-u.PTS, maxSkew))
	}
	return m.done(u.Program)
}

func (m *measurement) video(u *mux.Unit) {
	if step := u.DTS - m.dts; step >= minFrame && (m.frame == 0 || step < m.frame) {
		m.frame = step
	}
	m.dts = u.DTS
	switch u.Access {
	case mux.AccessRandom:
		m.random = append(m.random, u.PTS)
		m.starts = append(m.starts, u.PTS)
	case mux.AccessRecovery:
		m.starts = append(m.starts, u.PTS)
	}
}

// done reports whether what was seen is enough to fix the target duration.
func (m *measurement) done(p *mux.Program) bool {
	span := m.last - m.first
	if span > measureLimit || m.bytes > measureBytes {
		return true
	}
	video, audio := false, false // declared, but not seen
	for i := range p.Tracks {
		t := &p.Tracks[i]
		video = video || t.Codec.Video() && !m.seen[t.PID]
		audio = audio || t.Codec.Audio() && !m.seen[t.PID]
	}
	l := newLayout(p, m.seen.in(p))
	if l.ref < 0 || (video && l.ref == l.audio || audio && l.audio < 0) && span < measureSilent {
		return false
	}
	if !p.Tracks[l.ref].Codec.Video() {
		return true
	}
	if len(m.random) > measureGOPs {
		return true
	}
	return len(m.starts) > measureGOPs && m.useRecovery()
}

// useRecovery reports whether IDRs are so rare that segments have to start at
// recovery points: none came within two keyframe intervals (hls-rules C11).
func (m *measurement) useRecovery() bool {
	if len(m.starts) < 2 {
		return false
	}
	idr := m.first
	if n := len(m.random); n > 0 {
		idr = m.random[n-1]
	}
	every, _ := longest(m.starts)
	apart, _ := longest(m.random)
	return max(apart, m.dts-idr) > 2*every
}

// longest returns the longest step in times, and whether all are equal within a tick of rounding.
func longest(times []mux.Ticks) (gop mux.Ticks, regular bool) {
	if len(times) < 2 {
		return 0, false
	}
	shortest := times[1] - times[0]
	for i := 1; i < len(times); i++ {
		step := times[i] - times[i-1]
		gop, shortest = max(gop, step), min(shortest, step)
	}
	return gop, gop-shortest <= 2
}

// decide fixes what the record says about cutting, from what was measured and
// what is configured. The notes say in plain words what the operator should know.
func (m *measurement) decide(cfg Config, rec Record) (Record, []string) {
	var notes []string
	target := mux.FromDuration(cfg.TargetDuration)
	rec.Target, rec.TargetDuration = target, seconds(target)
	rec.Skew = mux.FromDuration(cfg.MaxSkew)
	if m.skew > rec.Skew {
		rec.Skew = min(m.skew*3/2, maxSkew)
		notes = append(notes, fmt.Sprintf("the source sends audio %.1f s after the video it belongs to; segments are published that much later", m.skew.Duration().Seconds()))
	}
	p := m.queue[len(m.queue)-1].unit.Program
	l := newLayout(p, m.seen.in(p))
	if l.ref < 0 || !p.Tracks[l.ref].Codec.Video() {
		return rec, notes
	}
	rec.Frame = m.frame
	times := m.random
	if rec.Recovery = m.useRecovery(); rec.Recovery {
		times = m.starts
	}
	if rec.Recovery && p.Tracks[l.ref].Codec != mux.CodecMPEG2Video { // which has no IDR pictures: every decoder starts at an I picture
		notes = append(notes, "the source sends too few IDR pictures; segments start at recovery points, where some players show a broken picture for a moment")
	}
	gop, regular := longest(times)
	if gop == 0 {
		rec.GOP = target
		return rec, append(notes, fmt.Sprintf("the source sends no keyframe within %d s; players cannot start there: set the encoder's keyframe interval to 2 s", measureLimit/mux.ClockRate))
	}
	rec.GOP = gop
	if gop > target {
		rec.Target = gop
		if !regular {
			rec.Target = mux.Ticks(seconds(gop)) * mux.ClockRate
		}
		notes = append(notes, fmt.Sprintf("segments are %.4g s because the encoder sends a keyframe each %.4g s; set its keyframe interval to 2 s for segments of %.4g s",
			rec.Target.Duration().Seconds(), gop.Duration().Seconds(), target.Duration().Seconds()))
	}
	longestSegment := rec.Target + gop // hls-rules H15
	if regular {
		longestSegment = (rec.Target + gop - 1) / gop * gop
		if rest := rec.Target % gop; rest <= 2 || gop-rest <= 2 { // rounding of timestamps is no extra GOP
			longestSegment = rec.Target
		}
	}
	rec.TargetDuration = seconds(longestSegment)
	return rec, notes
}

// seconds returns t in whole seconds, rounded up, at least 1.
func seconds(t mux.Ticks) int {
	return max(1, int((t+mux.ClockRate-1)/mux.ClockRate))
}
