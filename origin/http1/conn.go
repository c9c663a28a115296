package http1

import (
	"bytes"
	"net"
	"sync/atomic"
	"time"
)

const (
	// readBytes is what the buffer of a connection begins with: nearly all
	// requests are shorter.
	readBytes = 1 << 10
	// gatherBytes is how much is gathered of the answers to requests that were
	// sent ahead before it is sent.
	gatherBytes = 16 << 10
	// smallBody is up to how much of a body is copied behind its head, which
	// costs less than to tell the kernel of two pieces.
	smallBody = 64 << 10
)

// conn is one connection. serve answers its requests, in one goroutine, until
// the connection ends or has another owner: net/http uses it as any net.Conn.
type conn struct {
	net.Conn
	server *Server

	in   []byte // was read, and is not answered yet
	out  []byte // was answered, and is not sent yet
	head string // the last request as it was sent, for players repeat themselves
	req  Request
	rep  Reply

	buffer *[]byte // of out, from Server.buffers; nil while there is nothing in it

	readUntil, writeUntil time.Time // the deadlines as last set; zero if that is not known
	// busy is set from when a request is there until its answer is sent. The
	// server closes what is not busy when it stops.
	busy   atomic.Bool
	closed atomic.Bool
}

// serve answers requests until the connection is closed or handed over.
func (c *conn) serve() {
	defer func() {
		if fault := recover(); fault != nil {
			c.rep.closeFile()
			c.server.cfg.Panicked(c.req.Path, fault)
			c.Close()
		}
	}()
	patience := headerTimeout // for the first byte, and for each byte after it
	for {
		end, err := c.readHead(patience)
		if err != nil {
			break
		}
		c.busy.Store(true)
		if c.server.publishes(c.in[:end]) {
			if c.flush() == nil {
				c.publish()
				return
			}
			break
		}
		if !c.parse(end) || !c.server.cfg.Handler.Answer(&c.req, &c.rep) {
			if c.flush() != nil {
				break
			}
			c.server.handOver(c)
			return
		}
		if c.rep.take != nil {
			c.giveAway()
			return
		}
		closing := c.req.Close || c.server.stopping.Load()
		err = c.send(closing)
		c.in = c.in[:copy(c.in, c.in[end:])]
		if err != nil {
			break
		}
		if !closing && headEnd(c.in, 0) > 0 && len(c.out) < gatherBytes {
			continue // the next request was sent ahead
		}
		if c.flush() != nil || closing {
			break
		}
		c.busy.Store(false)
		if c.server.stopping.Load() {
			break
		}
		patience = idleTimeout
	}
	c.Close()
}

// readHead reads until the head of a request is there, and returns where it
// ends in c.in. What cannot become one of ours is returned as it is.
func (c *conn) readHead(patience time.Duration) (end int, err error) {
	for seen := 0; ; {
		if end = headEnd(c.in, seen); end > 0 {
			return end, nil
		}
		if seen = len(c.in); seen > 0 {
			if first := c.in[0]; first < 'A' || first > 'Z' || seen >= maxHeaderBytes {
				return seen, nil
			}
			if patience != headerTimeout {
				patience, c.readUntil = headerTimeout, time.Time{}
			}
		}
		if err := c.extendRead(patience); err != nil {
			return 0, err
		}
		if cap(c.in)-seen < readBytes/2 {
			c.in = append(make([]byte, 0, max(readBytes, 2*cap(c.in))), c.in...)
		}
		n, err := c.Conn.Read(c.in[seen:cap(c.in)])
		if n == 0 && err != nil {
			return 0, err
		}
		c.in = c.in[:seen+n]
	}
}

// headEnd returns the end of the first head in b, or 0 if it is not all there.
// The bytes before seen are known to have no end. Lines that end with a bare
// LF count too: it is net/http that decides about them.
func headEnd(b []byte, seen int) int {
	for i := max(0, seen-2); ; {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		rest := b[i:]
		if len(rest) > 0 && rest[0] == '\r' {
			rest = rest[1:]
		}
		if len(rest) > 0 && rest[0] == '\n' {
			return len(b) - len(rest) + 1
		}
	}
}

// parse makes c.req of the head in c.in[:end], and reports whether it is one.
func (c *conn) parse(end int) (ok bool) {
	c.rep.Reset()
	if string(c.in[:end]) == c.head {
		return true
	}
	c.head = string(c.in[:end])
	if c.req, ok = parse(c.head); !ok {
		c.head = ""
	}
	c.req.Conn = c.Conn
	return ok
}

// Read gives net/http first what was read before the connection was handed
// over.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.in) > 0 {
		n := copy(p, c.in)
		if c.in = c.in[n:]; len(c.in) == 0 {
			c.in = nil
		}
		return n, nil
	}
	return c.Conn.Read(p)
}

// NetConn returns the connection below, as that of [crypto/tls.Conn] does.
func (c *conn) NetConn() net.Conn { return c.Conn }

// Close closes the connection, and gives its place in the server back.
func (c *conn) Close() error {
	if c.closed.CompareAndSwap(false, true) {
		c.server.leave(c)
	}
	return c.Conn.Close()
}
