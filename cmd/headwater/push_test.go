package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// receiver takes one connection after the other and keeps what they bring.
type receiver struct {
	ln   net.Listener
	got  chan []byte // of each connection, when it ended
	size int64       // bytes after which a connection is closed; 0: never
}

func newReceiver(t *testing.T, size int64) *receiver {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{ln: ln, got: make(chan []byte, 100), size: size}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			var in io.Reader = conn
			if r.size > 0 {
				in = io.LimitReader(conn, r.size)
			}
			b, _ := io.ReadAll(in) // a reset ends it as well
			conn.Close()
			r.got <- b
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return r
}

func (r *receiver) url() string { return "tcp://" + r.ln.Addr().String() }

func writeMedia(t *testing.T, name string, media []byte) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, media, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Every byte of a file arrives as it was, whatever is in the file.
func TestPushSendsTheFile(t *testing.T) {
	id3 := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x0a0123456789"), muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate)...)
	for name, media := range map[string][]byte{
		"av.ts":     muxtest.AV().Bytes(3 * mux.ClockRate),
		"audio.ts":  muxtest.Audio(mux.CodecMP3).Bytes(3 * mux.ClockRate),
		"audio.mp3": muxtest.RawAudio(mux.CodecMP3).Bytes(3 * mux.ClockRate),
		"tag.mp3":   id3,
		"audio.aac": muxtest.RawAudio(mux.CodecAAC).Bytes(3 * mux.ClockRate),
	} {
		t.Run(name, func(t *testing.T) {
			r := newReceiver(t, 0)
			status, _, stderr := call(t.Context(), "", "push", "--speed", "0", writeMedia(t, name, media), r.url())
			if status != statusOK || stderr != "" {
				t.Fatalf("push = %d, %q, want 0", status, stderr)
			}
			if got := <-r.got; !bytes.Equal(got, media) {
				t.Errorf("%d bytes arrived, want the %d of the file", len(got), len(media))
			}
		})
	}
}

func TestPushStandardInput(t *testing.T) {
	media := muxtest.AV().Bytes(mux.ClockRate)
	r := newReceiver(t, 0)
	if status, _, stderr := call(t.Context(), string(media), "push", "-", r.url(), "--speed=0"); status != statusOK {
		t.Fatalf("push = %d, %q, want 0", status, stderr)
	}
	if got := <-r.got; !bytes.Equal(got, media) {
		t.Errorf("%d bytes arrived, want %d", len(got), len(media))
	}
}

func TestPushFails(t *testing.T) {
	r := newReceiver(t, 0)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	media := writeMedia(t, "a.ts", muxtest.AV().Bytes(mux.ClockRate))
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"no such file", []string{"/nonexistent/a.ts", r.url()}, "open /nonexistent/a.ts: no such file or directory"},
		{"not media", []string{writeMedia(t, "a.txt", bytes.Repeat([]byte("text "), 100_000)), r.url()}, "neither MPEG-TS nor MP3 nor ADTS AAC"},
		{"a short text", []string{writeMedia(t, "b.txt", []byte("text")), r.url()}, "neither MPEG-TS nor MP3 nor ADTS AAC"},
		{"nobody listens", []string{media, "tcp://" + gone.Addr().String()}, "is a server listening there?"},
		{"an empty file again and again", []string{"--loop", writeMedia(t, "c.mp3", nil), r.url()}, "the file is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, _, stderr := call(t.Context(), "", append([]string{"push", "--speed", "0"}, tt.args...)...)
			if status != statusFailed || !strings.Contains(stderr, tt.want) {
				t.Errorf("push = %d, %q, want 1 and %q", status, stderr, tt.want)
			}
		})
	}
}

// What is missing from the command line is named.
func TestPushUsage(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"a test without an address", []string{"--test"}, "--test needs where to send it"},
		{"a test with a file", []string{"--test", "a.ts", "tcp://127.0.0.1:1"}, "--test takes no file"},
		{"a file without an address", []string{"a.ts"}, "say where to send a.ts"},
		{"an address without a file", []string{"tcp://127.0.0.1:1"}, "there is no file to send to tcp://"},
		{"nothing", nil, "give a file and where to send it"},
		{"three", []string{"a.ts", "b.ts", "tcp://127.0.0.1:1"}, "give a file and where to send it"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, _, stderr := call(t.Context(), "", append([]string{"push"}, tt.args...)...)
			if status != statusUsage || !strings.Contains(stderr, tt.want) {
				t.Errorf("push = %d, %q, want 2 and %q", status, stderr, tt.want)
			}
		})
	}
}

// A receiver that hangs up again and again is not tried for ever.
func TestPushGivesUpWhenRefused(t *testing.T) {
	r := newReceiver(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	status, _, stderr := call(ctx, "", "push", "--test", r.url())
	if status != statusFailed || !strings.Contains(stderr, "the server closes each connection at once") {
		t.Errorf("push = %d, %q, want 1 and why", status, stderr)
	}
	if n := strings.Count(stderr, "connecting again"); n != redialGiveUp-1 {
		t.Errorf("connected again %d times, want %d:\n%s", n, redialGiveUp-1, stderr)
	}
}

func TestPushLoops(t *testing.T) {
	for _, tt := range []struct {
		name  string
		args  []string
		media int // bytes of one lap
	}{
		{"the programme", []string{"--test"}, len(programme.TS())},
		{"a transport stream", []string{"--loop", writeMedia(t, "p.ts", programme.TS())}, len(programme.TS())},
		{"an MP3 file", []string{"--loop", writeMedia(t, "a.mp3", muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate))}, 16_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, int64(3*tt.media))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			status := make(chan int, 1)
			go func() {
				s, _, _ := call(ctx, "", append(append([]string{"push", "--speed", "0"}, tt.args...), r.url())...)
				status <- s
			}()
			if got := len(<-r.got); got != 3*tt.media {
				t.Errorf("%d bytes arrived, want three laps", got)
			}
			cancel()
			if s := <-status; s != statusOK {
				t.Errorf("push = %d after it was stopped, want 0", s)
			}
		})
	}
}

func TestPacer(t *testing.T) {
	second := time.Second
	tests := []struct {
		name  string
		speed float64
		at    []time.Duration // of the pieces
		want  []time.Duration // when they are let through
		media time.Duration
	}{
		{"real time", 1, []time.Duration{7 * second, 8 * second, 8 * second, 10 * second}, []time.Duration{0, second, second, 3 * second}, 3 * second},
		{"twice as fast", 2, []time.Duration{0, second, 4 * second}, []time.Duration{0, second / 2, 2 * second}, 4 * second},
		{"not paced", 0, []time.Duration{0, second, 4 * second}, []time.Duration{0, 0, 0}, 4 * second},
		{"over a jump ahead", 1, []time.Duration{0, second, 3600 * second, 3601 * second}, []time.Duration{0, second, second, 2 * second}, 2 * second},
		{"over a jump back", 1, []time.Duration{90000 * second, 90001 * second, 0, 2 * second}, []time.Duration{0, second, second, 3 * second}, 3 * second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var p pacer
				p.start(tt.speed)
				for i, at := range tt.at {
					if !p.wait(t.Context(), at) {
						t.Fatal("wait = false")
					}
					if got := time.Since(begin); got != tt.want[i] {
						t.Errorf("piece %d went at %v, want %v", i, got, tt.want[i])
					}
				}
				if p.media != tt.media {
					t.Errorf("media = %v, want %v", p.media, tt.media)
				}
			})
		})
	}
}

func TestPacerIsLateAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pacer
		p.start(1)
		p.wait(t.Context(), 0)
		time.Sleep(3 * time.Second) // a slow network
		if !p.wait(t.Context(), time.Second) || p.ahead(time.Now()) != -2*time.Second {
			t.Errorf("ahead = %v, want -2s", p.ahead(time.Now()))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if p.wait(ctx, 5*time.Second) || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Error("wait = true though ctx ended")
		}
	})
}

// The chunks of a file are due at the times of its media.
func TestStreamMediaTells(t *testing.T) {
	media := muxtest.AV().Bytes(4 * mux.ClockRate)
	m := newStreamMedia("test", io.NopCloser(bytes.NewReader(media)))
	var times []time.Duration
	for {
		next, err := m.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if next.timed {
			times = append(times, next.at)
		}
	}
	if !slices.IsSorted(times) || len(times) < 20 {
		t.Fatalf("the pieces are due at %v, want rising times", times)
	}
	// The stream starts at 10 s; a picture is known when the next one begins.
	if first, last := times[0], times[len(times)-1]; first > 10100*time.Millisecond || last < 13800*time.Millisecond || last > 14*time.Second {
		t.Errorf("the pieces are due from %v to %v, want 10 s to 14 s", first, last)
	}
}

// What stands before the first timestamp goes at once, whatever the clock.
func TestPushStartsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		go io.Copy(io.Discard, far)
		media := newStreamMedia("test", io.NopCloser(bytes.NewReader(muxtest.AV().Bytes(3*mux.ClockRate))))
		begin := time.Now()
		p := pusher{speed: 1}
		if err := p.sendOver(t.Context(), near, media, newProgress(io.Discard, false)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 2800*time.Millisecond || took > 3*time.Second {
			t.Errorf("3 s of media took %v", took)
		}
	})
}

func TestProgressText(t *testing.T) {
	tests := []struct {
		sent sentMedia
		want string
	}{
		{sentMedia{bytes: 2_340_000, media: 83*time.Second + 900*time.Millisecond, ahead: -time.Millisecond}, "00:01:23 sent, 2.3 MB, in time"},
		{sentMedia{bytes: 9e9, media: 5 * time.Hour, ahead: -1500 * time.Millisecond},
			"05:00:00 sent, 9000.0 MB, 1.5 s behind: the network or the server is too slow"},
	}
	for _, tt := range tests {
		if got := progressText(&tt.sent); got != tt.want {
			t.Errorf("progressText(%+v) = %q, want %q", tt.sent, got, tt.want)
		}
	}
}
