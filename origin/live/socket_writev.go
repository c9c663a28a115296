//go:build linux || darwin

package live

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// rawWriter gives out the file descriptor of a connection.
type rawWriter = syscall.RawConn

// rawConn returns that of c, or nil if it has none.
func rawConn(c net.Conn) rawWriter {
	sys, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// socket writes to one connection after the other, without waiting.
type socket struct {
	raw rawWriter

	slices [][]byte // rest of what is being written
	n      int      // bytes that were taken
	err    error
	try    func(fd uintptr) // attempt, made once
}

// write is a [writer] to the connection raw.
func (s *socket) write(slices [][]byte) (n int, all bool, err error) {
	if s.try == nil {
		s.try = s.attempt
	}
	s.slices, s.n, s.err = slices, 0, nil
	if err := s.raw.Control(s.try); err != nil { // nobody else writes, so it needs no lock of the connection
		return s.n, false, err
	}
	if s.err == unix.EAGAIN {
		return s.n, false, nil
	}
	return s.n, s.err == nil, s.err
}

// attempt writes until all is taken or nothing more is.
func (s *socket) attempt(fd uintptr) {
	for len(s.slices) > 0 {
		n, err := writeSlices(int(fd), s.slices)
		switch {
		case err == unix.EINTR:
		case err == unix.EAGAIN:
			s.err = err
			return
		case err == unix.ETIMEDOUT: // see giveUp
			s.err = os.ErrDeadlineExceeded
			return
		case err != nil:
			s.err = os.NewSyscallError("write", err)
			return
		}
		s.n += max(n, 0)
		s.slices = consume(s.slices, max(n, 0))
	}
}

// maxSlices is how many slices the kernel takes at a time (IOV_MAX).
const maxSlices = 1024

func writeSlices(fd int, slices [][]byte) (int, error) {
	if len(slices) == 1 {
		return send(fd, slices[0])
	}
	return unix.Writev(fd, slices[:min(len(slices), maxSlices)])
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
