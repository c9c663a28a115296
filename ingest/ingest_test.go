package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// sink is a stream that remembers what it was given.
type sink struct {
	mu      sync.Mutex
	holder  *feed   // guarded by mu
	feeds   []*feed // all that there ever were; guarded by mu
	refused int     // guarded by mu
}

func (s *sink) Attach(src mux.SourceInfo, _ time.Time) (mux.Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.holder != nil {
		s.refused++
		return nil, &mux.BusyError{Stream: "live", Holder: s.holder.info}
	}
	s.holder = &feed{sink: s, info: src}
	s.feeds = append(s.feeds, s.holder)
	return s.holder, nil
}

// all returns the feeds there ever were.
func (s *sink) all() []*feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.feeds)
}

// feed is one hold of a sink.
type feed struct {
	sink    *sink
	info    mux.SourceInfo
	units   int
	reports []mux.Stats
	format  string
	closed  int
	cause   error
}

func (f *feed) Write(units []*mux.Unit, _ time.Time) { f.units += len(units) }

func (f *feed) Report(format string, stats mux.Stats) {
	f.format = format
	f.reports = append(f.reports, stats)
}

func (f *feed) Close(cause error, _ time.Time) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.closed++
	f.cause = cause
	f.sink.holder = nil
}

// pipes is a listener whose connections are pipes, so that tests have no
// network and run in a bubble of their own time.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	n      int
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return addr("192.0.2.1:9999") }

// dial connects from a port of its own.
func (p *pipes) dial() net.Conn {
	p.n++
	return p.dialFrom(fmt.Sprintf("192.0.2.7:%d", 1000+p.n))
}

func (p *pipes) dialFrom(remote string) net.Conn {
	near, far := net.Pipe()
	p.conns <- pipe{far, addr(remote)}
	return near
}

// pipe is one end of a pipe that claims to come from somewhere.
type pipe struct {
	net.Conn
	remote addr
}

func (p pipe) RemoteAddr() net.Addr { return p.remote }

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

// logbook is a log that tests can read.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines returns the lines that hold all words.
func (l *logbook) lines(words ...string) []string {
	var found []string
	for line := range strings.Lines(l.String()) {
		if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			found = append(found, line)
		}
	}
	return found
}

// bench is a listener that runs, in a bubble.
type bench struct {
	t    *testing.T
	sink sink
	log  logbook
	net  *pipes
	stop context.CancelFunc
	done chan error
}

// start runs a listener with opts, whose log and sink are filled in.
func start(t *testing.T, opts ingest.Options) *bench {
	b := &bench{t: t, net: newPipes(), done: make(chan error, 1)}
	opts.Stream, opts.Sink = "live", &b.sink
	opts.Log = slog.New(slog.NewTextHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	ctx, stop := context.WithCancel(t.Context())
	b.stop = stop
	l := ingest.NewTCPListener(b.net, opts)
	go func() { b.done <- l.Run(ctx) }()
	synctest.Wait()
	return b
}

// end stops the listener and waits for it.
func (b *bench) end() {
	b.t.Helper()
	b.stop()
	if err := <-b.done; err != nil {
		b.t.Errorf("Run = %v, want nil", err)
	}
	synctest.Wait() // a goroutine that is left makes the bubble panic
}

// want checks that the log has n lines with all words.
func (b *bench) want(n int, words ...string) {
	b.t.Helper()
	if got := b.log.lines(words...); len(got) != n {
		b.t.Errorf("the log has %d lines with %q, want %d:\n%s", len(got), words, n, b.log.String())
	}
}

// send writes p to conn, which must take it.
func send(t *testing.T, conn net.Conn, p []byte) {
	t.Helper()
	if _, err := conn.Write(p); err != nil {
		t.Fatalf("Write = %v", err)
	}
	synctest.Wait()
}

// isClosed reports whether the other end has closed conn.
func isClosed(conn net.Conn) bool {
	conn.SetReadDeadline(time.Now().Add(time.Nanosecond))
	_, err := conn.Read(make([]byte, 1))
	return errors.Is(err, io.EOF)
}

func TestTCPSourceFromFirstByteToLast(t *testing.T) {
	formats := []struct {
		name   string
		stream muxtest.Stream
		format string
		tracks string
	}{
		{"video", muxtest.AV(), "MPEG-TS", "H.264 64x64 25 fps, AAC 48 kHz stereo"},
		{"MP3 in a transport stream", muxtest.Audio(mux.CodecMP3), "MPEG-TS", "MP3 48 kHz stereo"},
		{"raw MP3", muxtest.RawAudio(mux.CodecMP3), "MP3", "MP3 48 kHz stereo"},
		{"raw AAC", muxtest.RawAudio(mux.CodecAAC), "ADTS", "AAC 48 kHz stereo"},
	}
	for _, tt := range formats {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{})
				conn := b.net.dial()
				send(t, conn, tt.stream.Bytes(2*mux.ClockRate))
				time.Sleep(3 * time.Second)
				send(t, conn, tt.stream.Bytes(mux.ClockRate/2))
				conn.Close()
				synctest.Wait()

				feeds := b.sink.all()
				if len(feeds) != 1 {
					t.Fatalf("%d feeds, want 1: %s", len(feeds), b.log.String())
				}
				f := feeds[0]
				if f.closed != 1 || !errors.Is(f.cause, io.EOF) {
					t.Errorf("feed closed %d times, cause %v, want once with EOF", f.closed, f.cause)
				}
				if f.units < 20 || len(f.reports) < 2 || !strings.Contains(f.format, tt.format) {
					t.Errorf("feed got %d units, %d reports of %q", f.units, len(f.reports), f.format)
				}
				if f.info.Kind != "tcp" || f.info.Remote != "192.0.2.7:1001" || f.info.ID == "" {
					t.Errorf("source is %+v", f.info)
				}
				b.want(1, "source started", tt.tracks, "stream=live", "remote=192.0.2.7:1001", "source="+f.info.ID)
				b.want(1, "source ended", "duration=3s", fmt.Sprint("bytes=", f.reports[len(f.reports)-1].Bytes))
				b.end()
			})
		})
	}
}

func TestTCPPortStaysOpenBetweenEncoders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		for range 3 {
			conn := b.net.dial()
			send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
			conn.Close()
			synctest.Wait()
		}
		if n := len(b.sink.all()); n != 3 {
			t.Errorf("%d sources were taken, want 3", n)
		}
		b.end()
	})
}

func TestTCPSecondEncoderIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		media := muxtest.AV().Bytes(mux.ClockRate)
		first, second := b.net.dial(), b.net.dial()
		time.Sleep(time.Second)
		send(t, first, media)
		go second.Write(media) // fails when it is closed
		synctest.Wait()
		if !isClosed(second) {
			t.Error("the second encoder is still connected")
		}
		b.want(1, "source refused", "remote=192.0.2.7:1002", "holder=192.0.2.7:1001", "stop that one")
		if isClosed(first) {
			t.Error("the first encoder lost its connection")
		}
		first.Close()
		synctest.Wait()
		third := b.net.dial()
		send(t, third, media)
		third.Close()
		synctest.Wait()
		if feeds := b.sink.all(); len(feeds) != 2 || feeds[1].units == 0 {
			t.Errorf("the encoder after it was not taken: %d feeds", len(feeds))
		}
		b.end()
	})
}

func TestTCPSilence(t *testing.T) {
	media := muxtest.AV().Bytes(mux.ClockRate)
	tests := []struct {
		name  string
		media []byte
		wait  time.Duration // until it is given up
		log   []string
		feeds int
	}{
		{"before the first byte", nil, 10 * time.Second, []string{"connection ended without media", "nothing was sent for 10s"}, 0},
		{"in the middle", media, 10 * time.Second, []string{"level=WARN", "source ended", "nothing was sent for 10s"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{})
				conn := b.net.dial()
				if tt.media != nil {
					send(t, conn, tt.media)
				}
				time.Sleep(tt.wait - time.Millisecond)
				synctest.Wait()
				if isClosed(conn) {
					t.Error("closed too early")
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if !isClosed(conn) {
					t.Error("still open")
				}
				b.want(1, tt.log...)
				feeds := b.sink.all()
				if len(feeds) != tt.feeds {
					t.Fatalf("%d feeds, want %d", len(feeds), tt.feeds)
				}
				for _, f := range feeds {
					if !errors.Is(f.cause, ingest.ErrSilent) || f.closed != 1 {
						t.Errorf("feed closed %d times with %v, want once with ErrSilent", f.closed, f.cause)
					}
				}
				b.end()
			})
		})
	}
}

func TestTCPRefusesWhatIsNoMedia(t *testing.T) {
	garbage := bytes.Repeat([]byte("headwater "), 30_000)
	tests := []struct {
		name string
		send []byte
		log  []string
	}{
		{"an HTTP request", []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), []string{"source refused", "HTTP request"}},
		{"noise", garbage, []string{"source refused", "neither MPEG-TS nor MP3 nor ADTS AAC"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{})
				conn := b.net.dial()
				go conn.Write(tt.send)
				synctest.Wait()
				if !isClosed(conn) {
					t.Error("still open")
				}
				b.want(1, append(tt.log, "level=WARN")...)
				if n := len(b.log.lines("level=WARN")); n != 1 {
					t.Errorf("%d lines, want one:\n%s", n, b.log.String())
				}
				good := b.net.dial()
				send(t, good, muxtest.AV().Bytes(mux.ClockRate))
				good.Close()
				synctest.Wait()
				if n := len(b.sink.all()); n != 1 {
					t.Errorf("%d sources after it were taken, want 1", n)
				}
				b.end()
			})
		})
	}
}

// A transport stream of nothing but stuffing keeps the connection busy, but
// must not hold the stream for ever.
func TestTCPGivesUpOnASourceWithoutMedia(t *testing.T) {
	null := make([]byte, mux.PacketSize)
	copy(null, []byte{0x47, 0x1f, 0xff, 0x10})
	stuffing := bytes.Repeat(null, 7)
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprintf("held %v", held), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{Timeout: 2 * time.Second})
				conn := b.net.dial()
				if held {
					send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
				}
				begin := time.Now()
				for time.Since(begin) < time.Minute {
					if _, err := conn.Write(stuffing); err != nil {
						break
					}
					time.Sleep(500 * time.Millisecond)
				}
				if d := time.Since(begin); d < 6*time.Second || d > 8*time.Second {
					t.Errorf("given up after %v, want 6 s", d)
				}
				synctest.Wait()
				b.want(1, "level=WARN", "no media was found in what was sent for 6s")
				b.end()
			})
		})
	}
}

func TestTCPManySilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{MaxPending: 8})
		var open []net.Conn
		for range 1000 {
			open = append(open, b.net.dial())
			synctest.Wait()
		}
		alive := 0
		for _, c := range open {
			if !isClosed(c) {
				alive++
			}
		}
		if alive != 8 {
			t.Errorf("%d silent connections are open, want 8", alive)
		}
		conn := b.net.dial()
		send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
		for range 20 { // none of these may push out the one that sends
			b.net.dial()
			synctest.Wait()
		}
		if f := b.sink.all(); len(f) != 1 || f[0].closed != 0 {
			t.Errorf("the good encoder was not kept: %d feeds", len(f))
		}
		if n := len(b.log.lines("closed connections that sent nothing")); n != 1 {
			t.Errorf("%d lines about it within a second, want 1", n)
		}
		b.end()
		if n := len(b.log.lines("closed connections that sent nothing")); n != 2 {
			t.Errorf("%d lines about it in the end, want 2 that count all", n)
		}
	})
}

func TestTCPLobbyKeepsThoseThatSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{MaxPending: 2})
		slow := b.net.dial()
		send(t, slow, muxtest.AV().Bytes(mux.ClockRate)[:100]) // not enough to be recognised
		silent := b.net.dial()
		b.net.dial()
		synctest.Wait()
		if isClosed(slow) || !isClosed(silent) {
			t.Errorf("closed: the one that sends %v, the silent one %v; want the silent one", isClosed(slow), isClosed(silent))
		}
		b.end()
	})
}

func TestTCPAllowList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{Allow: prefixes("192.0.2.0/24", "2001:db8::/32")})
		for _, tt := range []struct {
			remote string
			ok     bool
		}{
			{"192.0.2.9:1", true},
			{"[::ffff:192.0.2.9]:1", true},
			{"[2001:db8::1]:1", true},
			{"198.51.100.1:1", false},
			{"[2001:db9::1]:1", false},
			{"nonsense", false},
		} {
			conn := b.net.dialFrom(tt.remote)
			synctest.Wait()
			if got := !isClosed(conn); got != tt.ok {
				t.Errorf("connection from %s taken: %v, want %v", tt.remote, got, tt.ok)
			}
			conn.Close()
			time.Sleep(time.Second)
		}
		b.want(3, "its address is not in the allow list")
		b.want(1, "allow list", "remote=198.51.100.1:1")
		b.end()
	})
}

func TestTCPFaultsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lossy := muxtest.AV()
		lossy.VideoBytes = 2000
		lossy.Lose = func(n int64) bool { return n%50 == 49 }
		b := start(t, ingest.Options{})
		conn := b.net.dial()
		for chunk := range lossy.Chunks() {
			if chunk.Time > 30*mux.ClockRate {
				break
			}
			if len(chunk.Data) > 0 {
				send(t, conn, chunk.Data)
			}
			time.Sleep(20 * time.Millisecond)
		}
		conn.Close()
		synctest.Wait()
		faults := b.log.lines("level=WARN", "source has faults", "continuity=")
		if len(faults) < 3 || len(faults) > 8 { // 1 s, then 2, 4, 8, …
			t.Errorf("%d lines about faults in 30 s, want a few:\n%s", len(faults), b.log.String())
		}
		b.want(1, "source ended", "continuity=")
		b.end()
	})
}

func TestTCPStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		held, pending := b.net.dial(), b.net.dial()
		send(t, held, muxtest.AV().Bytes(mux.ClockRate))
		b.end()
		if !isClosed(held) || !isClosed(pending) {
			t.Error("a connection outlived Run")
		}
		f := b.sink.all()
		if len(f) != 1 || f[0].closed != 1 || !errors.Is(f[0].cause, context.Canceled) {
			t.Errorf("feeds = %+v, want one closed with context.Canceled", f)
		}
		b.want(0, "level=WARN")
	})
}

// failing is a listener that cannot accept for a while.
type failing struct {
	*pipes
	times int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.times > 0 {
		f.times--
		return nil, errors.New("too many open files")
	}
	return f.pipes.Accept()
}

func TestTCPOutlivesWantOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sink
		ln := &failing{newPipes(), 10}
		l := ingest.NewTCPListener(ln, ingest.Options{Stream: "live", Sink: &s})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		conn := ln.dial()
		send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
		if len(s.all()) != 1 {
			t.Error("no source was taken afterwards")
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
}

func TestTCPListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		ln.Close()
		err := ingest.NewTCPListener(ln, ingest.Options{}).Run(t.Context())
		if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "192.0.2.1:9999") {
			t.Errorf("Run = %v, want that the listener was closed", err)
		}
	})
}
