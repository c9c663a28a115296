package load

import (
	"context"
	"errors"
	"net"
	"os"
	"time"
)

// kind is how a listener reads.
type kind uint8

const (
	usualKind kind = iota
	slowKind
	throttledKind
)

// listener is one connection. Only who reads from it touches it, until that has ended.
type listener struct {
	crowd *crowd
	kind  kind
	conn  net.Conn

	// Times are on the clock of the crowd.
	dialled   int64 // when connecting began
	connected int64 // when it was done
	answered  int64 // when the first byte of the answer came
	last      int64 // when media came last; 0 before the first

	rest  []byte
	body  body
	first firstFrame
	track *tracker // nil without a source
	gone  bool     // the server has ended the connection

	lowLatency bool // so the server says
}

// open connects, asks and reads the head of the answer.
func (l *listener) open(ctx context.Context) error {
	c := l.crowd
	l.dialled = c.now()
	conn, err := c.request.dial(ctx, l.kind != usualKind)
	if err != nil {
		return err
	}
	l.connected = c.now()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	err = l.ask(conn)
	if stopped := stop(); !stopped && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return err
	}
	l.conn = conn
	return nil
}

// ask sends the request and reads the head of the answer.
func (l *listener) ask(conn net.Conn) error {
	c := l.crowd
	if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte(c.request.text)); err != nil {
		return err
	}
	h, rest, first, err := readHead(conn)
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	l.answered = int64(first.Sub(c.start))
	l.rest = append([]byte(nil), rest...)
	l.body = body{chunked: h.chunked, titles: newTitles(h.interval)}
	l.first = newFirstFrame(h.contentType)
	if c.source != nil {
		l.track = &tracker{run: c.source.run}
	}
	l.lowLatency = h.lowLatency
	return nil
}

// begin counts the listener and takes what came with the head.
func (l *listener) begin() error {
	c := l.crowd
	c.connected.Add(1)
	c.connect.Record(time.Duration(l.connected - l.dialled))
	c.firstByte.Record(time.Duration(l.answered - l.dialled))
	rest := l.rest
	l.rest = nil
	return l.take(rest)
}

// end counts how the connection came to its end; by itself if that is
// [os.ErrDeadlineExceeded] while the crowd stops.
func (l *listener) end(err error) {
	c := l.crowd
	c.connected.Add(-1)
	if errors.Is(err, os.ErrDeadlineExceeded) && c.stopping.Load() {
		return
	}
	l.gone = true
	c.lost.add("", err)
}

// read reads until the crowd stops or the connection is lost: for listeners
// that the poller does not read for.
func (l *listener) read() error {
	switch l.kind {
	case slowKind:
		return l.wait()
	case throttledKind:
		return l.throttle()
	}
	b := make([]byte, 4<<10)
	for {
		n, err := l.conn.Read(b)
		if taken := l.take(b[:n]); taken != nil {
			return taken
		}
		if err != nil {
			return err
		}
	}
}

// wait reads nothing until the crowd stops.
func (l *listener) wait() error {
	<-l.crowd.ended
	return os.ErrDeadlineExceeded
}

// take follows what has come.
func (l *listener) take(b []byte) error {
	c := l.crowd
	now := c.now()
	c.bytes.Add(int64(len(b)))
	n, err := l.body.take(b, func(media []byte) { l.media(media, now) })
	if n > 0 {
		if at := c.steady.Load(); l.kind == usualKind && at > 0 && l.last >= at {
			c.gaps.Record(time.Duration(now - l.last))
		}
		l.last = now
	}
	return err
}

// media follows a piece of media.
func (l *listener) media(p []byte, now int64) {
	c := l.crowd
	if !l.first.found && l.first.take(p) {
		c.firstFrame.Record(time.Duration(now - l.dialled))
	}
	if l.track == nil {
		return
	}
	at := c.steady.Load()
	l.track.take(p, func(sent int64) {
		if l.kind == usualKind && at > 0 && sent >= at {
			c.ages.Record(time.Duration(now - sent))
		}
	})
}

// stop makes read return.
func (l *listener) stop() { l.conn.SetReadDeadline(time.Unix(1, 0)) }

// leave closes the connection when nobody reads from it any more, and notes how
// the listener was at the end.
func (l *listener) leave() {
	l.conn.Close()
	c := l.crowd
	if l.kind != usualKind || l.gone {
		return
	}
	if open := c.closed - l.last; open > int64(silence) {
		c.silent++
		c.gaps.Record(time.Duration(open)) // or the worst of all would not be seen
	}
	if l.track != nil && l.track.frames > 0 {
		c.behind.Record(time.Duration(c.closed - l.track.newest))
	}
}
