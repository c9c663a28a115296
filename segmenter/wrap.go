package segmenter

import (
	"headwater/mux"
	"headwater/mux/ts"
)

// maxGroup is how long the audio frames of one PES packet may last together.
// Each PES packet carries a PCR, so that these are never 100 ms apart (hls-rules C07).
const maxGroup = pcrEvery

// wrapper makes PES units of raw audio frames. It lives as long as the stream,
// so that continuity counters run on.
type wrapper struct {
	muxer  *ts.AudioMuxer
	typ    uint8       // stream_type that muxer was made for
	unit   *mux.Unit   // the first unit of the group
	group  []mux.Frame // with epoch times, for timestamps on the wire are epoch time modulo 2^33
	length mux.Ticks
	most   int // frames in the last group

	told  uint64 // slot in which the title was told last, for the continuous outputs
	heard mark   // that title
	cc    uint8  // continuity_counter of the next packet with one
}

// wrap takes one unit of raw audio.
func (s *Segmenter) wrap(u *mux.Unit) {
	w := &s.wrapper
	length := s.length(u)
	if len(w.group) > 0 && (w.length+length > maxGroup || w.unit.Program != u.Program) {
		s.flushWrapper()
	}
	if len(w.group) == 0 {
		w.unit, w.group = u, make([]mux.Frame, 0, max(w.most, len(u.Frames)))
	}
	w.group = appendFrames(w.group, u.Frames, s.clock.shift)
	w.length += length
}

// flushWrapper makes a PES unit of the frames that wait, for the current slot
// and the continuous outputs.
func (s *Segmenter) flushWrapper() {
	w := &s.wrapper
	if len(w.group) == 0 {
		return
	}
	group, first := w.group, w.unit
	w.group, w.length, w.unit, w.most = nil, 0, nil, len(group)
	track := first.Program.Tracks[first.Track]
	if w.muxer == nil || w.typ != track.StreamType {
		m, err := ts.NewAudioMuxer(track)
		if err != nil {
			s.stats.dropped += uint64(len(group))
			return
		}
		w.muxer, w.typ = m, track.StreamType
	}
	packets, err := w.muxer.Write(group)
	if err != nil {
		s.stats.dropped += uint64(len(group))
		return
	}
	s.tell(group, first)
	u := &mux.Unit{
		Program: s.titles.carries(first.Program).program, Track: first.Track, Seq: first.Seq,
		PTS: group[0].PTS, DTS: group[0].PTS, Access: mux.AccessRandom,
		PCR: group[0].PTS - pcrLead, HasPCR: true,
		Packets: packets, Frames: group,
	}
	for _, p := range packets {
		u.Size += len(p)
	}
	s.out.Units = append(s.out.Units, u)
	if o := s.slots.current; o != nil {
		o.add(u)
	}
}

// tell gives the continuous outputs the titles that begin in a group of frames
// and, once in a slot, the one in force, for those that have joined since.
// Segments have units of their own for that: these are no function of the slot.
func (s *Segmenter) tell(group []mux.Frame, first *mux.Unit) {
	w, c := &s.wrapper, s.titles.carries(first.Program)
	if c.track < 0 {
		return
	}
	for _, m := range s.titles.between(group[0].PTS, group[len(group)-1].PTS+1) {
		again := s.slots.current != nil && w.told != s.slots.current.n
		if m.title == w.heard.title && w.heard.at > 0 && !again {
			continue
		}
		if w.heard = m; again {
			w.told = s.slots.current.n
		}
		tag := m.tag()
		p := ts.AppendTag(nil, c.program.Tracks[c.track].PID, w.cc, m.at, tag, ts.TagPackets(tag))
		w.cc += uint8(len(p) / mux.PacketSize)
		s.out.Units = append(s.out.Units, &mux.Unit{
			Program: c.program, Track: c.track, Seq: first.Seq, PTS: m.at, DTS: m.at,
			Packets: [][]byte{p}, Size: len(p),
		})
	}
}
