package segmenter

import (
	"fmt"
	"time"

	"headwater/mux"
)

// Segmenter cuts one stream. It is not safe for concurrent use.
type Segmenter struct {
	cfg      Config
	registry Registry
	record   Record
	at       *Point // of the record: the one that this process is at; nil before the first
	unstored bool   // record could not be stored; tried again at the next change and in Advance

	clock   clock
	measure *measurement // nil once the record has a target duration
	tracks  presence
	layout  layout // of the newest program

	slots   slots
	next    uint64    // the lowest number that is free; 0 if none was ever used
	joined  uint64    // the slot in which the source was joined: its head is missing (hls-rules H.4)
	joining bool      // no reference random access point yet in this process
	holed   bool      // reference media may be missing since the last cut
	changed bool      // the format is another than that of the last point
	run     uint64    // the slot before which there is nothing to be continued
	media   uint64    // the newest slot that was opened for media
	ended   mux.Ticks // epoch end of the newest slot that was closed, 0 if none
	stalled uint64    // the slot behind the one that the clock has closed, 0 if none
	whole   bool      // no media is missing since that one
	keys    keys      // of the reference track
	behind  lateness
	ahead   waiting // units and frames of other tracks, newer than the reference track
	wrapper wrapper // makes TS of raw audio
	titles  titles
	align   Alignment // of the streams that this one is to be like

	uncut *mux.Program // what the source sends, if that cannot be cut; else nil

	dead           bool
	gaps           int               // slots filled by the clock since the last unit
	suffix         map[string]string // of the newest segment of each rendition
	shown, sounded mux.Ticks         // epoch ends of the newest segments of main and audio
	now            time.Time
	out            Output
	notes          []string
	stats          counters
}

type counters struct{ late, dropped, forced uint64 }

// New returns a segmenter that goes on from the record in registry, or starts
// one. last is the newest slot that was ever published under it, nil if none.
func New(cfg Config, registry Registry, last *Slot) (*Segmenter, error) {
	record, err := registry.Load()
	if err != nil {
		return nil, fmt.Errorf("load the stream's record: %w", err)
	}
	s := &Segmenter{
		cfg: cfg.withDefaults(), registry: registry, record: record,
		suffix:  map[string]string{RenditionMain: ".ts"},
		joining: true, layout: layout{ref: -1, audio: -1},
	}
	if p := record.last(); p != nil {
		s.adopt(p)
	}
	s.clock.latency = mux.FromDuration(s.cfg.Latency)
	if last != nil {
		s.next = last.Sequence + 1
		s.clock.end, s.ended, s.shown = last.End, last.End, last.End
		for _, seg := range last.Segments {
			s.suffix[seg.Rendition] = seg.Suffix
			if seg.Rendition == RenditionAudio {
				s.sounded = seg.End
			}
		}
	}
	if s.record.Target == 0 {
		s.measure = &measurement{}
	} else if want := mux.FromDuration(s.cfg.TargetDuration); s.record.GOP <= want && s.record.Target != want {
		s.note(fmt.Sprintf("segments stay %.4g s: a playlist's target duration never changes; for segments of %.4g s give the stream another name, or delete its data",
			s.record.Target.Duration().Seconds(), s.cfg.TargetDuration.Seconds()))
	}
	s.Attach(time.Time{})
	return s, nil
}

// Attach tells that a source has connected: its clock is unrelated to earlier
// ones until its first units show that it runs on.
func (s *Segmenter) Attach(time.Time) {
	s.clock.attach()
	for _, o := range s.slots.open {
		o.sort()
	}
	s.ahead.clear()
	s.holed = true
	s.tracks = presence{seen: seenTracks{}, knew: seenTracks{}}
	if s.measure != nil {
		*s.measure = measurement{seen: s.tracks.seen}
	}
}

// Detach tells that the source has gone. What it left is closed by [Segmenter.Advance].
func (s *Segmenter) Detach(time.Time) {
	s.releaseAll()
	s.flushWrapper()
}

// Write takes units in the order of the demuxer. at is when they arrived.
func (s *Segmenter) Write(units []*mux.Unit, at time.Time) {
	s.now = at
	for _, u := range units {
		if s.passes(u) {
			continue
		}
		if len(u.Packets) > 0 {
			s.out.Units = append(s.out.Units, u)
		}
		if s.measure == nil {
			s.take(arrival{u, at})
			continue
		}
		if s.measure.add(arrival{u, at}) {
			s.decide()
		}
	}
}

// decide ends the measurement and cuts what it held back.
func (s *Segmenter) decide() {
	queue := s.measure.queue
	next, notes := s.measure.decide(s.cfg, s.record)
	next.Revision++
	if next.Gen == 0 {
		next.Gen = uint64(s.now.Unix())
	}
	s.propose(next)
	s.measure = nil
	s.notes = append(s.notes, notes...)
	if p := s.record.last(); p != nil { // a peer measured faster and has begun
		s.adopt(p)
	}
	for _, a := range queue {
		s.take(a)
	}
}

// propose stores next and goes on with the record in force: next, or a peer's.
func (s *Segmenter) propose(next Record) {
	got, err := s.registry.Propose(next)
	if err == nil && got.Revision+1 < next.Revision { // changes before this one were not stored: it holds them all
		next.Revision = got.Revision + 1
		got, err = s.registry.Propose(next)
	}
	s.unstored = err != nil || got.Revision < next.Revision // the record was taken away
	if s.unstored {
		got = next
	}
	s.record = got
}

// take cuts one unit.
func (s *Segmenter) take(a arrival) {
	if !s.choose(a.unit) || a.unit.Untimed {
		return
	}
	if a.unit.Track == s.layout.ref {
		s.reference(a)
	} else {
		s.other(a)
	}
	s.finish(false)
}

// choose keeps the layout in step with the program and reports whether the
// unit's track goes into the segments.
func (s *Segmenter) choose(u *mux.Unit) bool {
	t := &s.tracks
	pid := u.Program.Tracks[u.Track].PID
	switch {
	case s.layout.program != u.Program || !t.seen[pid]:
		t.seen[pid] = true
	case t.missing && !u.Untimed && u.DTS-t.first > measureSilent:
		t.given = true
	default:
		return s.layout.has(u.Track)
	}
	if !t.started && !u.Untimed {
		t.started, t.first = true, u.DTS
	}
	s.arrange(u.Program)
	return s.layout.has(u.Track)
}

// arrange makes the layout of program p and finds out whether the format is
// still that of the point that this process is at.
func (s *Segmenter) arrange(p *mux.Program) {
	var before []trackShape
	if s.at != nil {
		before = s.at.Tracks
	}
	s.layout = newLayout(p, s.tracks.present(p, before))
	for _, i := range s.layout.tracks {
		s.note(p.Tracks[i].AppleNote())
	}
	switch {
	case before == nil:
	case s.tracks.forgot(&s.layout): // a new format has begun; what it is will be known soon
		s.releaseAll()
		s.changed = true
	default:
		s.changed = s.changed && s.tracks.unknown(&s.layout) || !sameShapes(before, s.layout.shapes())
	}
}

// reference takes a unit of the track that decides the cuts.
func (s *Segmenter) reference(a arrival) {
	u := a.unit
	start, length, old := s.canStart(u), s.length(u), s.grid()
	var begun *Point
	if jumped := s.clock.jumped(u); !s.clock.mapped || jumped {
		if jumped {
			s.releaseAll()
			s.clock.mapped = false
		}
		if !start {
			s.stats.dropped++
			return
		}
		begun = s.locate(a)
	} else if u.DTS-s.clock.newest > 2*length+s.record.Frame {
		s.holed, s.whole = true, false
	}
	e, d := s.clock.epoch(u.PTS), s.clock.epoch(u.DTS)
	if start && begun == nil && (s.changed || s.clock.follows) {
		s.dropBefore(e)
		begun = s.begin(a, e, s.at.Offset, true)
	} else if start && begun == nil {
		begun = s.catchUp(a, e)
	}
	switch {
	case begun != nil:
		s.breakAt(begun, e, old)
	case start:
		s.randomAccess(a, e)
	default:
		s.force(u)
	}
	if start {
		s.keys.saw(u, e)
	}
	s.clock.saw(u, length, a.at)
	s.titles.saw(u, s.clock.shift)
	s.place(u, s.clock.epoch(u.PTS)+length)
	s.replay()
	s.release(d)
	s.dead, s.gaps = false, 0
}

// canStart reports whether a segment may begin at the unit.
func (s *Segmenter) canStart(u *mux.Unit) bool {
	return u.Access == mux.AccessRandom || u.Access == mux.AccessRecovery && s.record.Recovery
}

// length returns how long a reference unit lasts.
func (s *Segmenter) length(u *mux.Unit) mux.Ticks {
	if n := len(u.Frames); n > 0 {
		f := u.Frames[n-1]
		return f.PTS - u.PTS + mux.FromSamples(int64(f.Samples), f.Rate)
	}
	if s.record.Frame > 0 {
		return s.record.Frame
	}
	if step := u.DTS - s.clock.newest; s.clock.mapped && step > 0 && step < mux.ClockRate {
		return step // pictures have come to a stream that had none
	}
	return mux.ClockRate / 25
}

// place puts a reference unit into the current slot. end is the epoch end of its media.
func (s *Segmenter) place(u *mux.Unit, end mux.Ticks) {
	raw := len(u.Packets) == 0
	if raw {
		s.wrap(u)
	}
	o := s.slots.current
	if o == nil {
		return
	}
	if o.bytes >= s.cfg.MaxSegmentBytes {
		s.stats.dropped++
		o.dirty = true
		return
	}
	if !raw {
		o.add(u)
	}
	o.media = max(o.media, end)
	if s.layout.ref == s.layout.audio {
		o.frames = appendFrames(o.frames, u.Frames, s.clock.shift)
	}
}

// locate finds the epoch time of a unit whose clock is in doubt. It returns nil
// if the source goes on where the record puts it, else the point of the record
// at which it begins.
func (s *Segmenter) locate(a arrival) *Point {
	u, last := a.unit, s.record.last()
	s.holed, s.whole = true, false
	if u.Program.Timing == mux.TimingSamples {
		s.clock.end = max(s.clock.end, s.ended)
		s.clock.restartRaw(u, a.at)
		if last == nil {
			return s.begin(a, s.clock.epoch(u.PTS), 0, false)
		}
		return nil
	}
	if last != nil && !s.clock.follows && s.clock.resume(u, last.Offset, a.at) {
		if s.clock.epoch(u.PTS) == last.Start && last.First >= s.next {
			return s.adopt(last) // the very unit at which a peer began
		}
		if s.at.Offset != last.Offset {
			s.adopt(last)
		}
		return nil
	}
	s.clock.end = max(s.clock.end, s.ended) // not before gaps that were published
	if !s.borrow(u, a.at) {
		s.clock.restart(u, a.at)
	}
	e := s.clock.epoch(u.PTS)
	return s.begin(a, e, (e-u.PTS)&(mux.Wrap-1), last != nil)
}

// begin adds a point to the record at epoch time e of the unit: a clock or a
// format that starts there. A peer may have written it first; then that is
// adopted (hls-rules H18).
func (s *Segmenter) begin(a arrival, e, offset mux.Ticks, discontinuity bool) *Point {
	raw := a.unit.PTS & (mux.Wrap - 1)
	for {
		if p := s.record.last(); p != nil && p.Raw == raw && p.First >= s.next {
			if p.Offset != offset {
				s.clock.resume(a.unit, p.Offset, a.at)
			}
			return s.adopt(p)
		}
		next := s.record.with(s.point(a.unit, e, offset, discontinuity))
		if next.Gen == 0 {
			next.Gen = uint64(a.at.Unix())
		}
		s.propose(next)
	}
}

// adopt makes a point of the record the one that this process is at.
func (s *Segmenter) adopt(p *Point) *Point {
	at := *p
	s.at, s.changed = &at, false
	return s.at
}

// point describes a break of the timeline at epoch time e of the unit.
func (s *Segmenter) point(u *mux.Unit, e, offset mux.Ticks, discontinuity bool) Point {
	p := Point{Start: e, Raw: u.PTS & (mux.Wrap - 1), Offset: offset, Tracks: s.layout.shapes()}
	g := s.grid()
	p.DSN, g.base = s.align.DSN, s.align.Base
	if last := s.record.last(); last != nil { // numbers used up stay so: else there would be too few for what is missing (hls-rules A50)
		p.DSN, g.base = last.DSN, last.Base
	}
	natural := g.slot(e)
	p.First = max(natural, s.next)
	if s.ended > 0 && e < s.ended+max(s.record.Frame, 1) { // nothing is missing: numbers that a process used up, but did not publish, are free
		p.First = s.next
	}
	p.Base = g.base + int64(p.First) - int64(natural)
	if discontinuity {
		p.DSN++
	}
	return p
}

// grid returns the grid at the point that this process is at.
func (s *Segmenter) grid() grid {
	g := grid{target: s.record.Target, slack: max(s.record.Frame/2, 1)}
	if s.at != nil {
		g.base = s.at.Base
	}
	return g
}

// Take returns what became ready since the last call. The slices are the caller's.
func (s *Segmenter) Take() Output {
	out := s.out
	s.out = Output{}
	return out
}
