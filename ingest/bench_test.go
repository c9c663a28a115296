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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/mux"
)

// sink is a stream that remembers what it was given.
type sink struct {
	mu      sync.Mutex
	holder  *feed   // guarded by mu
	feeds   []*feed // all that there ever were; guarded by mu
	refused int     // guarded by mu

	patience atomic.Int64 // nanoseconds
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
	ahead   []uint64 // Seq of units that came early
	reports []mux.Stats
	format  string
	closed  int
	cause   error
}

func (f *feed) Patience() time.Duration { return time.Duration(f.sink.patience.Load()) }

func (f *feed) Write(units []*mux.Unit, _ time.Time) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.units += len(units)
}

func (f *feed) Preview(u *mux.Unit, _ time.Time) { f.ahead = append(f.ahead, u.Seq) }

// count returns how many units came.
func (f *feed) count() int {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.units
}

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
