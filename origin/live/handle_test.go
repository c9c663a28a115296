package live_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"headwater/mux"
	"headwater/origin/live"
)

// served is a listener that is watched: what it hears, and why it went.
type served struct {
	live.Handle
	body io.Reader
	gone chan error
}

const burst = time.Second

// ways are the ways by which a tail reaches a listener. What they start ends
// with the test.
var ways = map[string]func(t *testing.T, tail *live.Tail) *served{
	"a socket": func(t *testing.T, tail *live.Tail) *served {
		s := &served{gone: make(chan error, 1)}
		f := watchingFan(t, s)
		server, client := socketPair(t, listen(t))
		s.body = client
		f.Serve(tail, server, live.Options{Burst: burst, Handle: &s.Handle})
		return s
	},
	"a connection that waits": func(t *testing.T, tail *live.Tail) *served {
		s := &served{gone: make(chan error, 1)}
		f := watchingFan(t, s)
		server, client := net.Pipe()
		s.body = client
		var serving sync.WaitGroup
		serving.Go(func() { f.Serve(tail, server, live.Options{Burst: burst, Handle: &s.Handle}) })
		t.Cleanup(serving.Wait)
		t.Cleanup(func() { client.Close() })
		return s
	},
	"net/http": func(t *testing.T, tail *live.Tail) *served {
		s := &served{gone: make(chan error, 1)}
		ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := tail.Copy(r.Context(), w, nil, live.Options{Burst: burst, Handle: &s.Handle})
			s.gone <- err
		}))
		t.Cleanup(ts.Close)
		res, err := http.Get(ts.URL)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		s.body = res.Body
		return s
	},
}

// watchingFan returns a fan that runs and tells s when its listener goes.
func watchingFan(t *testing.T, s *served) *live.Fan {
	f := live.NewFan(live.FanConfig{Ended: func(h *live.Handle, sent int64, err error) {
		if h != &s.Handle || sent != h.Sent() {
			t.Errorf("Ended was told of %p, %d bytes, want %p and %d", h, sent, &s.Handle, h.Sent())
		}
		s.gone <- err
	}})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return f
}

// hear reads as many bytes as the frames have, and compares them.
func (s *served) hear(t *testing.T, frames [][]byte) {
	t.Helper()
	want := bytes.Join(frames, nil)
	got := make([]byte, len(want))
	if _, err := io.ReadFull(s.body, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatal("the listener heard other frames than were sent")
	}
}

func TestHandleEnds(t *testing.T) {
	for name, serve := range ways {
		t.Run(name, func(t *testing.T) {
			units, frames := sound(mux.ClockRate)
			tail := live.NewFrames(live.TailConfig{})
			tail.Append(units[0], time.Now())
			tail.Append(units[1], time.Now())
			s := serve(t, tail)
			s.hear(t, frames[:2])
			s.End()
			if rest, err := io.ReadAll(s.body); len(rest) > 0 || err != nil {
				t.Errorf("after End there came %d bytes, %v, want the end", len(rest), err)
			}
			if err := <-s.gone; !errors.Is(err, live.ErrEnded) {
				t.Errorf("the listener went for %v, want ErrEnded", err)
			}
			if n := tail.Listeners(); n != 0 {
				t.Errorf("Listeners = %d, want 0", n)
			}
			if got, want := s.Sent(), int64(len(frames[0])+len(frames[1])); got != want {
				t.Errorf("Sent = %d, want %d", got, want)
			}
		})
	}
}

// A listener that is moved gets whole frames of the one tail, then of the
// other, though nothing more comes on the first.
func TestHandleMoves(t *testing.T) {
	for name, serve := range ways {
		t.Run(name, func(t *testing.T) {
			units, frames := sound(mux.ClockRate)
			from, to := live.NewFrames(live.TailConfig{}), live.NewFrames(live.TailConfig{})
			from.Append(units[0], time.Now())
			to.Append(units[7], time.Now())
			s := serve(t, from)
			s.hear(t, frames[:1])
			s.Move(to)
			s.hear(t, frames[7:8])
			if a, b := from.Listeners(), to.Listeners(); a != 0 || b != 1 {
				t.Errorf("the tails have %d and %d listeners, want 0 and 1", a, b)
			}
			from.End()
			to.Append(units[8], time.Now())
			s.hear(t, frames[8:9])
			to.End()
			if err := <-s.gone; err != nil {
				t.Errorf("the listener went for %v, want nil: the tail ended", err)
			}
		})
	}
}

func TestHandleLags(t *testing.T) {
	units, _ := sound(10 * mux.ClockRate)
	tail := live.NewFrames(live.TailConfig{})
	tail.Append(units[0], time.Now())
	server, client := net.Pipe()
	s := &served{body: client, gone: make(chan error, 1)}
	f := watchingFan(t, s)
	var serving sync.WaitGroup
	serving.Go(func() { f.Serve(tail, server, live.Options{Burst: burst, Handle: &s.Handle}) })
	t.Cleanup(serving.Wait)
	t.Cleanup(func() { client.Close() })
	if _, err := io.ReadFull(client, make([]byte, 10)); err != nil { // it has begun, and reads no more
		t.Fatal(err)
	}
	for _, u := range units[1:] {
		tail.Append(u, time.Now())
	}
	if got, want := s.Lag(), (units[len(units)-1].DTS - units[0].DTS).Duration(); got != want {
		t.Errorf("Lag = %v, want %v", got, want)
	}
}

// A listener that is to end is not kept by being moved.
func TestHandleEndsThoughMoved(t *testing.T) {
	for name, serve := range ways {
		t.Run(name, func(t *testing.T) {
			units, frames := sound(mux.ClockRate)
			from, to := live.NewFrames(live.TailConfig{}), live.NewFrames(live.TailConfig{})
			from.Append(units[0], time.Now())
			to.Append(units[7], time.Now())
			s := serve(t, from)
			s.hear(t, frames[:1])
			s.End()
			s.Move(to)
			to.End()
			if rest, err := io.ReadAll(s.body); len(rest) > 0 || err != nil {
				t.Errorf("after End there came %d bytes, %v, want the end", len(rest), err)
			}
			if err := <-s.gone; !errors.Is(err, live.ErrEnded) {
				t.Errorf("the listener went for %v, want ErrEnded", err)
			}
		})
	}
}

// A fan that ends lets go of those who were moved just then, too.
func TestFanEndsListenersOnTheMove(t *testing.T) {
	units, frames := sound(mux.ClockRate)
	for range 20 { // a fan that is woken as it ends looks at either first
		from, to := live.NewFrames(live.TailConfig{}), live.NewFrames(live.TailConfig{})
		from.Append(units[0], time.Now())
		gone := 0
		f := live.NewFan(live.FanConfig{Workers: 1, Ended: func(*live.Handle, int64, error) { gone++ }})
		server, client := socketPair(t, listen(t))
		s := &served{body: client}
		f.Serve(from, server, live.Options{Burst: burst, Handle: &s.Handle})
		s.hear(t, frames[:1])
		s.Move(to)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		f.Run(ctx)
		if gone != 1 || to.Listeners() != 0 {
			t.Fatalf("%d have gone, and the tail has %d listeners, want 1 and 0", gone, to.Listeners())
		}
	}
}
