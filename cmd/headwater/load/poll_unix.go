//go:build unix

package load

import (
	"io"
	"sync"
	"syscall"
	"time"
)

// readSize is how much is read at a time. No listener holds a buffer while it waits.
const readSize = 32 << 10

// canPoll says whether [readReady] works on this system.
const canPoll = true

// newBuffers returns a pool of *[]byte of readSize.
func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, readSize); return &b }}
}

// readReady calls take with what comes over conn whenever something does, until
// take or the connection has an error, which it returns. A read that leaves the
// buffer room has emptied the socket (epoll(7)), so it is the only system
// call of a wake-up: half of what the usual loop over Read costs. Should the end
// of the connection come together with the last bytes, it is found when the
// read deadline has passed.
func readReady(conn syscall.RawConn, buffers *sync.Pool, take func([]byte) error) error {
	var failed error
	read := func(fd uintptr) (done bool) {
		b := buffers.Get().(*[]byte)
		defer buffers.Put(b)
		for {
			n, err := syscall.Read(int(fd), *b)
			switch {
			case err == syscall.EINTR:
				continue
			case err == syscall.EAGAIN:
				return false
			case err != nil:
				failed = err
				return true
			case n == 0:
				failed = io.EOF
				return true
			}
			if failed = take((*b)[:n]); failed != nil {
				return true
			}
			if n < len(*b) {
				return false
			}
		}
	}
	err := conn.Read(read)
	if failed != nil {
		return failed
	}
	if gone := conn.Control(func(fd uintptr) { read(fd) }); gone == nil && failed != nil {
		return failed
	}
	return err
}

// smallWindow is a [net.Dialer] Control: it leaves the connection little room in
// the kernel, so that a client that does not read is felt at the other end.
func smallWindow(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
	})
	if err != nil {
		return err
	}
	return failed
}

// ownCPU returns the user and system time of this process.
func ownCPU() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
