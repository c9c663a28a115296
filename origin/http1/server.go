// Package http1 serves HTTP/1.1 connections: what a [Handler] has an answer
// ready for is read, answered and sent here, with as few system calls, copies
// and allocations as there can be. A connection that asks for anything else,
// or in any other way, is handed over to net/http, with all that it has sent.
//
// hls-rules D19, D20, D25, D27; RFC 9112.
package http1

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	headerTimeout  = 10 * time.Second // a request's head must have come by then
	idleTimeout    = 75 * time.Second // between requests of a connection; longer than any playlist's interval
	stallTimeout   = 30 * time.Second // how long a client may take nothing of what is sent to it
	deadlineSlack  = 5 * time.Second
	maxHeaderBytes = 16 << 10
)

// Handler answers the requests that are asked all the time.
type Handler interface {
	// Answer fills rep, which is empty, with the answer to req. It reports
	// false if there is none, and the request is net/http's. It is called by
	// many goroutines.
	Answer(req *Request, rep *Reply) bool
	// Sent is told of each answer when it was handed to the connection, and how
	// many bytes of the body were.
	Sent(req *Request, rep *Reply, n int64)
}

// Config says what a [Server] serves. All but Publish and Log is needed.
type Config struct {
	Handler Handler
	Other   http.Handler // what Handler has no answer to
	Fields  []Field      // on each answer of Handler's

	MaxConnections int           // more are told to come back later
	MaxRefused     int           // that are being told so; more are just closed; default 1,000
	MaxStreams     int           // requests of HTTP/2 under way in all; of many more the rest is reset
	Drain          time.Duration // how long requests may take to end when Run stops

	// Publish is given each connection that brings media, with its head still
	// to be read, and is to close it. It is called on the connection's goroutine;
	// Run waits until the connection is closed. Nil: nobody may send.
	Publish func(net.Conn)
	// Reserved reports whether a path is none that media is sent to; needed with Publish.
	Reserved func(path string) bool

	Refused  func()                       // is told of each connection above MaxConnections; may be nil
	Panicked func(path string, fault any) // is told of faults in Handler
	Log      *slog.Logger                 // nil: nothing is logged
}

// Server serves connections of one listener.
type Server struct {
	cfg      Config
	fields   []byte // Config.Fields as they are sent
	date     date
	buffers  sync.Pool // of *[]byte, for conn.out
	others   *others
	stopping atomic.Bool
	gate     sync.RWMutex
	taking   bool          // Serve takes connections; guarded by gate
	refusing chan struct{} // holds one for each connection that is being refused

	mu      sync.Mutex
	open    int                // connections, those of others too; guarded by mu
	own     map[*conn]struct{} // those that are served here; guarded by mu
	away    map[*away]struct{} // those that have another owner, but net/http; guarded by mu
	serving sync.WaitGroup     // goroutines of own
}

// New returns a server. It starts nothing.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxRefused == 0 {
		cfg.MaxRefused = 1000
	}
	s := &Server{cfg: cfg, own: map[*conn]struct{}{}, away: map[*away]struct{}{}, refusing: make(chan struct{}, cfg.MaxRefused)}
	for i := range cfg.Fields {
		s.fields = appendField(s.fields, &cfg.Fields[i])
	}
	s.buffers.New = func() any { b := make([]byte, 0, 2*readBytes); return &b }
	return s
}

// Run serves what l accepts until ctx ends or l fails, and closes l. Then
// requests have Config.Drain to end before they are cut off. It returns nil if
// ctx ended. It is called once.
func (s *Server) Run(ctx context.Context, l net.Listener) error {
	base, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	s.others = newOthers(&s.cfg, s.alsoPublishing(s.cfg.Other), base, l.Addr())
	s.others.start()
	s.take(true)
	var running sync.WaitGroup
	accepted := make(chan error, 1)
	running.Go(func() { accepted <- s.accept(l) })

	var err error
	select {
	case err = <-accepted:
	case <-ctx.Done():
		s.stopping.Store(true)
		l.Close()
		<-accepted
	}
	s.stopping.Store(true)
	s.take(false)
	l.Close()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Drain)
	defer cancel()
	ownErr := s.drain(drain)
	if othersErr := s.others.shutdown(drain); ownErr != nil || othersErr != nil {
		s.mu.Lock()
		n := s.open
		s.mu.Unlock()
		s.cfg.Log.Warn("requests did not end in time and are cut off", "connections", n)
		cutOff()
		s.closeOwn(func(*conn) bool { return true })
		s.cutAway()
		s.others.close()
	}
	s.serving.Wait()
	s.others.wait()
	running.Wait()
	return err
}

// accept takes connections until the listener is closed. What the system
// lacks, such as files, it may have again in a moment.
func (s *Server) accept(l net.Listener) error {
	const most = time.Second
	pause, told := time.Duration(0), time.Time{}
	for {
		inner, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.admit(inner)
		case passes(err) && !s.stopping.Load():
			if now := time.Now(); now.Sub(told) >= time.Minute {
				told = now
				s.cfg.Log.Warn("connections cannot be accepted for the moment", "error", err)
			}
			pause = min(max(2*pause, 5*time.Millisecond), most)
			time.Sleep(pause)
		default:
			return err
		}
	}
}

// passes reports whether a listener that failed with err may work again soon.
func passes(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// take says whether Serve takes connections.
func (s *Server) take(taking bool) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.taking = taking
}

// Serve serves a connection that somebody else has accepted, if Run runs; else
// it closes it. It returns at once.
func (s *Server) Serve(conn net.Conn) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if !s.taking {
		conn.Close()
		return
	}
	s.admit(conn)
}

// admit serves a connection, or tells it to come back later.
func (s *Server) admit(inner net.Conn) {
	c := &conn{Conn: inner, server: s}
	s.mu.Lock()
	full := s.open >= s.cfg.MaxConnections
	if !full {
		s.open++
		s.own[c] = struct{}{}
		s.serving.Go(c.serve)
	}
	s.mu.Unlock()
	if full {
		if s.cfg.Refused != nil {
			s.cfg.Refused()
		}
		s.refuse(inner)
	}
}

// handOver gives a connection to net/http.
func (s *Server) handOver(c *conn) {
	s.mu.Lock()
	delete(s.own, c)
	s.mu.Unlock()
	c.head, c.req, c.rep = "", Request{}, Reply{}
	c.SetDeadline(time.Time{}) // it sets its own; if the connection is gone it will see
	c.readUntil, c.writeUntil = time.Time{}, time.Time{}
	if !s.others.put(c) {
		c.Close()
	}
}

// leave forgets a connection that is closed.
func (s *Server) leave(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	delete(s.own, c)
}

// drain closes connections of ours that are idle until there are none, and
// waits until those that were given away are closed.
func (s *Server) drain(ctx context.Context) error {
	const interval = 10 * time.Millisecond
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for s.closeOwn(func(c *conn) bool { return !c.busy.Load() })+s.countAway() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// closeOwn closes the connections of ours that which reports true for, and
// returns how many others there are.
func (s *Server) closeOwn(which func(*conn) bool) (left int) {
	var closing []*conn
	s.mu.Lock()
	for c := range s.own {
		if which(c) {
			closing = append(closing, c)
		} else {
			left++
		}
	}
	s.mu.Unlock()
	for _, c := range closing {
		c.Close()
	}
	return left
}
