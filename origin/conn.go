package origin

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// stallTimeout is how long a client may take nothing of what is sent to it.
	stallTimeout = 30 * time.Second
	// deadlineSlack saves system calls: a deadline is moved only when it would
	// move by more than this.
	deadlineSlack = 5 * time.Second
	// progressBytes is sent under one deadline: who takes less than this in
	// stallTimeout (4 KiB a second) has stalled.
	progressBytes = 128 << 10
)

// listener gives out a limited number of connections whose writes time out by
// progress. A total limit would cut off slow but living clients (hls-rules D20).
type listener struct {
	net.Listener
	slots chan struct{}   // holds one for each open connection
	ended context.Context // when the listener is closed
	end   context.CancelFunc
}

func newListener(l net.Listener, limit int) *listener {
	ended, end := context.WithCancel(context.Background())
	return &listener{l, make(chan struct{}, limit), ended, end}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.ended.Done():
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &conn{Conn: c, release: sync.OnceFunc(func() { <-l.slots })}, nil
}

func (l *listener) Close() error {
	l.end()
	return l.Listener.Close()
}

// conn moves its write deadline with each piece that the kernel takes. Its
// ReadFrom keeps sendfile and writev within reach of net/http, which hands
// over to the connection whatever the handler gave to ReadFrom.
type conn struct {
	net.Conn
	deadline time.Time // of writes, as last set; used by the one writing goroutine
	release  func()    // gives the place in the listener back
}

func (c *conn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// buffersReader is a source of bytes that exist in memory as slices.
type buffersReader interface {
	// NextBuffers returns at least one byte and about limit at most, or
	// nothing at the end. The slices of bytes are not changed.
	NextBuffers(limit int) net.Buffers
}

func (c *conn) Write(p []byte) (int, error) {
	var n int
	for {
		if err := c.extend(); err != nil {
			return n, err
		}
		k, err := c.Conn.Write(p[n:min(n+progressBytes, len(p))])
		n += k
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// ReadFrom sends all of r: files by sendfile, slices by writev.
func (c *conn) ReadFrom(r io.Reader) (int64, error) {
	switch src := r.(type) {
	case *io.LimitedReader:
		return c.sendFile(src)
	case buffersReader:
		return c.sendBuffers(src)
	}
	return io.Copy(writerOnly{c}, r)
}

func (c *conn) sendFile(src *io.LimitedReader) (n int64, err error) {
	to, ok := c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(writerOnly{c}, src)
	}
	for src.N > 0 && err == nil {
		if err = c.extend(); err != nil {
			return n, err
		}
		piece := io.LimitedReader{R: src.R, N: min(src.N, progressBytes)}
		var k int64
		k, err = to.ReadFrom(&piece)
		n, src.N = n+k, src.N-k
		if k == 0 && err == nil {
			return n, io.ErrUnexpectedEOF
		}
	}
	return n, err
}

func (c *conn) sendBuffers(src buffersReader) (n int64, err error) {
	for {
		b := src.NextBuffers(progressBytes)
		if len(b) == 0 {
			return n, nil
		}
		if err := c.extend(); err != nil {
			return n, err
		}
		k, err := b.WriteTo(c.Conn)
		n += k
		if err != nil {
			return n, err
		}
	}
}

// extend allows the client another stallTimeout.
func (c *conn) extend() error {
	want := time.Now().Add(stallTimeout)
	if want.Sub(c.deadline) < deadlineSlack {
		return nil
	}
	c.deadline = want
	return c.Conn.SetWriteDeadline(want)
}

// writerOnly hides ReadFrom from io.Copy.
type writerOnly struct{ io.Writer }
