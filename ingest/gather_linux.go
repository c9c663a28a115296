package ingest

import "syscall"

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
