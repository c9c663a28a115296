package ingest

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// Gathering: a live source sends a few packets at a time, and waking up for
// each costs more than what is done with them. A connection that brings little
// is left alone until the next point of a grid that all connections share, so
// that one wake-up of the process serves them all.
const (
	// gatherBusy is how much one read must bring for the next to follow at
	// once: a source that is behind, or faster than real time, is not slowed.
	gatherBusy = 64 << 10
	// gatherLow is what must wait in the socket for the system to wake us
	// meanwhile; it lets the socket's buffer grow to twice as much.
	gatherLow = 256 << 10
)

// gatherer reads one connection at the points of the grid. It asks the socket
// what is there and never waits for it, so that what comes between wakes nobody.
type gatherer struct {
	conn    *net.TCPConn
	raw     syscall.RawConn
	timeout time.Duration // of silence
	heard   time.Time     // when bytes came last
	low     bool          // the low water is set
	busy    bool          // the last read brought much, or all that there was room for

	try func(fd uintptr) // readNow, made once
	p   []byte           // arguments and results of try
	n   int
	err error
}

// newGatherer returns one for conn, or nil if it cannot be gathered: only TCP
// connections are, and what says by Plain that it is one and adds nothing.
// conn is read by nobody else but while it rests. now is when
// bytes came last; a connection that is silent for timeout after that has failed.
func newGatherer(conn Conn, timeout time.Duration, now time.Time) *gatherer {
	if outer, ok := conn.(interface{ Plain() net.Conn }); ok {
		if conn = outer.Plain(); conn == nil {
			return nil
		}
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	g := &gatherer{conn: tcp, raw: raw, timeout: timeout, heard: now}
	if !g.lower() {
		return nil
	}
	g.try = g.readNow
	return g
}

// lower has the socket wake nobody. It reports whether that can be had.
func (g *gatherer) lower() bool {
	g.low = setLowWater(g.raw, gatherLow) == nil && g.conn.SetReadDeadline(time.Time{}) == nil
	return g.low
}

// rest leaves the connection to others, until the next Read.
func (g *gatherer) rest() {
	if g.low {
		_ = setLowWater(g.raw, 1) // it could be set before; if the connection has gone, the next to read it will see
		g.low = false
	}
}

// Read waits for the next point of a grid, unless the last Read brought much or
// had no room for all, and reads what has come. It never returns 0 without an
// error, which is os.ErrDeadlineExceeded after a silence.
func (g *gatherer) Read(p []byte, grid time.Duration) (int, error) {
	if !g.low {
		g.lower()
		g.heard = time.Now()
	}
	for {
		if !g.busy {
			now := time.Now()
			time.Sleep(now.Truncate(grid).Add(grid).Sub(now))
		}
		g.p = p
		err := g.raw.Control(g.try) // nobody else reads, so it needs no lock of the connection
		g.p = nil
		if err == nil {
			err = g.err
		}
		if err == nil {
			g.busy, g.heard = g.n >= gatherBusy || g.n == len(p), time.Now()
			return g.n, nil
		}
		g.busy = false
		if err != syscall.EAGAIN {
			return 0, g.explain(err)
		}
		if time.Since(g.heard) >= g.timeout {
			return 0, g.explain(os.ErrDeadlineExceeded)
		}
	}
}

// readNow reads what is there.
func (g *gatherer) readNow(fd uintptr) { g.n, g.err = readSocket(fd, g.p) }

// explain says about a fault what Read of a [net.Conn] would.
func (g *gatherer) explain(err error) error {
	if _, ok := err.(*net.OpError); ok || err == io.EOF {
		return err
	}
	if _, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError("read", err)
	}
	return &net.OpError{Op: "read", Net: "tcp", Source: g.conn.LocalAddr(), Addr: g.conn.RemoteAddr(), Err: err}
}
