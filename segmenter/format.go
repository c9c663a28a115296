package segmenter

import (
	"hash/crc32"
	"slices"
	"strconv"

	"headwater/mux"
)

// layout is which tracks of a program go into the segments: the reference
// track, which decides the cuts, and the first audio track beside it
// (hls-rules C03, C18). Timed ID3 rides along. It is immutable.
type layout struct {
	program *mux.Program
	ref     int   // index of the track that decides the cuts
	audio   int   // index of the audio track, -1 if none; equal to ref if audio only
	tracks  []int // in the order of the PMT to write: video, audio, ID3
}

// newLayout selects from the tracks of p that have been seen. ref is -1 if
// there is nothing to cut yet.
func newLayout(p *mux.Program, seen func(track int) bool) layout {
	l := layout{program: p, ref: -1, audio: -1}
	for i := range p.Tracks {
		switch c := p.Tracks[i].Codec; {
		case !seen(i):
		case c.Video() && l.ref < 0:
			l.ref = i
		case c.Audio() && l.audio < 0:
			l.audio = i
		}
	}
	if l.ref < 0 {
		l.ref = l.audio
	}
	if l.ref >= 0 {
		l.tracks = append(l.tracks, l.ref)
	}
	if l.audio >= 0 && l.audio != l.ref {
		l.tracks = append(l.tracks, l.audio)
	}
	for i := range p.Tracks {
		if p.Tracks[i].Codec == mux.CodecID3 {
			l.tracks = append(l.tracks, i)
		}
	}
	return l
}

// has reports whether units of the track go into the segments.
func (l *layout) has(track int) bool {
	for _, t := range l.tracks {
		if t == track {
			return true
		}
	}
	return false
}

// packed reports whether the audio can be served as packed audio, and under which suffix.
func (l *layout) packed() (suffix string, ok bool) {
	if l.audio < 0 {
		return "", false
	}
	switch l.program.Tracks[l.audio].Codec {
	case mux.CodecAAC:
		return ".aac", true
	case mux.CodecMP3:
		return ".mp3", true
	}
	return "", false
}

// framed reports whether the audio comes as frames.
func (l *layout) framed() bool {
	_, ok := l.packed()
	return ok
}

// seenTracks remembers which tracks of a program have sent something.
type seenTracks map[mux.PID]bool

func (s seenTracks) in(p *mux.Program) func(int) bool {
	return func(i int) bool { return s[p.Tracks[i].PID] }
}

// presence knows which declared tracks are really there, within one connection.
// A track that was there before is waited for; one that sends nothing for five
// seconds is not there: players would wait for it without end.
type presence struct {
	seen    seenTracks
	started bool
	first   mux.Ticks  // DTS of the first unit
	declare bool       // all that is declared is waited for, not only what was there before
	missing bool       // a track that is waited for has not sent yet
	given   bool       // up: those that are missing will not come
	knew    seenTracks // tracks whose parameters have been known
}

// forgot reports whether the parameters of a track were known and are not any
// more: the first header of another format has come.
func (t *presence) forgot(l *layout) bool {
	forgot := false
	for _, i := range l.tracks {
		track := &l.program.Tracks[i]
		if track.Parameters.Known() {
			t.knew[track.PID] = true
		} else if t.knew[track.PID] {
			delete(t.knew, track.PID)
			forgot = true
		}
	}
	return forgot
}

// unknown reports whether the parameters of an audio or video track are not known yet.
func (t *presence) unknown(l *layout) bool {
	return slices.ContainsFunc(l.shapes(), func(s trackShape) bool { return s.Config == "" })
}

// present returns which tracks of p are there. before is the format in force.
func (t *presence) present(p *mux.Program, before []trackShape) func(int) bool {
	there := make([]bool, len(p.Tracks))
	t.missing = false
	for i := range p.Tracks {
		pid := p.Tracks[i].PID
		there[i] = t.seen[pid]
		expected := slices.ContainsFunc(before, func(s trackShape) bool { return s.PID == pid }) ||
			t.declare && (p.Tracks[i].Codec.Video() || p.Tracks[i].Codec.Audio())
		if !there[i] && expected && !t.given {
			there[i], t.missing = true, true
		}
	}
	return func(i int) bool { return there[i] }
}

// trackShape is what of a track must stay equal between two segments that
// follow each other without a DISCONTINUITY (hls-rules A27).
type trackShape struct {
	PID    mux.PID `json:"pid"`
	Type   uint8   `json:"type"`
	Config string  `json:"config,omitempty"` // checksum of the decoder configuration, empty if not known yet
}

// shapes returns the shape of every audio and video track of the layout.
func (l *layout) shapes() []trackShape {
	var s []trackShape
	for _, i := range l.tracks {
		t := &l.program.Tracks[i]
		if !t.Codec.Video() && !t.Codec.Audio() {
			continue
		}
		shape := trackShape{PID: t.PID, Type: t.StreamType}
		if t.Parameters.Known() {
			sum := crc32.Checksum([]byte(t.Parameters.Config+"/"+t.Parameters.CodecString), castagnoli)
			shape.Config = strconv.FormatUint(uint64(sum), 16)
		}
		s = append(s, shape)
	}
	return s
}

// sameShapes reports whether b can follow a without a DISCONTINUITY. What is
// not known yet differs from nothing.
func sameShapes(a, b []trackShape) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].PID != b[i].PID || a[i].Type != b[i].Type {
			return false
		}
		if a[i].Config != b[i].Config && a[i].Config != "" && b[i].Config != "" {
			return false
		}
	}
	return true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)
