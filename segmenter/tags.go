package segmenter

import (
	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/ts"
)

// tagRun is how many packets the tags of a segment take, modulo 16: a title of
// usual length fits. So the continuity_counter of each segment follows from its
// number, as those of PAT and PMT do, and goes on from segment to segment.
const tagRun = 2

// tags are the titles of a transport stream segment, in packets.
type tags struct {
	program *mux.Program // for the PMT
	tracks  []int        // of program, in the order of the PMT
	pid     mux.PID
	start   mux.Ticks // of the sound, epoch time
	marks   []mark    // that are not in the segment yet
	packets [][]byte
}

// tags returns the titles of a slot. Raw audio has a track for them from the
// beginning; a program that comes with a PMT gets one when the first title is
// known. Timed ID3 that the source sends is left alone.
func (s *Segmenter) tags(seg *Segment, o *openSlot) *tags {
	t := &tags{program: o.layout.program, tracks: o.layout.tracks}
	c := s.titles.carries(o.layout.program)
	if c.track < 0 {
		return t
	}
	first, last := o.span()
	t.start, t.marks = first, s.titles.between(first, last+1)
	if len(t.marks) == 0 && t.program.PMT != nil {
		return t
	}
	t.program, t.tracks = c.program, append(t.tracks[:len(t.tracks):len(t.tracks)], c.track)
	t.pid = c.program.Tracks[c.track].PID
	t.pack(seg, o, s.titles.told)
	s.titles.told = len(t.marks) > 0
	return t
}

// pack makes the packets of the marks: one PES packet for each, of which the
// last is spread over so many that the counter of the next segment is right.
// told is whether the segment before had tags; where it had none the counter
// may jump.
func (t *tags) pack(seg *Segment, o *openSlot, told bool) {
	cc := uint8(seg.Sequence * tagRun & 15)
	packets := 0
	for i := range t.marks {
		m := &t.marks[i]
		tag := m.tag()
		n := ts.TagPackets(tag)
		if packets += n; i == len(t.marks)-1 {
			n += (tagRun - packets) & 15
		}
		var b []byte
		if i == 0 && (seg.Discontinuity || !told) { // hls-rules C08
			b = ts.AppendDiscontinuity(b, t.pid, cc-1)
		}
		t.packets = append(t.packets, ts.AppendTag(b, t.pid, cc, m.at-o.shift, tag, n))
		cc += uint8(n)
	}
}

// due returns the packets of the tags that are due at epoch time at, a slice
// for each.
func (t *tags) due(at mux.Ticks) [][]byte {
	n := 0
	for n < len(t.marks) && t.marks[n].at <= at {
		n++
	}
	p := t.packets[:n]
	t.marks, t.packets = t.marks[n:], t.packets[n:]
	return p
}

// sound returns the index of the track whose times titles are told by: that of
// the audio or, without, the reference track.
func (o *openSlot) sound() int {
	if o.layout.audio < 0 {
		return o.layout.ref
	}
	return o.layout.audio
}

// span returns the epoch times of the first and the last of the slot's sound:
// those of its start if there is none.
func (o *openSlot) span() (first, last mux.Ticks) {
	sound, found := o.sound(), false
	for _, u := range o.units {
		if u.Track != sound {
			continue
		}
		from, to := o.epoch(u.PTS), o.reaches(u)
		if !found {
			first, last, found = from, to, true
		}
		first, last = min(first, from), max(last, to)
	}
	if !found {
		return o.start, o.start
	}
	return first, last
}

// epoch returns the epoch time of a timestamp in the slot.
func (o *openSlot) epoch(t mux.Ticks) mux.Ticks { return o.start.Nearest(t + o.shift) }

// reaches returns the epoch time of the last frame in a unit of the slot.
func (o *openSlot) reaches(u *mux.Unit) mux.Ticks {
	if n := len(u.Frames); n > 0 {
		return o.epoch(u.Frames[n-1].PTS)
	}
	return o.epoch(u.PTS)
}

// buildPacked fills in the bytes of a packed audio segment: a tag with the time
// of the first sample and the title in force there, then whole frames, with a
// tag where the title changes (hls-rules C21-C23, C38; RFC 8216 §3.4). What is
// built on ffmpeg takes such a tag for part of the frame behind it, and leaves
// that one out; browsers and VLC pass over it.
func buildPacked(seg *Segment, o *openSlot, marks []mark) {
	first := o.frames[0].PTS
	var title *mux.Title
	if len(marks) > 0 && marks[0].at <= first {
		title, marks = &marks[0].title, marks[1:]
	}
	data := [][]byte{audio.AppendHeadTag(nil, (first-o.shift)&(mux.Wrap-1), title)}
	for _, f := range o.frames {
		for len(marks) > 0 && marks[0].at <= f.PTS {
			data = append(data, marks[0].tag())
			marks = marks[1:]
		}
		data = join(data, f.Data)
	}
	seg.finish(data)
}
