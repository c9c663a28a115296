package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/segmenter"
)

// add lists n segments of length d and the given size, one each d.
func add(w *segmenter.Window, from uint64, n int, d time.Duration, size int64) {
	for i := range uint64(n) {
		start := mux.Ticks(from+i) * mux.FromDuration(d)
		at := noon.Add(time.Duration(from+i) * d)
		w.Add(&segmenter.Segment{Sequence: from + i, Start: start, End: start + mux.FromDuration(d), Size: size}, at)
		w.Expire(at)
	}
}

func TestWindow(t *testing.T) {
	tests := []struct {
		name         string
		cfg          segmenter.WindowConfig
		length       time.Duration
		size         int64
		listed, held int
	}{
		{"is as long as asked", segmenter.WindowConfig{Duration: time.Minute}, 2 * time.Second, 1, 30, 76},
		{"has ten segments at least", segmenter.WindowConfig{Duration: time.Minute}, 10 * time.Second, 1, 10, 24}, // hls-rules A34
		{"lets removed segments go early if they are too much", segmenter.WindowConfig{Duration: time.Minute, MaxBytes: 40}, 2 * time.Second, 1, 30, 40},
		{"gets shorter if the listed ones are too much", segmenter.WindowConfig{Duration: time.Minute, MaxBytes: 100}, 2 * time.Second, 10, 10, 10},
		{"keeps four segments whatever they weigh", segmenter.WindowConfig{Duration: time.Minute, MaxBytes: 1}, 2 * time.Second, 10, 4, 4},
		{"keeps three target durations whatever they weigh", segmenter.WindowConfig{Duration: time.Minute, MaxBytes: 1, Least: 12 * time.Second}, 2 * time.Second, 10, 6, 6}, // hls-rules A33
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := segmenter.NewWindow(tt.cfg)
			add(w, 1000, 200, tt.length, tt.size)
			if listed, held := len(w.Listed()), len(w.Held()); listed != tt.listed || held != tt.held {
				t.Errorf("%d listed, %d held; want %d, %d", listed, held, tt.listed, tt.held)
			}
			first := w.Held()[0].Sequence
			for i, seg := range w.Held() {
				if seg.Sequence != first+uint64(i) {
					t.Fatalf("segment %d is number %d, want %d", i, seg.Sequence, first+uint64(i))
				}
			}
		})
	}
}

// A removed segment can be fetched for its own duration and that of the
// longest playlist, and a grace (hls-rules A36).
func TestWindowExpiry(t *testing.T) {
	w := segmenter.NewWindow(segmenter.WindowConfig{Duration: 20 * time.Second, MinSegments: 3, Grace: 5 * time.Second})
	add(w, 1, 13, 2*time.Second, 1)
	removed := w.Held()[0]
	if _, ok := w.Expiry(w.Listed()[0]); ok {
		t.Error("a listed segment has an expiry")
	}
	got, ok := w.Expiry(removed)
	if want := noon.Add(11 * 2 * time.Second).Add(2*time.Second + 20*time.Second + 5*time.Second); !ok || !got.Equal(want) {
		t.Errorf("Expiry = %v, %v, want %v", got, ok, want)
	}
	if gone := w.Expire(got.Add(-1)); len(gone) != 0 {
		t.Errorf("%d segments expired early", len(gone))
	}
	if gone := w.Expire(got); len(gone) != 1 || gone[0] != removed {
		t.Errorf("%d segments expired in time, want 1", len(gone))
	}
}

// What was handed out does not change under its reader.
func TestWindowSlicesAreImmutable(t *testing.T) {
	w := segmenter.NewWindow(segmenter.WindowConfig{Duration: 20 * time.Second})
	add(w, 1, 20, 2*time.Second, 1)
	listed := w.Listed()
	first, last, n := listed[0].Sequence, listed[len(listed)-1].Sequence, len(listed)
	add(w, 21, 200, 2*time.Second, 1)
	if listed[0].Sequence != first || listed[n-1].Sequence != last || len(listed) != n {
		t.Error("an old list has changed")
	}
}

// Numbers that do not follow begin the window anew: a playlist has no way to
// show a hole in them.
func TestWindowAnew(t *testing.T) {
	w := segmenter.NewWindow(segmenter.WindowConfig{})
	add(w, 1, 20, 6*time.Second, 1)
	add(w, 500, 2, 6*time.Second, 1)
	if held := w.Held(); len(held) != 2 || held[0].Sequence != 500 {
		t.Errorf("%d held, from %d", len(held), held[0].Sequence)
	}
}

// What has left a playlist does not return, however long the window is after a
// restart, and stays fetchable as long as was promised (hls-rules A21, A36).
func TestWindowResumes(t *testing.T) {
	w := segmenter.NewWindow(segmenter.WindowConfig{Duration: time.Minute, MinSegments: 10, Grace: time.Second})
	w.Resume(7, 90*time.Second)
	for n := uint64(1); n <= 12; n++ {
		w.Add(&segmenter.Segment{Sequence: n, Start: mux.Ticks(n) * 6 * mux.ClockRate, End: mux.Ticks(n+1) * 6 * mux.ClockRate}, noon)
	}
	if listed := w.Listed(); len(listed) != 6 || listed[0].Sequence != 7 {
		t.Errorf("%d segments are listed from %d on, want 6 from 7 on", len(listed), listed[0].Sequence)
	}
	gone, ok := w.Expiry(w.Held()[0])
	if want := noon.Add((6 + 90 + 1) * time.Second); !ok || !gone.Equal(want) {
		t.Errorf("segment 1 expires at %v, %v, want %v", gone, ok, want)
	}
}
