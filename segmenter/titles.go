package segmenter

import (
	"slices"

	"headwater/mux"
	"headwater/mux/id3"
)

// maxMarks bounds the changes of title that wait for their segments. Of more
// the newest replaces the last.
const maxMarks = 1024

// mark is the place from which a title is played.
type mark struct {
	at    mux.Ticks // epoch time
	title mux.Title
}

// titles is what is played when, by the times of the units that say so, never
// by their arrival. The title in force outlasts gaps, resets and sources: only
// another one ends it. A process that is started again does not know it until
// the next unit with a title.
type titles struct {
	marks   []mark // in the order of their times; the first may be in force already
	told    bool   // the newest segment with media had tags
	carrier carrier
}

// saw notes the title that begins with a unit. shift is epoch time - source time.
func (t *titles) saw(u *mux.Unit, shift mux.Ticks) {
	if u.Title == nil {
		return
	}
	m := mark{at: u.PTS + shift, title: *u.Title}
	if len(u.Frames) > 0 { // the first one may have begun in the PES packet before
		m.at = u.Frames[0].PTS + shift
	}
	i := len(t.marks)
	for i > 0 && t.marks[i-1].at > m.at {
		i--
	}
	switch {
	case i > 0 && t.marks[i-1].title == m.title:
	case i > 0 && t.marks[i-1].at == m.at:
		t.marks[i-1] = m
	case len(t.marks) == maxMarks:
		t.marks[maxMarks-1] = m
	default:
		t.marks = slices.Insert(t.marks, i, m)
	}
}

// between returns the title in force at epoch time start, with that time, and
// the changes behind it and before end.
func (t *titles) between(start, end mux.Ticks) []mark {
	var list []mark
	for _, m := range t.marks {
		switch {
		case m.at <= start:
			list = append(list[:0], mark{start, m.title})
		case m.at < end:
			list = append(list, m)
		}
	}
	return list
}

// forget drops the titles that were over at epoch time t0.
func (t *titles) forget(t0 mux.Ticks) {
	n := 0
	for n+1 < len(t.marks) && t.marks[n+1].at <= t0 {
		n++
	}
	t.marks = t.marks[:copy(t.marks, t.marks[n:])]
}

// tag returns the ID3 tag of a title.
func (m *mark) tag() []byte { return id3.Append(nil, id3.AppendTitle(nil, m.title)) }

// carrier is a program with a track of timed ID3 for titles.
type carrier struct {
	source  *mux.Program // as the source sends it
	program *mux.Program // with one track more; source if that has timed ID3 of its own
	track   int          // the index of the track, -1 if the source has its own
}

// titlePID is that of the track, or the next that is free (hls-rules C36).
const titlePID mux.PID = 0x102

// streamTypeID3 is that of timed ID3 (hls-rules C34).
const streamTypeID3 = 0x15

// carries returns the carrier for titles beside p. It is the same for the same p.
func (t *titles) carries(p *mux.Program) *carrier {
	if t.carrier.source == p {
		return &t.carrier
	}
	t.carrier = carrier{source: p, program: p, track: -1}
	taken := map[mux.PID]bool{p.PMTPID: true, p.PCRPID: true}
	for i := range p.Tracks {
		if p.Tracks[i].Codec == mux.CodecID3 {
			return &t.carrier
		}
		taken[p.Tracks[i].PID] = true
	}
	track := mux.Track{PID: titlePID, StreamType: streamTypeID3, Codec: mux.CodecID3}
	for taken[track.PID] {
		track.PID++
	}
	with := *p
	with.Tracks = append(slices.Clone(p.Tracks), track)
	t.carrier.program, t.carrier.track = &with, len(p.Tracks)
	return &t.carrier
}
