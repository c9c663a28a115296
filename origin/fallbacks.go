package origin

import (
	"context"
	"errors"
	"maps"
)

// fallback is a stream that follows another one's standby because an operator
// has asked for it.
type fallback struct {
	to   string // name of the stream that is followed
	stop context.CancelFunc
	done chan struct{} // closed when it does not any more
}

// SetFallback has listeners of one stream hear another one while its source is
// away, until the server stops or it is set anew; an empty name ends that. Where
// the configuration has a fallback, that one stays. The error says what is in
// the way.
func (s *Server) SetFallback(stream, to string) error {
	a, b := s.lookup(stream), s.lookup(to)
	switch {
	case a == nil:
		return errors.New("there is no stream " + quoted(stream))
	case to == "":
		s.endFallback(stream)
		return nil
	case b == nil:
		return errors.New("there is no stream " + quoted(to))
	case a == b:
		return errors.New("a stream cannot be its own fallback")
	case b.hasStandby() || s.fallbackOf(to) != "":
		return errors.New("stream " + to + " has a fallback itself: they could follow each other in a circle")
	}
	s.endFallback(stream)
	if a.hasStandby() {
		return errors.New("the configuration has a fallback of stream " + stream)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fallbacks[stream].to != "" {
		return errors.New("another request sets the fallback of stream " + stream)
	}
	for follower, f := range s.fallbacks {
		if f.to == stream || follower == to { // the latter since it was looked at above
			return errors.New("stream " + stream + " is a fallback itself: they could follow each other in a circle")
		}
	}
	if s.aside == nil {
		return errors.New("the server does not run")
	}
	f := fallback{to: to, done: make(chan struct{})}
	follower := NewFollower(b, a.Standby())
	f.stop = s.aside(func(ctx context.Context) {
		defer close(f.done)
		if err := follower.Run(ctx); err != nil {
			s.log.Warn("a fallback that was set has ended", "stream", stream, "error", err)
		}
	})
	if s.fallbacks == nil {
		s.fallbacks = map[string]fallback{}
	}
	s.fallbacks[stream] = f
	return nil
}

// endFallback ends what SetFallback began.
func (s *Server) endFallback(stream string) {
	s.mu.Lock()
	f, ok := s.fallbacks[stream]
	delete(s.fallbacks, stream)
	s.mu.Unlock()
	if ok {
		f.stop()
		<-f.done
	}
}

// endFallbacksOf ends those that a stream that is removed has a part in.
func (s *Server) endFallbacksOf(name string) {
	s.mu.Lock()
	all := maps.Clone(s.fallbacks)
	s.mu.Unlock()
	for stream, f := range all {
		if stream == name || f.to == name {
			s.endFallback(stream)
		}
	}
}

// fallbackOf returns the name of the stream that SetFallback said, or nothing.
func (s *Server) fallbackOf(stream string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fallbacks[stream].to
}

// hasStandby reports whether there is a source for while the main one is away.
func (s *Stream) hasStandby() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.feeds[sideStandby] != nil
}
