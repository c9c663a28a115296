package origin

import (
	"bytes"
	"slices"
	"time"

	"headwater/mux"
)

// Standby is the second way into a stream: for the source that is heard while
// the main one is away, or has brought no media for StreamConfig.FallbackAfter.
// The switch, either way, is at a unit where a decoder can begin; nothing is
// missing there, players see one DISCONTINUITY, and listeners stay (hls-rules
// F22, A27). It is safe for concurrent use.
type Standby struct{ stream *Stream }

// Standby returns the stream's second way in.
func (s *Stream) Standby() Standby { return Standby{s} }

// Attach gives the standby to a source, as [Stream.Attach] gives the stream.
func (b Standby) Attach(info mux.SourceInfo, now time.Time) (mux.Feed, error) {
	return b.stream.attach(sideStandby, info, now)
}

// soundHead is how many bytes of a frame tell what it is.
const soundHead = 16

// Sound returns the first 16 bytes of the newest MP3 or AAC frame that the main
// source has brought, or of one that is stored, or nothing: what a standby has
// to be like for all players to go on with it.
func (s *Stream) Sound() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sound
}

// listen remembers what the main source sounds like. The caller holds s.mu.
func (s *Stream) listen(units []*mux.Unit) {
	for _, u := range slices.Backward(units) {
		if len(u.Frames) == 0 || u.Track != firstFramed(u.Program) {
			continue
		}
		head := u.Frames[0].Data
		if h := u.Program.Headers; h != nil { // pages differ from each other by their numbers
			head = h[:min(len(h), len("OggS"))]
		}
		if head = head[:min(len(head), soundHead)]; !bytes.Equal(head, s.sound) {
			s.sound = bytes.Clone(head) // who has it keeps it, and no block
		}
		return
	}
}

// turn puts on air the source that should be. The caller holds s.mu.
func (s *Stream) turn(now time.Time) {
	was := s.relay.air
	m, ok := s.relay.decide(now)
	if !ok {
		return
	}
	if m.to != was {
		s.emitTurn(was, m.to, now)
	}
	for _, t := range s.taps {
		t.part(now)
	}
	if m.to == sideNone {
		s.seg.Detach(now)
		s.absent = now
		return
	}
	before := s.seg.Status().Program
	if m.follows {
		s.seg.Follow(now)
	} else {
		s.seg.Attach(now)
	}
	s.titles.attach(m.follows, m.to == sideStandby)
	s.collect(now) // what the other source has left goes before the break
	s.out.part()
	if m.follows {
		if !s.titles.waiting() {
			s.relay.ways[m.to].announce(m.units)
		}
		s.log.Info("another source is on air", "side", m.to.String(), "source", s.feeds[m.to].info.ID)
		s.compare(before, m.units)
	}
	for _, h := range m.units {
		at := h.due
		if at.Before(s.fed) { // time does not run back
			at = s.fed
		}
		s.pass([]*mux.Unit{h.unit}, at)
	}
}

// compare says so if players cannot go on from the sound of one program to that
// of units: HLS can.
func (s *Stream) compare(before *mux.Program, units []heldUnit) {
	if before == nil || len(units) == 0 {
		return
	}
	after := units[0].unit.Program
	a, b := firstFramed(before), firstFramed(after)
	if a >= 0 && (b < 0 || before.Tracks[a].Codec != after.Tracks[b].Codec) {
		s.log.Warn("listeners of continuous sound are sent away: what is on air now is coded otherwise; use one codec for a stream and its fallback",
			"tracks", before.Tracks[a].Codec.String())
	}
}

// pass gives units of the source that is on air to all that is made of them.
// The caller holds s.mu.
func (s *Stream) pass(units []*mux.Unit, now time.Time) {
	units = s.titles.stamp(units, now)
	for _, u := range units {
		if u.Title != nil {
			s.relay.announced(u.Title)
			s.emitTitle(u.Title, now)
		}
	}
	s.seg.Write(units, now)
	s.out.hear(units, now)
	s.titles.date(s.seg.Epoch)
	for _, t := range s.taps {
		t.pour(units, s.titles.said, now)
	}
	s.fed = now
}
