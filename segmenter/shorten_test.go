package segmenter_test

import (
	"testing"
	"time"

	"headwater/segmenter"
)

// A playlist gets no shorter than players need, whoever wants it.
func TestWindowShorten(t *testing.T) {
	tests := []struct {
		name   string
		least  int
		length time.Duration
		want   int // segments of 2 s that are left of 30
	}{
		{"six segments are kept", 6, 0, 6}, // hls-rules A34
		{"three target durations are kept, however short the segments are", 6, 18 * time.Second, 9}, // hls-rules A33
		{"a length between two segments is kept", 4, 17 * time.Second, 9},                           // hls-rules A33
		{"one segment is kept in any case", 0, 0, 1},                                                // hls-rules A35
		{"what is longer than the window is not made shorter", 6, time.Hour, 30},                    // hls-rules A33
		{"more segments than there are are not made fewer", segmenter.MinListed * 100, 0, 30},       // hls-rules A34
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := segmenter.NewWindow(segmenter.WindowConfig{Duration: time.Minute})
			add(w, 1000, 100, 2*time.Second, 1)
			last := w.Listed()[29].Sequence
			for at := noon.Add(1100 * 2 * time.Second); w.Shorten(tt.least, tt.length, at); {
			}
			listed := w.Listed()
			if len(listed) != tt.want || listed[len(listed)-1].Sequence != last {
				t.Errorf("%d segments are listed up to %d, want %d up to %d", len(listed), listed[len(listed)-1].Sequence, tt.want, last)
			}
			if n := len(w.Held()); n != 76 {
				t.Errorf("%d segments are held, want 76 as before: they may be fetched still", n)
			}
		})
	}
}

// What has left a playlist does not return when the window may be long again:
// it grows by what is added (hls-rules A21, A29).
func TestWindowGrowsAgain(t *testing.T) {
	w := segmenter.NewWindow(segmenter.WindowConfig{Duration: time.Minute})
	add(w, 1000, 100, 2*time.Second, 1)
	for w.Shorten(6, 0, noon.Add(1100*2*time.Second)) {
	}
	first := w.Listed()[0].Sequence
	for n := range uint64(40) {
		add(w, 1100+n, 1, 2*time.Second, 1)
		listed := w.Listed()
		if want := max(first, 1100+n-29); listed[0].Sequence != want {
			t.Fatalf("after %d more the playlist begins with %d, want %d", n+1, listed[0].Sequence, want)
		}
	}
}

// A segment that has left the playlist is let go of early only when nobody can
// count on it any more (hls-rules A36, as rfc8216bis has it).
func TestWindowRelease(t *testing.T) {
	const d = 2 * time.Second
	w := segmenter.NewWindow(segmenter.WindowConfig{Duration: time.Minute, Grace: 30 * time.Second})
	add(w, 1000, 100, d, 1)
	at := func(n uint64) time.Time { return noon.Add(time.Duration(n) * d) } // when segment n was listed
	now := at(1099)
	// In the usual order a segment is listed for as long as the playlist is, and
	// may then go after its own duration.
	for {
		oldest := w.Held()[0]
		gone := w.Release(1, false, now)
		if len(gone) == 0 {
			break
		}
		if len(gone) > 1 || gone[0] != oldest {
			t.Fatalf("Release = %d segments from %d on, want the oldest, %d", len(gone), gone[0].Sequence, oldest.Sequence)
		}
	}
	if first, want := w.Held()[0].Sequence, w.Listed()[0].Sequence-1; first != want {
		t.Errorf("the first segment held is %d, want %d: the newest that left the playlist", first, want)
	}
	// One that had to leave early stays as long as if it had not.
	for w.Shorten(6, 0, now) {
	}
	seg := w.Held()[5]
	listed := w.Listed()[0].Sequence
	until := at(seg.Sequence).Add(d + time.Minute)
	w.Release(1000, false, until.Add(-1))
	if first := w.Held()[0].Sequence; first != seg.Sequence {
		t.Errorf("just before its time the first held is %d, want %d", first, seg.Sequence)
	}
	if gone := w.Release(1000, false, until); len(gone) != 1 || gone[0] != seg {
		t.Errorf("in time %d segments are released, want number %d", len(gone), seg.Sequence)
	}
	// If nobody has a playlist that names them, all but the listed may go.
	w.Release(1000, true, now)
	if first := w.Held()[0].Sequence; first != listed {
		t.Errorf("the first held is %d, want %d: the first listed", first, listed)
	}
	// A playlist that was short for long lets segments go sooner.
	for n := range uint64(32) {
		w.Add(&segmenter.Segment{Sequence: 1100 + n, End: 180_000, Size: 1}, at(1100+n))
		for w.Shorten(6, 0, at(1100+n)) {
		}
	}
	w.Release(1000, false, at(1131))
	if n := len(w.Held()); n > 6+2 {
		t.Errorf("%d segments are held of a playlist of 6, want at most 8", n)
	}
}
