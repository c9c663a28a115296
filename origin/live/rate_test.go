package live_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin/live"
)

func TestTailRate(t *testing.T) {
	s := muxtest.RawAudio(mux.CodecMP3)
	tail := live.NewFrames(live.TailConfig{Flush: 250 * time.Millisecond})
	_ = live.NewReader(tail, false) // or less would be kept
	units := s.UnitsFor(12 * mux.ClockRate)
	var bytes int64
	for i, u := range units {
		if i == 20 && tail.Rate() != 0 {
			t.Errorf("Rate = %d after half a second, want 0: it is not known", tail.Rate())
		}
		tail.Append(u, time.Now())
		for _, f := range u.Frames {
			bytes += int64(len(f.Data))
		}
	}
	want := bytes * 8 / 12
	if got := tail.Rate(); got < want*95/100 || got > want*105/100 {
		t.Errorf("Rate = %d, want about %d", got, want)
	}
	if got := tail.Bytes(); got > bytes || got < bytes*9/10 {
		t.Errorf("Bytes = %d, want about %d", got, bytes)
	}
	// The media of another source follows on nothing: its times are others.
	tail.Break()
	for _, u := range units[:20] {
		tail.Append(u, time.Now())
	}
	if got := tail.Rate(); got != 0 {
		t.Errorf("Rate = %d at the begin of another source, want 0", got)
	}
	if n := tail.Listeners(); n != 1 {
		t.Errorf("Listeners = %d, want 1", n)
	}
}

// A bit rate that varies is known at its least, whatever is sent together; that
// of another source, or of less than a quarter of a second, is not.
func TestTailLeastRate(t *testing.T) {
	for _, flush := range []time.Duration{0, 250 * time.Millisecond, time.Second} {
		tail := live.NewFrames(live.TailConfig{Flush: flush})
		_ = live.NewReader(tail, false) // or less would be kept
		loud, quiet := muxtest.RawAudio(mux.CodecMP3), muxtest.RawAudio(mux.CodecMP3)
		quiet.BitRate = 32_000
		add := func(s muxtest.Stream, from, until mux.Ticks) {
			for _, u := range s.UnitsFor(until) {
				if u.DTS-s.UnitsFor(1)[0].DTS >= from {
					tail.Append(u, time.Now())
				}
			}
		}
		if got := tail.LeastRate(); got != 0 {
			t.Errorf("LeastRate = %d of nothing, want 0", got)
		}
		add(loud, 0, 4*mux.ClockRate)
		if got := tail.LeastRate(); got < 125_000 || got > 131_000 {
			t.Errorf("LeastRate = %d, want about 128000", got)
		}
		add(quiet, 4*mux.ClockRate, 7*mux.ClockRate)
		add(loud, 7*mux.ClockRate, 12*mux.ClockRate)
		if got := tail.LeastRate(); got < 31_000 || got > 34_000 {
			t.Errorf("flushed each %v: LeastRate = %d with a quiet place, want about 32000", flush, got)
		}
		tail.Break()
		tail.Append(loud.UnitsFor(mux.ClockRate)[0], time.Now())
		tail.Break() // it is shown
		if got := tail.LeastRate(); got != 0 {
			t.Errorf("LeastRate = %d of another source, want 0", got)
		}
	}
}

// While nobody listens a tail keeps little: what the next one begins with, and
// what its rate is known from.
func TestTailIdle(t *testing.T) {
	sound, av := muxtest.RawAudio(mux.CodecMP3), muxtest.AV()
	av.GOP = 200 // 8 s
	for _, c := range []struct {
		name   string
		tail   *live.Tail
		stream muxtest.Stream
		least  mux.Ticks // of media that is kept after 30 s
		most   mux.Ticks
	}{
		{"sound", live.NewFrames(live.TailConfig{Burst: 2 * time.Second}), sound, 5 * mux.ClockRate, 6 * mux.ClockRate},
		{"sound of a long burst", live.NewFrames(live.TailConfig{Burst: 9 * time.Second}), sound, 9 * mux.ClockRate, 10 * mux.ClockRate},
		{"pictures, of which the last that one can begin with is 6 s old", live.NewPackets(live.TailConfig{}), av, 6 * mux.ClockRate, 14 * mux.ClockRate},
	} {
		units := c.stream.UnitsFor(30 * mux.ClockRate)
		for _, u := range units {
			c.tail.Append(u, time.Now())
		}
		media := mux.Ticks(c.tail.Bytes() * 8 * mux.ClockRate / c.tail.Rate())
		if media < c.least*9/10 || media > c.most*11/10 {
			t.Errorf("%s: %v of media are kept, want %v to %v", c.name, media.Duration(), c.least.Duration(), c.most.Duration())
		}
		if all := drain(live.NewReader(c.tail, false)); len(all) == 0 {
			t.Errorf("%s: nothing to begin with", c.name)
		}
	}
}
