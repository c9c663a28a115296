package load_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headwater/cmd/headwater/load"
	"headwater/mux"
	"headwater/mux/muxtest"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string // "" means an error
	}{
		{"single ones", []string{"a:1", "[::1]:2"}, "a:1 [::1]:2"},
		{"a range", []string{"127.0.0.1:9001-9003", "b:5"}, "127.0.0.1:9001 127.0.0.1:9002 127.0.0.1:9003 b:5"},
		{"the last port", []string{"a:65535-65535"}, "a:65535"},
		{"no port", []string{"a"}, ""},
		{"no host", []string{":1"}, ""},
		{"backward", []string{"a:3-2"}, ""},
		{"port 0", []string{"a:0"}, ""},
		{"too large", []string{"a:65535-65536"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := load.Addresses(tt.args)
			if strings.Join(got, " ") != tt.want || (tt.want == "") != errors.Is(err, load.ErrOptions) {
				t.Errorf("Addresses(%q) = %q, %v, want %q", tt.args, got, err, tt.want)
			}
		})
	}
}

func TestMedia(t *testing.T) {
	tests := []struct {
		name, kind string
		file       []byte
		rate       float64 // Mbit/s
	}{
		{"video", "video", nil, 2.75},
		{"radio", "radio", nil, 0.128},
		{"an MP3 file", "", muxtest.RawAudio(mux.CodecMP3).Bytes(5 * mux.ClockRate), 0.128},
		{"an AAC file", "", muxtest.RawAudio(mux.CodecAAC).Bytes(5 * mux.ClockRate), 0.064},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pieces, due, err := load.NewMedia(tt.kind, tt.file, 2000)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSorted(due) || due[0] != 0 {
				t.Errorf("times run backward, or do not begin at 0: %v", due[0])
			}
			last := due[len(due)-1]
			got := float64(len(slices.Concat(pieces[:len(pieces)-1]...))) * 8 / last.Seconds() / 1e6
			if got < tt.rate*0.97 || got > tt.rate*1.03 {
				t.Errorf("%.3f Mbit/s, want %v", got, tt.rate)
			}
		})
	}
	for kind, file := range map[string][]byte{"opera": nil, "": []byte("Ggg"), "video": bytes.Repeat([]byte("no"), 1000)} {
		if _, _, err := load.NewMedia(kind, file, 1); !errors.Is(err, load.ErrOptions) {
			t.Errorf("NewMedia(%q, %.3q) = %v, want ErrOptions", kind, file, err)
		}
	}
}

// slowWriter takes a second for one of its writes.
type slowWriter struct{ n, at int }

func (w *slowWriter) Write(p []byte) (int, error) {
	if w.n++; w.n == w.at {
		time.Sleep(1200 * time.Millisecond)
	}
	return len(p), nil
}

func TestPublisherPace(t *testing.T) {
	for _, at := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
			defer stop()
			w := &slowWriter{at: at}
			kept, late, stalls := load.Feed(ctx, w)
			if want := 383; w.n != want { // frames of 10 s
				t.Errorf("%d frames in 10 s, want %d", w.n, want)
			}
			if stalled := at > 0; kept == stalled || (stalls.Count == 1) != stalled || (late.Max > 1000) != stalled {
				t.Errorf("stall %v: kept pace %v, late %v, stalls %v", stalled, kept, late, stalls)
			}
		})
	}
}

// sink takes all that is sent to it; it closes each so many connections at once.
func sink(t *testing.T, refuse int) (addr string, taken *atomic.Int64) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	taken = new(atomic.Int64)
	var taking sync.WaitGroup
	t.Cleanup(taking.Wait)
	t.Cleanup(func() { ln.Close() })
	taking.Go(func() {
		for n := 1; ; n++ {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if n == refuse {
				conn.Close()
				continue
			}
			taking.Go(func() {
				defer conn.Close()
				n, _ := io.Copy(io.Discard, conn)
				taken.Add(n)
			})
		}
	})
	return ln.Addr().String(), taken
}

func TestPublishers(t *testing.T) {
	t.Parallel()
	addr, _ := sink(t, 0)
	lost, _ := sink(t, 1)
	rep, err := load.Publishers{Addrs: []string{addr, addr, lost}, For: 700 * time.Millisecond, Rate: 1000, Kind: "radio"}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Publishers != 3 || rep.KeptPace != 2 || rep.Errors.Total() != 1 {
		t.Errorf("%d of %d kept pace, errors %v, want 2 of 3 and one error", rep.KeptPace, rep.Publishers, rep.Errors)
	}
	if rep.Late.Count < 40 || rep.Bytes < 2*8000 || rep.Mbits < 0.15 {
		t.Errorf("too little was sent: %+v", rep)
	}
	if rows := fmt.Sprint(rep.Rows()); !strings.Contains(rows, "2 of 3") {
		t.Errorf("rows: %v", rows)
	}
}

func TestPublishersRefuse(t *testing.T) {
	tests := []struct {
		name string
		o    load.Publishers
	}{
		{"no address", load.Publishers{}},
		{"more than addresses", load.Publishers{Addrs: []string{"a:1"}, N: 2}},
		{"no kind", load.Publishers{Addrs: []string{"a:1"}, Kind: "opera"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.o.Run(t.Context()); !errors.Is(err, load.ErrOptions) {
				t.Errorf("Run = %v, want ErrOptions", err)
			}
		})
	}
}
