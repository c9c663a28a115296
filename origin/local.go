package origin

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Local is a server that runs in this process, as tests of clients need one. It
// is made by [Start].
type Local struct {
	*Server
	URL string // http://127.0.0.1:PORT, without a slash at the end

	stop    context.CancelFunc
	running sync.WaitGroup
	err     error // of Run; set before running is done
}

// Start runs a server, on a free port of this machine if the configuration has
// no listener. Close must be called.
func Start(cfg ServerConfig) (*Local, error) {
	if cfg.Listener == nil {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("start a server: %w", err)
		}
		cfg.Listener = ln
	}
	l := &Local{Server: NewServer(cfg), URL: "http://" + cfg.Listener.Addr().String()}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	l.running.Go(func() { l.err = l.Run(ctx) })
	return l, nil
}

// Close stops the server as [Server.Run] says, waits until nothing of it is
// left, and returns what Run returned.
func (l *Local) Close() error {
	l.stop()
	l.running.Wait()
	return l.err
}

// Open returns the stream of a name, which it adds, in memory and with the usual
// settings, if there is none. The error is that of [NewStream] or [Server.Add].
func (s *Server) Open(name string) (*Stream, error) {
	if st := s.lookup(name); st != nil {
		return st, nil
	}
	st, err := NewStream(StreamConfig{Name: name, Log: s.cfg.Log})
	if err != nil {
		return nil, err
	}
	if err := s.Add(st); err != nil {
		if other := s.lookup(name); other != nil { // somebody was faster
			return other, nil
		}
		return nil, err
	}
	return st, nil
}
