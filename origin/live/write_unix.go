//go:build linux || darwin

package live

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// descriptor returns that of c, if c is a socket and not something above one.
// It may be used until c is closed, so by the one who closes c only.
func descriptor(c net.Conn) (fd int, ok bool) {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(f uintptr) { fd = int(f) })
	return fd, err == nil
}

// writeTo writes to a socket without waiting, until it has taken all or takes
// no more. It is what a [writer] is.
func writeTo(fd int, slices [][]byte) (n int, all bool, err error) {
	for len(slices) > 0 {
		k, err := writeSlices(fd, slices)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			return n, false, nil
		case err == unix.ETIMEDOUT: // see giveUp
			return n, false, os.ErrDeadlineExceeded
		case err != nil:
			return n, false, os.NewSyscallError("write", err)
		}
		n += max(k, 0)
		slices = consume(slices, max(k, 0))
	}
	return n, true, nil
}

func writeSlices(fd int, slices [][]byte) (int, error) {
	if len(slices) == 1 {
		return send(fd, slices[0])
	}
	return sendSlices(fd, slices)
}

// consume takes n bytes off the front of slices.
func consume(slices [][]byte, n int) [][]byte {
	for len(slices) > 0 && n >= len(slices[0]) {
		n -= len(slices[0])
		slices = slices[1:]
	}
	if n > 0 {
		slices[0] = slices[0][n:]
	}
	return slices
}
