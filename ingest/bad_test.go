package ingest_test

import (
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// TestBadInput: what no source should send is told from what it may be in plain
// words, costs no memory, and spoils nothing of what is sound.
func TestBadInput(t *testing.T) {
	const seconds = 3
	mp3 := muxtest.RawAudio(mux.CodecMP3)
	good := mp3.Bytes(seconds * mux.ClockRate)
	low, high := mp3, mp3
	low.SampleRate, low.BitRate, low.Channels = 22050, 64000, 1
	high.SampleRate = 44100
	largest := []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f") // 256 MB, the most that a tag can say
	html := "<!DOCTYPE html>\n<html><head><title>Radio</title></head><body>" + strings.Repeat("<p>Turn on, tune in.</p>\n", 1000)
	tests := []struct {
		name    string
		input   []byte
		zeros   int    // MB sent behind it
		err     string // that Serve returns
		sound   int    // whole seconds of sound that come out
		formats int    // one after another
	}{
		{"a page of HTML", []byte(html), 0, "this is HTML, not media", 0, 0},
		{"HTML behind a few spaces", []byte("\r\n\r\n" + html), 0, "text, not media", 0, 0},
		{"an ID3 tag of 256 MB, and nothing behind it", largest, 300, "neither MPEG-TS nor MP3", 0, 0},
		{"an ID3 tag that says 256 MB, and sound behind 2 MB", slices.Concat(largest, make([]byte, 2<<20), good), 0, "closed the connection", seconds, 1},
		{"an ID3 tag of 4 GB, which there is not", slices.Concat([]byte("ID3\x04\x00\x00\xff\xff\xff\xff"), good), 0, "closed the connection", seconds, 1},
		{"a tag of 256 MB in the middle", slices.Concat(good, largest, make([]byte, 2<<20), good), 0, "closed the connection", 2 * seconds, 1},
		{"frames that change their rate", slices.Concat(good, low.Bytes(seconds*mux.ClockRate), high.Bytes(seconds*mux.ClockRate)), 0, "closed the connection", 3 * seconds, 3},
		{"frames of a rate that changes each time, of which anything may come", alternating(mp3, high), 0, "", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sink ingesttest.Sink
				near, far := net.Pipe()
				go func() {
					defer near.Close()
					if _, err := near.Write(tt.input); err != nil {
						return
					}
					zeros := make([]byte, 1<<20)
					for range tt.zeros {
						if _, err := near.Write(zeros); err != nil {
							return
						}
					}
					time.Sleep(time.Second) // a pipe that is closed takes no deadline
				}()
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				err := ingest.Serve(t.Context(), far, ingest.NewSourceInfo("test", ""), ingest.Options{Sink: &sink})
				runtime.GC()
				runtime.ReadMemStats(&after)
				if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
					t.Errorf("the heap grew by %d bytes", grown)
				}
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Serve = %v, want %q", err, tt.err)
				}
				var programs []*mux.Program
				var sound mux.Ticks
				if feeds := sink.Feeds(); len(feeds) > 0 {
					for _, u := range feeds[0].Units() {
						programs = append(programs, u.Program)
						sound += mux.FromSamples(int64(u.Frames[0].Samples), u.Frames[0].Rate)
					}
				}
				if d := sound - mux.Ticks(tt.sound)*mux.ClockRate; (d > mux.ClockRate/10 || d < -mux.ClockRate/10) && tt.err != "" {
					t.Errorf("%v of sound came, want %d s", sound.Duration(), tt.sound)
				}
				if got := len(slices.Compact(programs)); got != tt.formats && tt.err != "" {
					t.Errorf("%d formats, want %d", got, tt.formats)
				}
			})
		})
	}
}

// alternating returns frames of two formats in turns.
func alternating(a, b muxtest.Stream) []byte {
	var all []byte
	x, y := a.UnitsFor(10*mux.ClockRate), b.UnitsFor(10*mux.ClockRate)
	for i := range min(len(x), len(y)) {
		all = append(append(all, x[i].Frames[0].Data...), y[i].Frames[0].Data...)
	}
	return all
}
