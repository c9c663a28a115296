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
	headTimeout    = 10 * time.Second // for the head of a request
	answerTimeout  = 5 * time.Second  // for an answer to be taken
	lingerTimeout  = 2 * time.Second  // for a source to read why it is refused
	releaseTimeout = 5 * time.Second  // for a source to let go of a stream that another takes over
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

// errReplaced is why a source ended whose stream another one has taken over.
var errReplaced = errors.New("another source has taken the stream over")

// claim is the hold of a connection on a stream, from before its first media
// on: of two that come at once, one gets it.
type claim struct {
	remote string
	since  time.Time
	end    context.CancelCauseFunc
	gone   chan struct{} // closed when the stream is free again
}

// claim gives a stream to a connection, which end ends. The error is a
// [*mux.BusyError] if the stream is another's.
func (s *Server) claim(st *Stream, remote string, end context.CancelCauseFunc) (*claim, error) {
	deadline := time.Now().Add(releaseTimeout)
	for {
		mine := &claim{remote: remote, since: time.Now(), end: end, gone: make(chan struct{})}
		s.mu.Lock()
		other := s.claims[st.Stream]
		if other == nil {
			s.claims[st.Stream] = mine
		}
		s.mu.Unlock()
		if other == nil {
			if err := s.oust(st, deadline); err != nil {
				s.release(st, mine)
				return nil, err
			}
			return mine, nil
		}
		left := time.Until(deadline)
		if !st.Takeover || left <= 0 || s.ctx.Err() != nil {
			return nil, &mux.BusyError{Stream: st.Stream, Holder: mux.SourceInfo{Kind: "icecast", Remote: other.remote, Since: other.since}}
		}
		other.end(errReplaced)
		select {
		case <-other.gone:
		case <-time.After(left):
		case <-s.ctx.Done():
		}
	}
}

// oust waits until a source that came by another way has let go of the stream,
// if it may be taken over. The error is a [*mux.BusyError] if it has not.
func (s *Server) oust(st *Stream, deadline time.Time) error {
	const interval = 20 * time.Millisecond
	for {
		holder, held := st.Holder()
		if !held {
			return nil
		}
		if !st.Takeover || holder.End == nil || time.Now().After(deadline) || s.ctx.Err() != nil {
			return &mux.BusyError{Stream: st.Stream, Holder: holder}
		}
		holder.End()
		time.Sleep(interval)
	}
}

// Claimed reports whether a source of the server has the stream, or is about to.
func (s *Server) Claimed(stream string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims[stream] != nil
}

// release gives a stream back.
func (s *Server) release(st *Stream, c *claim) {
	s.mu.Lock()
	delete(s.claims, st.Stream)
	s.mu.Unlock()
	close(c.gone)
}

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
	b, fields, err := begin()
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
