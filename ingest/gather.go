package ingest

import (
	"net"
	"syscall"
	"time"
)

// Gathering: a live source sends a few packets at a time, and waking up for
// each costs more than what is done with them. A connection that brings little
// is left alone until the next point of a grid that all connections share, so
// that one wake-up of the process serves them all.
const (
	// gatherBusy is how much one Read must bring for the next to follow at
	// once: a source that is behind, or faster than real time, is not slowed.
	gatherBusy = 64 << 10
	// gatherLow is what must wait in the socket for the system to wake us
	// meanwhile; it lets the socket's buffer grow to twice as much.
	gatherLow = 256 << 10
)

// gatherer lets the bytes of one connection come together.
type gatherer struct {
	every time.Duration // the grid; 0 means that nothing is gathered
	raw   syscall.RawConn
}

// newGatherer returns one for conn. Only TCP connections are gathered.
func newGatherer(conn net.Conn, every time.Duration) gatherer {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || every <= 0 {
		return gatherer{}
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return gatherer{}
	}
	return gatherer{every: every, raw: raw}
}

// wait waits for the next point of the grid after a Read that ended at now and
// brought n bytes.
func (g *gatherer) wait(n int, now time.Time) {
	if g.every == 0 || n >= gatherBusy || setLowWater(g.raw, gatherLow) != nil {
		return
	}
	time.Sleep(now.Truncate(g.every).Add(g.every).Sub(now))
	if err := setLowWater(g.raw, 1); err != nil {
		g.every = 0 // the connection has gone; Read will say so
	}
}
