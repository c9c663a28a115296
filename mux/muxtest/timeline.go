package muxtest

import "headwater/mux"

// Kind says what a sample is.
type Kind uint8

// The kinds of samples. Recovery is an I picture of an open GOP.
const (
	KindAudio Kind = iota
	KindIDR
	KindRecovery
	KindP
	KindB
)

// Keyframe reports whether a decoder can start at the sample, if only roughly.
func (k Kind) Keyframe() bool { return k == KindIDR || k == KindRecovery }

// Sample is one picture, or the audio frames of one PES packet.
type Sample struct {
	Track  int // 0 is the video, if there is one
	Kind   Kind
	Number int64     // counts pictures in decoding order, or audio frames, from 0
	Frames int       // audio frames, else 0
	Time   mux.Ticks // media time from the start of the stream at which it is sent
	// PTS and DTS are unwrapped as a demuxer does it: the first unit that is
	// complete has its raw value, the others lie nearest.
	PTS, DTS mux.Ticks
	Run      int // how many resets were before

	display  int64 // place of a picture in output order, from the start of the run
	refs     int64 // reference pictures since the last IDR, itself included
	idr      int64 // display of the last IDR
	parasets bool  // SPS and PPS stand before it
	run      int64 // Number from the start of the run
}

// timeline makes samples in file order.
type timeline struct {
	s    Stream
	run  int
	time mux.Ticks // media time of the start of the run
	base mux.Ticks // unwrapped presentation time of the start of the run
	end  mux.Ticks // media time at which the run ends, once known

	pictures int64    // made in all
	frames   int64    // audio frames made in all
	queue    []Sample // pictures of the next group, in decoding order
	display  int64    // of the first picture that was not queued
	decoded  int64    // pictures queued in this run
	refs     int64
	idr      int64
	first    bool  // the next keyframe is the first of the stream
	audio    int64 // frames made in this run
	newest   mux.Ticks
	sent     mux.Ticks // Time of the last sample
}

func newTimeline(s Stream) *timeline {
	t := &timeline{s: s, first: true}
	start := s.Start & (mux.Wrap - 1)
	if s.Video != 0 && start < t.delay() && (s.Audio == 0 || s.VideoLength) {
		start += mux.Wrap // the picture is complete first, and its DTS is not negative
	}
	t.begin(start)
	return t
}

// delay is how long pictures wait for reordering.
func (t *timeline) delay() mux.Ticks {
	if t.s.BFrames > 0 {
		return t.pictureTime(1)
	}
	return 0
}

func (t *timeline) pictureTime(n int64) mux.Ticks {
	den := t.s.FrameRateDen * mux.ClockRate
	whole, rest := n/t.s.FrameRateNum, n%t.s.FrameRateNum
	return mux.Ticks(whole*den + (2*rest*den+t.s.FrameRateNum)/(2*t.s.FrameRateNum))
}

func (t *timeline) audioTime(n int64) mux.Ticks {
	return mux.FromSamples(n*int64(samplesPerFrame(t.s.Audio, t.s.SampleRate)), t.s.SampleRate)
}

// begin starts a run at presentation time base.
func (t *timeline) begin(base mux.Ticks) {
	t.base, t.end = base, -1
	t.queue, t.display, t.decoded, t.audio = nil, 0, 0, 0
}

// next returns the next sample that was sent.
func (t *timeline) next() Sample {
	for {
		x := t.step()
		t.newest = x.DTS
		if !t.missing(x.Time) {
			t.sent = max(t.sent, x.Time) // late audio holds up what comes after a reset
			x.Time = t.sent
			return x
		}
	}
}

func (t *timeline) missing(at mux.Ticks) bool {
	for _, g := range t.s.Gaps {
		if at >= g.From && at < g.To {
			return true
		}
	}
	return false
}

// step returns the next sample in file order.
func (t *timeline) step() Sample {
	for {
		v, haveVideo := t.picture()
		a, haveAudio := t.sound()
		switch {
		case haveVideo && (!haveAudio || v.Time <= a.Time):
			t.queue = t.queue[1:]
			t.pictures++
			return v
		case haveAudio:
			t.audio += int64(a.Frames)
			t.frames += int64(a.Frames)
			return a
		}
		r := t.s.Resets[t.run]
		t.run++
		t.time = t.end
		t.begin(t.newest.Nearest(r.To))
	}
}

// reset reports whether the run ends at the media time at, a keyframe or audio PES of the reference track.
func (t *timeline) reset(at mux.Ticks) bool {
	if t.end < 0 && t.run < len(t.s.Resets) && at > t.time && at >= t.s.Resets[t.run].At {
		t.end = at
	}
	return t.end >= 0 && at >= t.end
}

// picture returns the next picture of the run.
func (t *timeline) picture() (Sample, bool) {
	if t.s.Video == 0 {
		return Sample{}, false
	}
	if len(t.queue) == 0 {
		t.fill()
	}
	x := t.queue[0]
	x.Time = t.time + t.pictureTime(x.run)
	if (x.Kind.Keyframe() || t.end >= 0) && t.reset(x.Time) {
		return Sample{}, false
	}
	x.Number = t.pictures
	x.Run = t.run
	x.DTS = t.base + t.pictureTime(x.run) - t.delay()
	x.PTS = t.base + t.pictureTime(x.display)
	return x, true
}

// fill queues the next reference picture and the B pictures before it.
func (t *timeline) fill() {
	ref, kind := t.nextReference()
	t.refs++
	parasets := false
	if kind == KindIDR {
		t.refs, t.idr = 1, ref
	}
	if kind.Keyframe() {
		parasets = t.first || !t.s.ParameterSetsOnce
		t.first = false
	}
	t.push(Sample{Kind: kind, display: ref, refs: t.refs - 1, parasets: parasets})
	for d := t.display; d < ref; d++ {
		t.push(Sample{Kind: KindB, display: d, refs: t.refs})
	}
	t.display = ref + 1
}

func (t *timeline) push(x Sample) {
	x.idr, x.run = t.idr, t.decoded
	t.decoded++
	t.queue = append(t.queue, x)
}

// nextReference returns place and kind of the reference picture that ends the next group.
func (t *timeline) nextReference() (int64, Kind) {
	gop, group := int64(t.s.GOP), int64(t.s.BFrames+1)
	if t.display == 0 {
		if t.s.NoIDR {
			return 0, KindP
		}
		return 0, KindIDR
	}
	if gop < 0 || t.s.NoIDR {
		return t.display + group - 1, KindP
	}
	if t.s.OpenGOP {
		gop = (gop + group - 1) / group * group
		ref := t.display + group - 1
		if ref%gop == 0 {
			return ref, KindRecovery
		}
		return ref, KindP
	}
	if t.display%gop == 0 {
		return t.display, KindIDR
	}
	last := t.display/gop*gop + gop - 1
	return min(t.display+group-1, last), KindP
}

// sound returns the next audio PES packet of the run.
func (t *timeline) sound() (Sample, bool) {
	if t.s.Audio == 0 {
		return Sample{}, false
	}
	at := t.audioTime(t.audio)
	x := Sample{Number: t.frames, Frames: t.s.FramesPerPES, Run: t.run, run: t.audio, Time: t.time + at}
	if t.s.Video != 0 {
		x.Track = 1
		if t.end >= 0 && x.Time >= t.end {
			return Sample{}, false
		}
	} else if t.reset(x.Time) {
		return Sample{}, false
	}
	x.Time += t.s.AudioLag
	x.PTS = t.base + at
	x.DTS = x.PTS
	return x, true
}
