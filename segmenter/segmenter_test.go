package segmenter_test

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// segment lengths of a stream whose keyframes lie gop pictures apart, at 25 a second.
func TestTargetDuration(t *testing.T) {
	tests := []struct {
		name    string
		stream  func(*muxtest.Stream)
		target  time.Duration
		seconds int // TARGETDURATION
		length  time.Duration
		note    string
	}{
		{"a GOP that divides the target gives exact segments", func(s *muxtest.Stream) { s.GOP = 50 }, 6 * time.Second, 6, 6 * time.Second, ""},
		{"a GOP as long as the target", func(s *muxtest.Stream) { s.GOP = 150 }, 6 * time.Second, 6, 6 * time.Second, ""},
		{"a GOP that does not divide the target", func(s *muxtest.Stream) { s.GOP = 100 }, 6 * time.Second, 8, 0, ""}, // hls-rules H15
		{"NTSC", func(s *muxtest.Stream) { s.GOP, s.FrameRateNum, s.FrameRateDen = 60, 30000, 1001 }, 6 * time.Second, 7, 0, ""},
		{"a GOP longer than the target raises it", func(s *muxtest.Stream) { s.GOP = 200 }, 6 * time.Second, 8, 8 * time.Second, "segments are 8 s because the encoder sends a keyframe each 8 s"}, // hls-rules A20
		{"a GOP of 15 s", func(s *muxtest.Stream) { s.GOP = 375 }, 6 * time.Second, 15, 15 * time.Second, "keyframe each 15 s"},
		{"B pictures", func(s *muxtest.Stream) { s.GOP, s.BFrames = 50, 3 }, 6 * time.Second, 6, 6 * time.Second, ""},
		{"two seconds", func(s *muxtest.Stream) { s.GOP = 50 }, 2 * time.Second, 2, 2 * time.Second, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := muxtest.AV()
			tt.stream(&stream)
			o := newOrigin(t, segmenter.Config{TargetDuration: tt.target}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, 150*time.Second, nil)
			st := o.Status()
			if st.Record.TargetDuration != tt.seconds {
				t.Errorf("target duration = %d, want %d", st.Record.TargetDuration, tt.seconds)
			}
			if notes := strings.Join(st.Notes, "\n"); !strings.Contains(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes = %q, want %q", notes, tt.note)
			}
			checkRun(t, o)
			if len(o.slots) < 8 {
				t.Fatalf("%d slots\n%v", len(o.slots), o)
			}
			for _, seg := range o.rendition(segmenter.RenditionMain)[1:] { // the first is as long as its slot was left
				if tt.length != 0 && seg.Duration() != tt.length {
					t.Errorf("segment %d lasts %v, want %v", seg.Sequence, seg.Duration(), tt.length)
				}
				if got, want := seg.Sequence, uint64(int64(seg.Start+mux.ClockRate/50)/int64(st.Record.Target)); got != want { // design: N = floor(epoch/D)
					t.Errorf("segment at %d has number %d, want %d", seg.Start, got, want)
				}
				if !seg.Independent || seg.Gap {
					t.Errorf("segment %d: independent %v, gap %v", seg.Sequence, seg.Independent, seg.Gap)
				}
			}
			if gaps, disc := o.counts(); gaps+disc+int(st.Forced+st.Late+st.Dropped) > 0 {
				t.Errorf("%d gaps, %d discontinuities, %d forced, %d late, %d dropped", gaps, disc, st.Forced, st.Late, st.Dropped)
			}
		})
	}
}

// Two processes that share a record and get the same bytes at other times make
// the same segments (hls-rules H07, H11, H18, H26), over a wrap and a reset.
func TestTwins(t *testing.T) {
	stream := muxtest.AV()
	stream.BFrames = 2
	stream.Start = mux.Wrap - 20*mux.ClockRate
	stream.Resets = []muxtest.Reset{{At: 61 * mux.ClockRate, To: 3600 * mux.ClockRate}}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		jitter := func() time.Duration { return time.Duration(random.IntN(500)) * time.Millisecond }
		registry := &segmenter.MemoryRegistry{}
		a := newOrigin(t, segmenter.Config{}, registry, nil)
		a.feed(stream, 0, 20*time.Second, jitter)
		b := newOrigin(t, segmenter.Config{}, registry, nil)
		offset := 17*time.Second + time.Duration(random.IntN(6000))*time.Millisecond
		b.now = noon.Add(offset)

		a2, b2 := iterate(stream, 20*time.Second), iterate(stream, offset)
		for at := 20 * time.Second; at < 120*time.Second; at += time.Second {
			a2(a, at, jitter)
			b2(b, at, jitter)
		}
		checkRun(t, a)
		checkRun(t, b)
		if _, disc := a.counts(); disc != 1 {
			t.Fatalf("seed %d: %d discontinuities\n%v", seed, disc, a)
		}
		sameSegments(t, a, b, 12)
		if t.Failed() {
			t.Fatalf("seed %d\na:\n%v\nb:\n%v", seed, a, b)
		}
	}
}

// iterate returns a function that feeds a stream piece by piece, from a first time on.
func iterate(s muxtest.Stream, from time.Duration) func(o *origin, to time.Duration, delay func() time.Duration) {
	units := s.UnitsFor(mux.FromDuration(200 * time.Second))
	var times []mux.Ticks
	for x := range s.Samples() {
		if len(times) == len(units) {
			break
		}
		times = append(times, x.Time)
	}
	i := 0
	for i < len(times) && times[i] < mux.FromDuration(from) {
		i++
	}
	return func(o *origin, to time.Duration, delay func() time.Duration) {
		for ; i < len(times) && times[i] < mux.FromDuration(to); i++ {
			o.pass(noon.Add(times[i].Duration() + delay()))
			o.Write(units[i:i+1], o.now)
			o.collect()
		}
	}
}

// sameSegments checks that what both published is equal, at least n segments of a rendition.
func sameSegments(t *testing.T, a, b *origin, n int) {
	t.Helper()
	for _, name := range []string{segmenter.RenditionMain, segmenter.RenditionAudio} {
		of := map[uint64]*segmenter.Segment{}
		for _, seg := range a.rendition(name) {
			of[seg.Sequence] = seg
		}
		common := 0
		for _, y := range b.rendition(name) {
			x := of[y.Sequence]
			if x == nil || x.Gap || y.Gap { // a gap is where an origin has nothing to give
				continue
			}
			common++
			if x.Start != y.Start || x.End != y.End || x.DSN != y.DSN || x.Discontinuity != y.Discontinuity || x.Sum != y.Sum || !bytes.Equal(data(x), data(y)) {
				t.Errorf("%s/%d differs: start %d %d end %d %d dsn %d %d size %d %d", name, x.Sequence, x.Start, y.Start, x.End, y.End, x.DSN, y.DSN, x.Size, y.Size)
			}
		}
		if common < n {
			t.Errorf("only %d common segments of %s", common, name)
		}
	}
}

func TestSourceLost(t *testing.T) {
	tests := []struct {
		name          string
		away          time.Duration
		connected     bool // the connection stays
		reset         bool
		gaps, disc    int // at least, exactly
		phaseWhenAway segmenter.Phase
	}{
		{"for a second", time.Second, true, false, 0, 0, segmenter.PhaseLive},
		{"for eight seconds", 8 * time.Second, true, false, 0, 0, segmenter.PhaseLive},
		{"for a minute, the clock runs on", 60 * time.Second, false, false, 8, 0, segmenter.PhaseDead}, // hls-rules A28, H17
		{"for a second, with a new clock", time.Second, false, true, 0, 1, segmenter.PhaseLive},        // hls-rules H18
		{"for a minute, with a new clock", 60 * time.Second, false, true, 8, 1, segmenter.PhaseDead},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := muxtest.AV()
			stop := 45 * time.Second
			stream.Gaps = []muxtest.Gap{{From: mux.FromDuration(stop), To: mux.FromDuration(stop + tt.away)}}
			if tt.reset {
				stream.Resets = []muxtest.Reset{{At: mux.FromDuration(stop + tt.away), To: 5}}
			}
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			o.feed(stream, 0, stop, nil)
			o.pass(noon.Add(stop + tt.away - 200*time.Millisecond))
			if phase := o.Status().Phase; phase != tt.phaseWhenAway {
				t.Errorf("phase when away = %v, want %v", phase, tt.phaseWhenAway)
			}
			if !tt.connected {
				o.Detach(o.now)
				o.Attach(o.now)
			}
			o.feed(stream, stop+tt.away, stop+tt.away+60*time.Second, nil)
			checkRun(t, o)
			gaps, disc := o.counts()
			if gaps < tt.gaps || gaps > tt.gaps+3 || disc != tt.disc {
				t.Errorf("%d gaps, %d discontinuities; want %d, %d\n%v", gaps, disc, tt.gaps, tt.disc, o)
			}
			for _, slot := range o.slots { // the list stays on the grid of the wall clock
				if off := slot.Start.Time().Sub(noon); off < -6*time.Second || off > 200*time.Second {
					t.Errorf("slot %d starts at %v", slot.Sequence, off)
				}
			}
		})
	}
}

// A track of which nothing comes any more is told once, however long that
// lasts, and the stream goes on when it is back.
func TestTrackLost(t *testing.T) {
	tests := []struct {
		name  string
		track int // that is lost
		note  string
		gaps  int // of main, at least
	}{
		{"pictures", 0, "the H.264 track stopped while the AAC track went on; nothing is published until it is back", 9},
		{"sound", 1, "the AAC track stopped; segments have no sound until it is back", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
			for _, u := range muxtest.AV().UnitsFor(200 * mux.ClockRate) {
				sent := (u.DTS - 10*mux.ClockRate).Duration()
				if u.Track == tt.track && sent > 60*time.Second && sent < 120*time.Second {
					continue
				}
				o.pass(noon.Add(sent))
				o.Write([]*mux.Unit{u}, o.now)
				o.collect()
			}
			checkRun(t, o)
			if notes := o.Status().Notes; len(notes) != 1 || notes[0] != tt.note {
				t.Errorf("notes = %q, want %q", notes, tt.note)
			}
			if gaps, disc := o.counts(); gaps < tt.gaps || gaps > tt.gaps+1 || disc != 0 {
				t.Errorf("%d gaps, %d discontinuities, want %d, 0\n%v", gaps, disc, tt.gaps, o)
			}
			for _, slot := range o.slots[len(o.slots)-10:] {
				for _, seg := range slot.Segments {
					if seg.Gap {
						t.Errorf("%s/%d is a gap, long after the track was back", seg.Rendition, seg.Sequence)
					}
				}
			}
		})
	}
}
