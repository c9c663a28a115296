package icecast

import (
	"context"
	"errors"
	"time"

	"headwater/mux"
)

const (
	// releaseTimeout is how long a source may take to let go of a stream that
	// another takes over.
	releaseTimeout = 5 * time.Second
	// releaseInterval is how often it is looked whether it has.
	releaseInterval = 20 * time.Millisecond
)

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
	for {
		holder, held := st.Holder()
		if !held {
			return nil
		}
		if !st.Takeover || holder.End == nil || time.Now().After(deadline) || s.ctx.Err() != nil {
			return &mux.BusyError{Stream: st.Stream, Holder: holder}
		}
		holder.End()
		time.Sleep(releaseInterval)
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
