package ingest

import (
	"io"
	"syscall"
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

// readSocket reads what waits in a socket into p. The error is syscall.EAGAIN
// if nothing does, and io.EOF at the end.
func readSocket(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}
