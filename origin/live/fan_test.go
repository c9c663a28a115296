package live_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http/httputil"
	"os"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin/live"
)

// fan is a fan that runs, and what it told of listeners that have gone.
type fan struct {
	*live.Fan
	stop func()

	mu   sync.Mutex
	sent []int64
	errs []error
}

func startFan(t *testing.T) *fan {
	f := &fan{}
	f.Fan = live.NewFan(live.FanConfig{Ended: func(_ *live.Handle, sent int64, err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sent, f.errs = append(f.sent, sent), append(f.errs, err)
	}})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := f.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	f.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(f.stop)
	return f
}

// gone returns how many listeners have gone, and why the last one went.
func (f *fan) gone() (n int, last error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n = len(f.errs); n > 0 {
		last = f.errs[n-1]
	}
	return n, last
}

// socketPair returns both ends of a connection over loopback.
func socketPair(t *testing.T, l net.Listener) (server, client net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// Many listeners, over chunks and without, get all the media, and their
// connections end with it; those that read nothing keep nobody waiting.
func TestFan(t *testing.T) {
	const listeners, lazy = 10, 4
	l := listen(t)
	f := startFan(t)
	tail := live.NewPackets(live.TailConfig{MaxBytes: 1 << 30, MaxAge: time.Hour})
	s := muxtest.AV()
	s.VideoBytes = 30_000
	units := s.UnitsFor(20 * mux.ClockRate)
	tail.Append(units[0], time.Now())
	var want []byte
	reader := live.NewReader(tail, false)

	var reading sync.WaitGroup
	bodies := make([][]byte, listeners)
	idle := make([]net.Conn, lazy)
	for i := range listeners + lazy {
		server, client := socketPair(t, l)
		f.Serve(tail, server, live.Options{Chunked: i%2 == 0})
		if i >= listeners {
			idle[i-listeners] = client
			continue
		}
		reading.Go(func() {
			var src io.Reader = client
			if i%2 == 0 {
				src = httputil.NewChunkedReader(client)
			}
			body, err := io.ReadAll(src)
			if err != nil {
				t.Errorf("listener %d: %v", i, err)
			}
			bodies[i] = body
		})
	}
	for _, u := range units[1:] {
		tail.Append(u, time.Now())
		want = append(want, drain(reader)...)
	}
	tail.End()
	want = append(want, drain(reader)...)
	reading.Wait()
	for i, body := range bodies {
		if !bytes.Equal(body, want) {
			t.Fatalf("listener %d got %d bytes, want %d", i, len(body), len(want))
		}
	}
	for i, c := range idle { // late, but in time
		var src io.Reader = c
		if i%2 == 0 {
			src = httputil.NewChunkedReader(c)
		}
		if body, err := io.ReadAll(src); err != nil || !bytes.Equal(body, want) {
			t.Errorf("the lazy listener %d got %d bytes, %v, want %d", i, len(body), err, len(want))
		}
	}
	for n := 0; n < listeners+lazy; n, _ = f.gone() {
		runtime.Gosched()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, sent := range f.sent {
		if f.errs[i] != nil || sent < int64(len(want)) {
			t.Errorf("told of %d bytes and %v", sent, f.errs[i])
		}
	}
}

// Listeners that hang up are let go, and all are when the fan ends.
func TestFanLetsGo(t *testing.T) {
	l := listen(t)
	f := startFan(t)
	tail := live.NewFrames(live.TailConfig{})
	units := muxtest.Audio(mux.CodecMP3).UnitsFor(mux.ClockRate)
	tail.Append(units[0], time.Now())
	server, client := socketPair(t, l)
	f.Serve(tail, server, live.Options{})
	client.Close()
	for n := 0; n == 0; n, _ = f.gone() {
		tail.Append(units[1], time.Now())
		runtime.Gosched()
	}
	server, client = socketPair(t, l)
	f.Serve(tail, server, live.Options{})
	f.stop()
	if _, err := io.Copy(io.Discard, client); err != nil {
		t.Errorf("the connection ended with %v", err)
	}
	if n, err := f.gone(); n != 2 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d have gone, the last with %v", n, err)
	}
	server, client = socketPair(t, l) // comes too late
	f.Serve(tail, server, live.Options{})
	if _, err := io.Copy(io.Discard, client); err != nil {
		t.Errorf("the late connection ended with %v", err)
	}
}

// A listener that takes nothing is dropped after a while; also one that has a
// goroutine of its own, as those have whose connections are no sockets.
func TestFanDropsStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFan(t)
		tail := live.NewFrames(live.TailConfig{})
		units := muxtest.Audio(mux.CodecMP3).UnitsFor(mux.ClockRate)
		tail.Append(units[0], time.Now())
		server, client := net.Pipe()
		defer client.Close()
		var serving sync.WaitGroup
		serving.Go(func() { f.Serve(tail, server, live.Options{}) })
		began := time.Now()
		if _, err := io.ReadFull(client, make([]byte, len(units[0].Frames[0].Data))); err != nil {
			t.Fatal(err)
		}
		tail.Append(units[1], time.Now())
		serving.Wait()
		if n, err := f.gone(); n != 1 || !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) > time.Minute {
			t.Errorf("%d have gone after %v, the last with %v", n, time.Since(began), err)
		}
		f.stop()
	})
}

// A listener counts once, whatever its connection is.
func TestFanCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFan(t)
		tail := live.NewFrames(live.TailConfig{})
		server, client := net.Pipe()
		defer client.Close()
		var serving sync.WaitGroup
		serving.Go(func() { f.Serve(tail, server, live.Options{}) })
		synctest.Wait()
		if n := tail.Listeners(); n != 1 {
			t.Errorf("Listeners = %d, want 1", n)
		}
		tail.End()
		serving.Wait()
		if n := tail.Listeners(); n != 0 {
			t.Errorf("Listeners = %d at the end, want 0", n)
		}
		f.stop()
	})
}

// A listener that reads nothing is found in time, though the kernel would take
// megabytes for it.
func TestFanFindsStalled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the kernel of this system cannot be told")
	}
	l := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	gone := make(chan error, 1)
	f := live.NewFan(live.FanConfig{Stall: 500 * time.Millisecond, Ended: func(_ *live.Handle, _ int64, err error) { gone <- err }})
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { f.Run(ctx) })
	defer cancel()
	units, _ := sound(mux.ClockRate)
	tail := live.NewFrames(live.TailConfig{})
	server, client := socketPair(t, l)
	if err := client.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	f.Serve(tail, server, live.Options{})
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for n := range 2000 { // far less than the kernel would take
		tail.Append(units[n%len(units)], time.Now())
		select {
		case err := <-gone:
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the listener went for %v", err)
			}
			return
		case <-pace.C:
		}
	}
	t.Error("the listener is still there after 10 s")
}
