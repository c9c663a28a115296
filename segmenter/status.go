package segmenter

import (
	"maps"
	"slices"

	"headwater/mux"
)

// Status describes a stream. It is a value; what it points to is immutable.
type Status struct {
	Phase   Phase
	Record  Record
	Program *mux.Program // the newest; nil before the first unit
	Tracks  []mux.Track  // those of Program that go into the segments: video first, then audio
	Uncut   string       // see [Segmenter.Uncut]
	Notes   []string     // plain sentences for the log and the API: "segments are 8 s because …"
	Late    uint64       // units that came too late for their segment
	Dropped uint64       // units that could not be placed
	Forced  uint64       // cuts without a keyframe (hls-rules A20)
}

// Phase is how far a stream has come.
type Phase uint8

// The phases of a stream.
const (
	PhaseWaiting   Phase = iota // no media yet
	PhaseMeasuring              // units arrive; the keyframe interval is being measured
	PhaseLive                   // slots are being closed
	PhaseDead                   // the source has been gone for longer than gaps may last
)

// Phase returns how far the stream has come.
func (s *Segmenter) Phase() Phase {
	switch {
	case s.dead:
		return PhaseDead
	case s.measure != nil && s.measure.started:
		return PhaseMeasuring
	case s.next > 0:
		return PhaseLive
	}
	return PhaseWaiting
}

// Notes returns the notes of the status from the nth on. They are only added to.
func (s *Segmenter) Notes(n int) []string { return slices.Clone(s.notes[n:]) }

// Status returns the state of the stream as the segmenter sees it.
func (s *Segmenter) Status() Status {
	st := Status{
		Phase: s.Phase(), Record: s.record, Program: s.layout.program, Notes: slices.Clone(s.notes),
		Late: s.stats.late, Dropped: s.stats.dropped, Forced: s.stats.forced,
	}
	for _, i := range s.layout.tracks {
		st.Tracks = append(st.Tracks, s.layout.program.Tracks[i])
	}
	if st.Phase == PhaseMeasuring {
		st.Program = s.measure.queue[len(s.measure.queue)-1].unit.Program
	}
	if s.uncut != nil {
		st.Program, st.Tracks, st.Uncut = s.uncut, nil, s.Uncut()
	}
	return st
}

// note adds a sentence to the status once.
func (s *Segmenter) note(text string) {
	if text != "" && !slices.Contains(s.notes, text) {
		s.notes = append(s.notes, text)
	}
}

// SetBandwidth fixes what the multivariant playlist says about each rendition
// and returns what is in force: b, or what a peer has fixed before.
func (s *Segmenter) SetBandwidth(b map[string]Bandwidth) map[string]Bandwidth {
	for range 2 { // the first may lose against a change of a peer's that has no bandwidth
		next := s.record
		next.Revision++
		next.Bandwidth = map[string]Bandwidth{}
		maps.Copy(next.Bandwidth, b)
		maps.Copy(next.Bandwidth, s.record.Bandwidth)
		if len(next.Bandwidth) == len(s.record.Bandwidth) {
			break
		}
		s.propose(next)
	}
	return s.record.Bandwidth
}
