package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Raw audio is cut at the first frame at or after each edge of the grid, for a
// day, without drift (hls-rules C22, C25, A18), and 480 titles are told where
// they begin (hls-rules C36, C38).
func TestRawAudioForADay(t *testing.T) {
	day := 24 * time.Hour
	if testing.Short() || raceEnabled {
		day = time.Hour
	}
	stream := muxtest.RawAudio(mux.CodecMP3)
	stream.SampleRate = 44100
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	frame := mux.FromSamples(1152, 44100) + 1
	var first, end mux.Ticks
	var frames, slots int64
	var cues []cue
	for at := 2 * time.Second; at < day; at += 3 * time.Minute {
		cues = append(cues, cue{at, mux.Title{Artist: "A", Name: at.String()}})
	}
	played := -1 // the newest of cues
	i := int64(0)
	for u := range stream.Units() {
		at := mux.FromSamples(1152*i, 44100).Duration()
		if i++; at >= day {
			break
		}
		if played+1 < len(cues) && at >= cues[played+1].at {
			played++
			with := *u
			with.Title = &cues[played].title
			u = &with
		}
		o.Write([]*mux.Unit{u}, noon.Add(at))
		for _, slot := range o.Take().Slots {
			slots++
			main, audio := slot.Segments[0], slot.Segments[1]
			if slots == 1 {
				first = main.Start
			} else if edge := mux.Ticks(main.Sequence) * 6 * mux.ClockRate; main.Start < edge-1 || main.Start >= edge+frame {
				t.Fatalf("segment %d starts %d ticks after its edge", main.Sequence, main.Start-edge)
			} else if main.Start != end {
				t.Fatalf("segment %d starts at %d, the one before ended at %d", main.Sequence, main.Start, end)
			}
			end = main.End
			if audio.Start != main.Start || audio.End != main.End || audio.Gap || main.Gap {
				t.Fatalf("segment %d: audio %d-%d, main %d-%d", main.Sequence, audio.Start, audio.End, main.Start, main.End)
			}
			list, n := titlesPacked(t, data(audio))
			for k := range list {
				list[k].at = audio.Start.Nearest(list[k].at)
			}
			if want := want(cues, mux.FromTime(noon), audio.Start, audio.End); !near(list, want, frame) {
				t.Fatalf("segment %d tells %v, want %v", audio.Sequence, list, want)
			}
			frames += n
			if want := mux.FromSamples(1152*frames, 44100); end-first < want-1 || end-first > want+1 {
				t.Fatalf("after %d frames the sum of EXTINF is %d ticks, want %d", frames, end-first, want)
			}
		}
	}
	if want := int64(day/(6*time.Second)) - 2; slots < want {
		t.Errorf("%d slots, want %d", slots, want)
	}
	if got := o.Status().Record.TargetDuration; got != 6 { // hls-rules C25
		t.Errorf("target duration = %d", got)
	}
}

func TestRawAudioReconnects(t *testing.T) {
	tests := []struct {
		name  string
		away  time.Duration
		shift time.Duration // of the media after the return, from its arrival
		gaps  int
	}{
		{"at once: the samples run on", 300 * time.Millisecond, -300 * time.Millisecond, 0}, // hls-rules C30
		{"after two seconds: the clock skips", 2 * time.Second, 0, 0},
		{"after fifteen seconds: gaps, no discontinuity", 15 * time.Second, 0, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := muxtest.RawAudio(mux.CodecAAC)
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, 30*time.Second, nil)
			o.Detach(o.now)
			o.pass(noon.Add(30*time.Second + tt.away))
			o.Attach(o.now)
			o.feed(stream, 0, 40*time.Second, func() time.Duration { return 30*time.Second + tt.away })
			checkRun(t, o)
			gaps, disc := o.counts()
			if gaps < tt.gaps || gaps > tt.gaps+1 || disc != 0 {
				t.Errorf("%d gaps, %d discontinuities, want %d, 0\n%v", gaps, disc, tt.gaps, o)
			}
		})
	}
}

// A change of the sample rate begins a segment with a discontinuity (hls-rules C28, A27).
func TestFormatChange(t *testing.T) {
	a, b := muxtest.RawAudio(mux.CodecAAC), muxtest.RawAudio(mux.CodecAAC)
	b.SampleRate = 44100
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	o.feed(a, 0, 20*time.Second, nil)
	o.Detach(o.now)
	o.Attach(o.now)
	o.feed(b, 0, 20*time.Second, func() time.Duration { return 20 * time.Second })
	checkRun(t, o)
	if gaps, disc := o.counts(); gaps != 0 || disc != 1 {
		t.Errorf("%d gaps, %d discontinuities\n%v", gaps, disc, o)
	}
}

// So does a change of what only MP3 has no decoder configuration for (hls-rules A27).
func TestFormatChangeOfMP3(t *testing.T) {
	tests := []struct {
		name   string
		change func(*muxtest.Stream)
		disc   int
	}{
		{"another rate", func(s *muxtest.Stream) { s.SampleRate = 44100 }, 1},
		{"other channels", func(s *muxtest.Stream) { s.Channels = 1 }, 1},
		{"another bit rate", func(s *muxtest.Stream) { s.BitRate = 64000 }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := muxtest.RawAudio(mux.CodecMP3)
			b := a
			tt.change(&b)
			d := demux.New(demux.Options{})
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			for _, media := range [][]byte{a.Bytes(20 * mux.ClockRate), b.Bytes(20 * mux.ClockRate)} {
				for len(media) > 0 {
					n := copy(d.Buffer(), media)
					media = media[n:]
					for _, u := range d.Advance(n) {
						o.pass(noon.Add(u.PTS.Duration()))
						o.Write([]*mux.Unit{u}, o.now)
						o.collect()
					}
				}
			}
			checkRun(t, o)
			if gaps, disc := o.counts(); gaps != 0 || disc != tt.disc {
				t.Errorf("%d gaps, %d discontinuities, want 0, %d\n%v", gaps, disc, tt.disc, o)
			}
		})
	}
}

// A new format inside a connection begins its segment at its first frame, even
// though the demuxer needs some frames to tell what it is (hls-rules A27, C28).
func TestFormatChangeInsideConnection(t *testing.T) {
	a, b := muxtest.RawAudio(mux.CodecAAC), muxtest.RawAudio(mux.CodecAAC)
	b.SampleRate = 44100
	bytes := append(a.Bytes(20*mux.ClockRate), b.Bytes(20*mux.ClockRate)...)
	d := demux.New(demux.Options{})
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	frames := 0
	for len(bytes) > 0 {
		n := copy(d.Buffer()[:min(len(d.Buffer()), 997)], bytes)
		bytes = bytes[n:]
		for _, u := range d.Advance(n) {
			frames += len(u.Frames)
			o.pass(noon.Add(u.PTS.Duration()))
			o.Write([]*mux.Unit{u}, o.now)
			o.collect()
		}
	}
	checkRun(t, o)
	gaps, disc := o.counts()
	if gaps != 0 || disc != 1 || frames < 1700 {
		t.Fatalf("%d gaps, %d discontinuities, %d frames\n%v", gaps, disc, frames, o)
	}
	for _, seg := range o.rendition(segmenter.RenditionAudio) {
		want := -1
		_, size, err := audio.ParseTimestampTag(data(seg))
		if err != nil {
			t.Fatal(err)
		}
		for rest := data(seg)[size:]; len(rest) > 0; {
			h, err := codec.ParseADTS(rest)
			if err != nil {
				t.Fatal(err)
			}
			if want < 0 {
				want = h.SampleRate
			}
			if h.SampleRate != want {
				t.Fatalf("segment %d holds frames of %d and of %d Hz", seg.Sequence, want, h.SampleRate)
			}
			rest = rest[h.Size:]
		}
	}
}

// Sound that belongs into a hole does not make the segment before it longer
// than it may be, wherever the hole lies (hls-rules A12, H17).
func TestSoundAroundAHole(t *testing.T) {
	for from := 60 * time.Second; from < 66*time.Second; from += 500 * time.Millisecond {
		for length := 500 * time.Millisecond; length < 9*time.Second; length += 700 * time.Millisecond {
			stream := muxtest.AV()
			stream.BFrames, stream.AudioLag = 2, mux.ClockRate/4
			stream.Gaps = []muxtest.Gap{{From: mux.FromDuration(from), To: mux.FromDuration(from + length)}}
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, 100*time.Second, nil)
			checkRun(t, o)
			if t.Failed() {
				t.Fatalf("hole of %v at %v\n%v", length, from, o)
			}
		}
	}
}
