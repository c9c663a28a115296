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
	if n := tail.Listeners(); n != 0 {
		t.Errorf("Listeners = %d, want 0", n)
	}
}
