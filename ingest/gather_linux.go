package ingest

import (
	"io"
	"syscall"
	"unsafe"
)

// setLowWater sets how many bytes must wait in a socket before it counts as readable.
func setLowWater(raw syscall.RawConn, n int) error {
	var err error
	if e := raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, n)
	}); e != nil {
		return e
	}
	return err
}

// readSocket reads what waits in a socket into p, which has room. The error is
// syscall.EAGAIN if nothing does, and io.EOF at the end. The scheduler of Go is
// not told of the call, which cannot wait.
func readSocket(fd uintptr, p []byte) (int, error) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch {
		case errno == syscall.EINTR:
			continue
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		}
		return int(n), nil
	}
}
