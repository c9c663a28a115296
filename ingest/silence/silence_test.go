package silence_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest/ingesttest"
	"headwater/ingest/silence"
	"headwater/mux"
	"headwater/mux/codec"
)

// A frame comes when it is due: by its number, neither sooner nor drifting.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		name    string
		head    []byte
		samples int64
		rate    int
	}{
		{"MP3", []byte{0xff, 0xfb, 0x90, 0x44, 0, 0, 0}, 1152, 44100},
		{"AAC", []byte{0xff, 0xf1, 0x50, 0x80, 0x20, 0x1f, 0xfc}, 1024, 44100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sink := &ingesttest.Sink{}
				sink.Patience.Store(int64(250 * time.Millisecond))
				p := silence.New(silence.Options{Like: func() []byte { return tt.head }, Stream: "live", Sink: sink})
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if err := p.Run(ctx); err != nil {
					t.Fatal(err)
				}
				feeds := sink.Feeds()
				if len(feeds) != 1 {
					t.Fatalf("%d sources, want 1", len(feeds))
				}
				units := feeds[0].Units()
				for i, u := range units {
					due := mux.FromSamples(int64(i)*tt.samples, tt.rate)
					late := u.At.Sub(feeds[0].Since) - due.Duration()
					if u.PTS != due || late < 0 || late > 300*time.Millisecond {
						t.Fatalf("frame %d has time %d and came %v late, want %d", i, u.PTS, late, due)
					}
				}
				if want := int(3600*int64(tt.rate)/tt.samples) - 12; len(units) < want {
					t.Errorf("%d frames in an hour, want %d", len(units), want)
				}
				if closed, _ := feeds[0].Closed(); !closed {
					t.Error("the sink was not given back")
				}
			})
		})
	}
}

// Without a format there is no source; another one makes another source; and
// what cannot be silent is told once.
func TestFormatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var head []byte
		set := func(h ...byte) { mu.Lock(); head = h; mu.Unlock(); time.Sleep(10 * time.Second) }
		sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
		p := silence.New(silence.Options{Stream: "live", Sink: sink, Log: log.Logger(),
			Like: func() []byte { mu.Lock(); defer mu.Unlock(); return head }})
		ctx, cancel := context.WithCancel(t.Context())
		var playing sync.WaitGroup
		playing.Go(func() { p.Run(ctx) })
		set()
		set(0xff, 0xfb, 0x90, 0x44, 0, 0, 0)
		set(0xff, 0xfb, 0xb2, 0x44, 1, 2, 3) // more bits for as much sound
		set(0xff, 0xf3, 0x80, 0xc0, 0, 0, 0)
		set('O', 'g', 'g', 'S', 0, 0, 0)
		set('O', 'g', 'g', 'S', 0, 0, 0)
		cancel()
		playing.Wait()
		feeds := sink.Feeds()
		if len(feeds) != 2 {
			t.Fatalf("%d sources, want 2", len(feeds))
		}
		for i, rate := range []int{44100, 22050} {
			h, err := codec.ParseMPEGAudio(feeds[i].Units()[0].Frames[0].Data)
			if err != nil || h.SampleRate != rate {
				t.Errorf("source %d has %d Hz, %v; want %d", i, h.SampleRate, err, rate)
			}
		}
		if n := len(log.Lines("no silence")); n != 1 {
			t.Errorf("%d warnings, want 1:\n%s", n, log)
		}
	})
}
