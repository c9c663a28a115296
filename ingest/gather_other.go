//go:build !linux

package ingest

import (
	"errors"
	"syscall"
)

// setLowWater sets how many bytes must wait in a socket before it counts as
// readable. Elsewhere than on Linux that does not keep the process asleep.
func setLowWater(syscall.RawConn, int) error { return errors.ErrUnsupported }

// readSocket is not reached where there is no low water.
func readSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
