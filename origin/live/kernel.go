package live

import (
	"net"
	"syscall"
)

// bottom returns the connection of the kernel below c, or nil.
func bottom(c net.Conn) syscall.RawConn {
	for c != nil {
		if sys, ok := c.(syscall.Conn); ok {
			raw, err := sys.SyscallConn()
			if err != nil {
				return nil
			}
			return raw
		}
		inner, ok := c.(interface{ NetConn() net.Conn }) // as tls.Conn has it
		if !ok {
			return nil
		}
		c = inner.NetConn()
	}
	return nil
}

// Sees reports whether the kernel says how much it has yet to send over c. Where
// it does not, a lossy tail finds out that a listener is late when c takes no more.
func Sees(c net.Conn) bool { return newKernel(bottom(c), false) != nil }

// prepare tells the kernel what matters of raw, which is below the connection of
// l or nil. A lossy tail follows what it sends, and lets it hold little. owned:
// nobody else closes the connection.
func (l *listener) prepare(raw syscall.RawConn, owned bool) {
	if raw == nil {
		return
	}
	giveUp(raw, l.stall)
	if l.tail.Lossy() {
		if l.kernel = newKernel(raw, owned); l.kernel != nil {
			l.tail.limit(raw)
		}
	}
}

// limit keeps the kernel from holding much for a listener.
func (t *Tail) limit(raw syscall.RawConn) {
	length, least := sendTime, int64(64<<10)
	if t.Lossy() {
		length, least = sendLossy, 8<<10
	}
	rate := t.Rate()
	if rate == 0 && t.Packets() { // not known yet
		rate = usualRate
	}
	limitBuffer(raw, max(least, int64(float64(rate)/8*length.Seconds())))
}
