// Package muxtest builds small streams in code, for tests: H.264 video with
// AAC or MP3 sound in MPEG transport streams, or raw audio. What is built is
// real: players decode it (a grey picture and silence). A test knows each
// picture and frame that it put in.
//
// A [Stream] describes; its iterators are endless, so that a day of media can
// be fed in seconds. Nothing here reads a clock.
package muxtest

import (
	"iter"

	"headwater/mux"
)

// Stream describes what a source sends. The zero value of a field means its
// default; a zero Stream holds no track, so start with [AV] or [Audio].
type Stream struct {
	// Video is CodecH264, or CodecUnknown for none.
	Video        mux.Codec
	FrameRateNum int64 // pictures a second as a fraction; default 25/1
	FrameRateDen int64
	Width        int // of the picture, multiples of 16; default 64x64
	Height       int
	GOP          int  // pictures from one keyframe to the next; default 50; negative: only the first is one
	BFrames      int  // B pictures between references; default none
	OpenGOP      bool // keyframes after the first are I pictures with a recovery point and leading B pictures
	NoIDR        bool // the first picture is a P picture too: never a place to start
	NoAUD        bool
	// ParameterSetsOnce leaves SPS and PPS out after the first keyframe.
	ParameterSetsOnce bool
	VideoBytes        int  // least size of a P or B picture; keyframes are 4 times that
	VideoLength       bool // PES_packet_length of video is written, not 0

	// Audio is CodecAAC or CodecMP3, or CodecUnknown for none.
	Audio        mux.Codec
	SampleRate   int // default 48000
	Channels     int // 1 or 2; default 2
	BitRate      int // bits a second; default 128000 for MP3 (one of the standard's), 64000 for AAC
	FramesPerPES int // default 1
	Language     string

	// Raw sends the frames of Audio without a transport stream.
	Raw bool

	// Start is the presentation time of the first picture or frame, modulo
	// 2^33; default 10 s. The first DTS is one picture earlier if there are B pictures.
	Start mux.Ticks
	// AudioLag is how much later than its time the audio stands in the file.
	AudioLag mux.Ticks
	// PSIEvery is the distance of PAT and PMT; default 100 ms, and before each
	// keyframe; negative: only at the start.
	PSIEvery mux.Ticks
	// PCREvery is the least distance of PCRs, which stand in packets of the
	// first track; default 0: in each unit; negative: none.
	PCREvery mux.Ticks

	// Resets are the times, in media time from the start and rising, at which
	// the source starts anew: at the first keyframe or audio PES at or after
	// At its clock becomes To.
	Resets []Reset
	// Gaps are spans of media time that were not sent; timestamps go on.
	Gaps []Gap
	// Lose tells whether the nth TS packet (from 0) gets lost on its way. Nil: none.
	Lose func(n int64) bool
}

// Reset is a restart of the source. See [Stream].
type Reset struct{ At, To mux.Ticks }

// Gap is media that was not sent, from From up to before To. See [Stream].
type Gap struct{ From, To mux.Ticks }

// AV returns a stream of H.264 at 25 pictures a second, a keyframe each 2 s,
// and AAC at 48 kHz stereo.
func AV() Stream { return Stream{Video: mux.CodecH264, Audio: mux.CodecAAC} }

// Audio returns a transport stream of AAC or MP3 at 48 kHz stereo only.
func Audio(c mux.Codec) Stream { return Stream{Audio: c} }

// RawAudio returns a bare stream of AAC or MP3 frames at 48 kHz stereo.
func RawAudio(c mux.Codec) Stream { return Stream{Audio: c, Raw: true} }

// PIDs that streams use.
const (
	PMTPID   mux.PID = 0x1000
	VideoPID mux.PID = 0x100
	AudioPID mux.PID = 0x101 // 0x100 if there is no video
	TitlePID mux.PID = 0x102 // timed ID3, of which a stream sends none
)

// withDefaults returns s with each default filled in.
func (s Stream) withDefaults() Stream {
	set(&s.FrameRateDen, 1)
	if s.FrameRateNum == 0 {
		s.FrameRateNum, s.FrameRateDen = 25, 1
	}
	set(&s.Width, 64)
	set(&s.Height, 64)
	set(&s.GOP, 50)
	set(&s.SampleRate, 48000)
	set(&s.Channels, 2)
	set(&s.FramesPerPES, 1)
	set(&s.Start, 10*mux.ClockRate)
	set(&s.PSIEvery, mux.ClockRate/10)
	if s.Audio == mux.CodecMP3 {
		set(&s.BitRate, 128000)
	}
	set(&s.BitRate, 64000)
	if s.Raw {
		s.Video, s.FramesPerPES = mux.CodecUnknown, 1
	}
	return s
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Chunk is a piece of the source's bytes: one unit, with what goes before it.
type Chunk struct {
	Time mux.Ticks // media time from the start at which a live source sends it
	Data []byte    // the caller's
	Sample
}

// Chunks yields the bytes of the stream in file order, without end. Packets
// that Lose names are left out; a chunk may be empty then.
func (s Stream) Chunks() iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		w := newWriter(s.withDefaults())
		for {
			x := w.next()
			if !yield(Chunk{Time: x.Time, Data: w.bytes(&x), Sample: x}) {
				return
			}
		}
	}
}

// Units yields what a demuxer makes of the stream, but in file order and as if
// nothing was lost, without end. It does not read bytes, and is fast. All units have the
// same Program, whose parameters are known from the first on.
func (s Stream) Units() iter.Seq[*mux.Unit] {
	return func(yield func(*mux.Unit) bool) {
		w := newWriter(s.withDefaults())
		for {
			x := w.next()
			if !yield(w.unit(&x)) {
				return
			}
		}
	}
}

// Samples yields what is in the stream, in file order, without end.
func (s Stream) Samples() iter.Seq[Sample] {
	return func(yield func(Sample) bool) {
		t := newTimeline(s.withDefaults())
		for yield(t.next()) {
		}
	}
}

// Bytes returns the first d of the stream: all chunks whose Time is less.
func (s Stream) Bytes(d mux.Ticks) []byte {
	var b []byte
	for c := range s.Chunks() {
		if c.Time >= d {
			break
		}
		b = append(b, c.Data...)
	}
	return b
}

// UnitsFor returns the units whose samples have a Time less than d.
func (s Stream) UnitsFor(d mux.Ticks) []*mux.Unit {
	var units []*mux.Unit
	w := newWriter(s.withDefaults())
	for x := w.next(); x.Time < d; x = w.next() {
		units = append(units, w.unit(&x))
	}
	return units
}
