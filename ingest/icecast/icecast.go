// Package icecast takes sources that speak as to Icecast and SHOUTcast: SOURCE,
// PUT and POST over HTTP/1.x and ICE/1.0, and version 1 of SHOUTcast's own
// protocol. It reads the head, asks who may send, answers, and has package
// ingest read the media.
//
// hls-rules F10-F13, F16, F17; Icecast 2.4 and SHOUTcast 1.9 as encoders know them.
package icecast

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"headwater/ingest"
	"headwater/mux"
)

const (
	headTimeout   = 10 * time.Second // for the head of a request
	answerTimeout = 5 * time.Second  // for an answer to be taken
	lingerTimeout = 2 * time.Second  // for a source to read why it is refused
)

// Stream is what may be sent to. Its options are those of any source; their
// field Allow holds here as well.
type Stream struct {
	ingest.Options
	// Holder returns the source that holds the stream now.
	Holder func() (mux.SourceInfo, bool)
	// Takeover has a new source end the one before.
	Takeover bool
}

// Guard says who may send. It is safe for concurrent use.
type Guard interface {
	// Source reports whether who has the password may send to the stream. It
	// need not exist. remote is the address of who asks, host:port.
	Source(ctx context.Context, stream, user, password, remote string) bool
}

// Config says what a [Server] needs.
type Config struct {
	Guard Guard
	// Open returns the stream of a name, for somebody who may send to it. It may
	// make it. The error is a sentence for who sends.
	Open func(name string) (*Stream, error)
	Log  *slog.Logger // nil: nothing is logged
}

// Server serves sources. It is safe for concurrent use.
type Server struct {
	cfg     Config
	refused *ingest.Tally // of those who may send

	ctx  context.Context // of all connections
	stop context.CancelFunc

	mu       sync.Mutex
	stopping bool              // guarded by mu
	claims   map[string]*claim // by stream; guarded by mu
	serving  sync.WaitGroup    // connections
}

// New returns a server. It starts nothing.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, stop := context.WithCancel(context.Background())
	return &Server{
		cfg: cfg, ctx: ctx, stop: stop, claims: map[string]*claim{},
		refused: ingest.NewTally(cfg.Log, "source refused"),
	}
}

// Run waits until ctx ends, ends all sources then, and returns nil when their
// connections are closed. Those that come later are closed at once.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	s.stop()
	s.serving.Wait()
	s.refused.Flush()
	return nil
}

// enter counts a connection until leave is called. It reports false if the
// server has stopped.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return false
	}
	s.serving.Add(1)
	return true
}

func (s *Server) leave() { s.serving.Done() }

// serve reads the media of a source that may send. It returns why that ended.
// Once the source has the stream, begin is called, which returns the media and
// the fields in which the source tells of itself.
func (s *Server) serve(conn net.Conn, st *Stream, kind string, begin func() (*body, map[string]string, error)) error {
	ctx, end := context.WithCancelCause(s.ctx)
	defer end(nil)
	remote := conn.RemoteAddr().String()
	claim, err := s.claim(st, remote, end)
	if err != nil {
		return err
	}
	defer s.release(st, claim)
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // who has not begun yet can be replaced, too
	b, fields, err := begin()
	if !stop() {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	info := ingest.NewSourceInfo(kind, remote)
	info.Station = Station(fields)
	return ingest.Serve(ctx, b, info, st.Options)
}

// complain logs why somebody who may send did not.
func (s *Server) complain(stream string, conn net.Conn, err error) {
	var end *ingest.EndError
	if errors.As(err, &end) || s.ctx.Err() != nil {
		return // that was told, or it is we who stop
	}
	s.refused.Add(slog.String("stream", stream), slog.String("remote", conn.RemoteAddr().String()), slog.Any("error", err))
}
