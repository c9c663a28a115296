package segmenter_test

import (
	"errors"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// fullDisk is a registry that takes nothing while it is full.
type fullDisk struct {
	segmenter.MemoryRegistry
	full bool
}

func (f *fullDisk) Propose(next segmenter.Record) (segmenter.Record, error) {
	if f.full {
		return segmenter.Record{}, errors.New("disk full")
	}
	return f.MemoryRegistry.Propose(next)
}

// All that changed while the record could not be stored is stored afterwards:
// a restart that knew less would count discontinuities anew (hls-rules A26, H21).
func TestRecordIsStoredLater(t *testing.T) {
	for _, resets := range []int{1, 2, 3} {
		stream := muxtest.AV()
		for i := range resets {
			stream.Resets = append(stream.Resets, muxtest.Reset{
				At: mux.Ticks(61+20*i) * mux.ClockRate, To: mux.Ticks(3600*(i+1)) * mux.ClockRate,
			})
		}
		registry := &fullDisk{}
		o := newOrigin(t, segmenter.Config{}, registry, nil)
		o.feed(stream, 0, 50*time.Second, nil)
		registry.full = true
		o.feed(stream, 50*time.Second, 130*time.Second, nil)
		registry.full = false
		o.feed(stream, 130*time.Second, 140*time.Second, nil)
		got, err := registry.Load()
		if err != nil {
			t.Fatal(err)
		}
		want := o.Status().Record
		if len(want.Points) != 1+resets || len(got.Points) != len(want.Points) || got.Revision != want.Revision {
			t.Errorf("%d resets: revision %d with %d points is stored, revision %d with %d points is in force",
				resets, got.Revision, len(got.Points), want.Revision, len(want.Points))
		}
	}
}

// Two processes that share a record and start together measure both; the one
// that is slower goes on from what the other wrote (hls-rules H08).
func TestTwinsStartTogether(t *testing.T) {
	stream := muxtest.AV()
	for _, late := range []time.Duration{0, time.Second, 7 * time.Second, 20 * time.Second} {
		registry := &segmenter.MemoryRegistry{}
		a := newOrigin(t, segmenter.Config{}, registry, nil)
		b := newOrigin(t, segmenter.Config{}, registry, nil)
		a2, b2 := iterate(stream, 0), iterate(stream, late)
		jitter := func() time.Duration { return 0 }
		b.now = noon.Add(late)
		for at := time.Second; at < 120*time.Second; at += time.Second {
			a2(a, at, jitter)
			b2(b, at, jitter)
		}
		checkRun(t, a)
		checkRun(t, b)
		sameSegments(t, a, b, 12)
		if t.Failed() {
			t.Fatalf("late by %v\na:\n%v\nb:\n%v", late, a, b)
		}
	}
}
