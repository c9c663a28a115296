package http1

import (
	"errors"
	"maps"
	"net"
	"slices"
	"syscall"
	"time"
)

// away is a connection that was given away. It keeps nothing of what it took
// to read the request.
type away struct {
	net.Conn
	server *Server
}

// giveAway lets go of a connection, but for its place in the server.
func (s *Server) giveAway(c *conn) *away {
	a := &away{c.Conn, s}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.own, c)
	s.away[a] = struct{}{}
	c.closed.Store(true) // the place is given back by a
	return a
}

// cutAway cuts off the connections that were given away.
func (s *Server) cutAway() {
	s.mu.Lock()
	all := slices.Collect(maps.Keys(s.away))
	s.mu.Unlock()
	for _, a := range all {
		a.cut()
	}
}

// cut has all that the owner does with the connection fail. The owner still
// closes it: it may hold the descriptor, which nobody else may get before that.
func (a *away) cut() {
	if tcp, ok := a.Conn.(*net.TCPConn); ok { // what fails has gone already
		_ = tcp.CloseRead()
		_ = tcp.CloseWrite()
	}
	_ = a.Conn.SetDeadline(time.Unix(1, 0))
}

// Close closes the connection, and gives its place in the server back.
func (a *away) Close() error {
	a.server.mu.Lock()
	if _, ok := a.server.away[a]; ok {
		delete(a.server.away, a)
		a.server.open--
	}
	a.server.mu.Unlock()
	return a.Conn.Close()
}

// SyscallConn lets the owner write without waiting.
func (a *away) SyscallConn() (syscall.RawConn, error) {
	if sys, ok := a.Conn.(syscall.Conn); ok {
		return sys.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

func (s *Server) countAway() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.away)
}
