package segmenter_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
	"headwater/mux/id3"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
	"headwater/segmenter"
)

// told is a title and the time from which a segment plays it, or the end of the
// sound that stands before it.
type told struct {
	at    mux.Ticks // 33 bits
	title mux.Title
}

// titlesTS returns the titles in a transport stream segment, and reads all of
// its packets: the counters go on from cc.
func titlesTS(t *testing.T, b []byte, cc map[mux.PID]uint8) []told {
	t.Helper()
	var list []told
	var pes []byte
	next := func() {
		if pes == nil {
			return
		}
		if !bytes.HasPrefix(pes, []byte{0, 0, 1, 0xbd}) || pes[6]&4 == 0 || pes[7] != 0x80 || int(pes[4])<<8|int(pes[5]) != len(pes)-6 {
			t.Errorf("PES packet of %d bytes begins with %x", len(pes), pes[:9])
		}
		title, _ := id3.Parse(pes[14:])
		if n := id3.Size(pes[14:]); n != len(pes)-14 {
			t.Errorf("a tag of %d bytes in %d", n, len(pes)-14)
		}
		at := mux.Ticks(pes[9]&0xe)<<29 | mux.Ticks(pes[10])<<22 | mux.Ticks(pes[11]&0xfe)<<14 | mux.Ticks(pes[12])<<7 | mux.Ticks(pes[13]>>1)
		list, pes = append(list, told{at, title}), nil
	}
	for i := 0; i < len(b); i += mux.PacketSize {
		p := b[i : i+mux.PacketSize]
		pid := mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2])
		at := 4
		jump := false
		if p[3]&0x20 != 0 {
			at += 1 + int(p[4])
			jump = p[4] > 0 && p[5]&0x80 != 0
		}
		now := ts.Continuity(p)
		if last, ok := cc[pid]; ok && !jump && now != (last+p[3]>>4&1)&15 {
			t.Errorf("packet %d of PID 0x%04x: continuity_counter %d after %d", i/mux.PacketSize, pid, now, last)
		}
		cc[pid] = now
		if pid != muxtest.TitlePID || p[3]&0x10 == 0 {
			continue
		}
		if p[1]&0x40 != 0 {
			next()
			pes = []byte{}
		}
		pes = append(pes, p[at:]...)
	}
	next()
	return list
}

// titlesPacked returns the titles in a packed audio segment, each with the time
// of the frame behind its tag, and how many frames there are.
func titlesPacked(t *testing.T, b []byte) (list []told, frames int64) {
	t.Helper()
	at, size, err := audio.ParseTimestampTag(b)
	if err != nil {
		t.Fatal(err)
	}
	if title, ok := id3.Parse(b); ok {
		list = append(list, told{at, title})
	}
	var samples int64
	start := at
	for b = b[size:]; len(b) > 0; {
		h, err := codec.ParseADTS(b)
		if m, no := codec.ParseMPEGAudio(b); err != nil && no == nil {
			h.Size, h.Samples, h.SampleRate, err = m.Size, m.Samples, m.SampleRate, nil
		}
		if err == nil {
			samples += int64(h.Samples)
			frames++
			b = b[h.Size:]
			at = start + mux.FromSamples(samples, h.SampleRate)
			continue
		}
		title, _ := id3.Parse(b)
		size := id3.Size(b)
		if size == 0 {
			t.Fatalf("neither a frame nor a tag: %x", b[:10])
		}
		list = append(list, told{at, title})
		b = b[size:]
	}
	return list, frames
}

// want returns which titles a segment of o that lasts from start to end tells.
// first is the time at which the first media of the stream lies.
func want(cues []cue, first, start, end mux.Ticks) []told {
	var list []told
	for _, c := range cues {
		switch at := first + mux.FromDuration(c.at); {
		case at <= start:
			list = append(list[:0], told{start, c.title})
		case at < end:
			list = append(list, told{at, c.title})
		}
	}
	return list
}

// near reports whether got are the titles of want, at most a frame later.
func near(got, want []told, frame mux.Ticks) bool {
	return slices.EqualFunc(got, want, func(g, w told) bool {
		d := (g.at - w.at) & (mux.Wrap - 1)
		return g.title == w.title && (d <= frame || d >= mux.Wrap-2)
	})
}

var someCues = []cue{
	{13 * time.Second, mux.Title{Artist: "Björk", Name: "Jóga"}},
	{31*time.Second + 777*time.Millisecond, mux.Title{Name: "News", URL: "http://example.org/"}},
	{33 * time.Second, mux.Title{Name: "Weather"}},
	{34 * time.Second, mux.Title{Name: strings.Repeat("long ", 150) + "end"}},
	{67 * time.Second, mux.Title{Artist: "A", Name: "N"}},
}

// Each segment begins with the title in force, and says at the sample where
// another begins, in both renditions (hls-rules C34-C36, C38). Counters go on.
func TestTitles(t *testing.T) {
	lag := muxtest.AV()
	lag.AudioLag = mux.ClockRate / 3
	wrap := muxtest.AV()
	wrap.Start, wrap.BFrames = mux.Wrap-30*mux.ClockRate, 2
	grouped := muxtest.Audio(mux.CodecMP3)
	grouped.FramesPerPES = 4
	for _, tt := range []struct {
		name   string
		stream muxtest.Stream
		frame  mux.Ticks // the longest that a title can be late: a PES packet
	}{
		{"raw MP3", muxtest.RawAudio(mux.CodecMP3), 2160},
		{"raw AAC", muxtest.RawAudio(mux.CodecAAC), 1920},
		{"video and AAC", muxtest.AV(), 1920},
		{"audio late in the file", lag, 1920},
		{"over the wrap of the clock", wrap, 1920},
		{"a transport stream of MP3", grouped, 4 * 2160},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.cues = someCues
			o.feed(tt.stream, 0, 100*time.Second, nil)
			checkRun(t, o)
			cc := map[mux.PID]uint8{}
			tagged := 0
			for _, slot := range o.slots {
				main, packed := slot.Segments[0], slot.Segments[1]
				first := mux.FromTime(noon) // of the media, epoch time
				if n := len(want(someCues, first, packed.Start, packed.End)); n > 0 {
					tagged++
				}
				wire := func(list []told) []told { // on the clock of the stream
					for i := range list {
						list[i].at += wireShift(t, packed)
					}
					return list
				}
				expected := wire(want(someCues, first, packed.Start, packed.End))
				if got := titlesTS(t, data(main), cc); !near(got, expected, tt.frame) {
					t.Errorf("segment %d of main: %v, want %v", main.Sequence, got, expected)
				}
				if got, _ := titlesPacked(t, data(packed)); !near(got, expected, tt.frame) {
					t.Errorf("segment %d of audio: %v, want %v", main.Sequence, got, expected)
				}
			}
			if tagged < 12 {
				t.Errorf("%d segments with titles\n%v", tagged, o)
			}
		})
	}
}

// wireShift returns the time on the wire of a packed audio segment - epoch time.
func wireShift(t *testing.T, seg *segmenter.Segment) mux.Ticks {
	t.Helper()
	at, _, err := audio.ParseTimestampTag(data(seg))
	if err != nil {
		t.Fatal(err)
	}
	return at - seg.Start
}

// What stands behind PAT and PMT in each segment is the title.
func TestTitleIsFirst(t *testing.T) {
	for _, stream := range []muxtest.Stream{muxtest.AV(), muxtest.RawAudio(mux.CodecMP3)} {
		o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
		o.cues = []cue{{0, mux.Title{Name: "N"}}}
		o.feed(stream, 0, 40*time.Second, nil)
		for i, seg := range o.rendition(segmenter.RenditionMain) {
			third := data(seg)[2*mux.PacketSize:]
			if i == 0 { // where the counter begins
				third = third[mux.PacketSize:]
			}
			if third[1]&0x5f != 0x41 || third[2] != 2 {
				t.Errorf("packet 2 of segment %d is %x", i, third[:4])
			}
		}
	}
}

// Without titles nothing is other than it was; raw audio announces a track for
// them from the beginning, other streams do once there is one (hls-rules C34).
func TestTitlesAreAnnounced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream muxtest.Stream
		raw    bool
	}{
		{"raw audio", muxtest.RawAudio(mux.CodecAAC), true},
		{"video and audio", muxtest.AV(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plain := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			plain.feed(tt.stream, 0, 60*time.Second, nil)
			with := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			with.cues = []cue{{31 * time.Second, mux.Title{Name: "N"}}}
			with.feed(tt.stream, 0, 60*time.Second, nil)
			marked := noon.Add(31 * time.Second)
			for i, slot := range with.slots {
				for r, seg := range slot.Segments {
					same := bytes.Equal(data(seg), data(plain.slots[i].Segments[r]))
					if titled := seg.End.Time().After(marked); same == titled {
						t.Errorf("segment %d of %s is as without titles: %v", seg.Sequence, seg.Rendition, same)
					}
				}
			}
			for _, o := range []*origin{plain, with} {
				for _, seg := range o.rendition(segmenter.RenditionMain) {
					want := tt.raw || o == with && seg.End.Time().After(marked)
					if got := bytes.Contains(data(seg)[:2*mux.PacketSize], []byte("\x15\xe1\x02\xf0\x0f\x26")); got != want {
						t.Errorf("segment %d announces timed ID3: %v, want %v", seg.Sequence, got, want)
					}
				}
			}
		})
	}
}

// Timed ID3 that a source sends is left alone, and the titles go where there is none.
func TestTitlesOfASourceWithID3(t *testing.T) {
	stream := muxtest.AV()
	p := *muxtest.NewProgram(stream)
	p.Tracks = append(slices.Clone(p.Tracks), mux.Track{PID: 0x1ff, StreamType: 0x15, Codec: mux.CodecID3})
	p.PMT = ts.BuildPMT(&p, []int{0, 1, 2}, p.PCRPID)
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	for _, u := range stream.UnitsFor(40 * mux.ClockRate) {
		v := *u
		v.Program = &p
		if v.Track == 1 {
			v.Title = &mux.Title{Name: "N"}
		}
		o.pass(noon.Add((u.DTS - 10*mux.ClockRate).Duration()))
		o.Write([]*mux.Unit{&v}, o.now)
		o.collect()
	}
	for _, slot := range o.slots {
		if got := titlesTS(t, data(slot.Segments[0]), map[mux.PID]uint8{}); len(got) > 0 {
			t.Errorf("segment %d: %v", slot.Sequence, got)
		}
		if got, _ := titlesPacked(t, data(slot.Segments[1])); len(got) != 1 {
			t.Errorf("segment %d of audio: %v, want one title", slot.Sequence, got)
		}
	}
	if len(o.slots) < 4 {
		t.Errorf("%d slots", len(o.slots))
	}
}

// The track is on a PID that the program does not use.
func TestTitlePIDIsFree(t *testing.T) {
	stream := muxtest.AV()
	p := *muxtest.NewProgram(stream)
	p.Tracks = append(slices.Clone(p.Tracks), mux.Track{PID: 0x102, StreamType: 6, Codec: mux.CodecData})
	p.PMT, p.PMTPID = ts.BuildPMT(&p, []int{0, 1, 2}, p.PCRPID), 0x103
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	for _, u := range stream.UnitsFor(40 * mux.ClockRate) {
		v := *u
		v.Program = &p
		if v.Track == 1 {
			v.Title = &mux.Title{Name: "N"}
		}
		o.pass(noon.Add((u.DTS - 10*mux.ClockRate).Duration()))
		o.Write([]*mux.Unit{&v}, o.now)
		o.collect()
	}
	for _, seg := range o.rendition(segmenter.RenditionMain) {
		if !bytes.Contains(data(seg)[mux.PacketSize:2*mux.PacketSize], []byte("\x15\xe1\x04\xf0\x0f\x26")) {
			t.Errorf("segment %d does not announce timed ID3 on PID 0x104", seg.Sequence)
		}
	}
}

// Two processes that see the same units with the same titles make the same
// segments, whenever these arrive (hls-rules H07, H26).
func TestTwinTitles(t *testing.T) {
	for _, stream := range []muxtest.Stream{muxtest.AV(), muxtest.RawAudio(mux.CodecMP3)} {
		stream.AudioLag = mux.ClockRate / 5
		for seed := range uint64(5) {
			random := rand.New(rand.NewPCG(seed, 3))
			jitter := func() time.Duration { return time.Duration(random.IntN(400)) * time.Millisecond }
			if stream.Raw {
				jitter = nil // raw audio is dated by its arrival
			}
			registries := [2]segmenter.Registry{&segmenter.MemoryRegistry{}, &segmenter.MemoryRegistry{}}
			if !stream.Raw { // whose packets go on from the first that a process made
				registries[1] = registries[0]
			}
			a, b := newOrigin(t, segmenter.Config{}, registries[0], nil), newOrigin(t, segmenter.Config{}, registries[1], nil)
			a.cues, b.cues = someCues, someCues
			for at := time.Duration(0); at < 90*time.Second; at += 5 * time.Second {
				a.feed(stream, at, at+5*time.Second, jitter)
				b.feed(stream, at, at+5*time.Second, jitter)
			}
			sameSegments(t, a, b, 11)
			if t.Failed() {
				t.Fatalf("seed %d\na:\n%v\nb:\n%v", seed, a, b)
			}
		}
	}
}

// The title stays over a change of format, a gap and a new source, and is told
// at the start of what follows (hls-rules A27, C28).
func TestTitleOutlastsItsSource(t *testing.T) {
	a, b := muxtest.RawAudio(mux.CodecAAC), muxtest.RawAudio(mux.CodecMP3)
	for _, away := range []time.Duration{0, 20 * time.Second} {
		o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
		o.cues = []cue{{8 * time.Second, mux.Title{Name: "N"}}}
		o.feed(a, 0, 20*time.Second, nil)
		o.Detach(o.now)
		o.pass(noon.Add(20*time.Second + away))
		o.Attach(o.now)
		o.cues = nil
		o.feed(b, 0, 30*time.Second, func() time.Duration { return 20*time.Second + away })
		checkRun(t, o)
		if _, disc := o.counts(); disc != 1 {
			t.Errorf("away %v: %d discontinuities, want 1\n%v", away, disc, o)
		}
		for i, slot := range o.slots {
			main := slot.Segments[0]
			if main.Gap || i == 0 {
				continue
			}
			if got := titlesTS(t, data(main), map[mux.PID]uint8{}); len(got) == 0 || got[len(got)-1].title.Name != "N" {
				t.Errorf("away %v: segment %d tells %v", away, main.Sequence, got)
			}
		}
	}
}
