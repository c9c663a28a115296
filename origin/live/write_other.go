//go:build !linux && !darwin

package live

import (
	"errors"
	"net"
)

// descriptor does not exist here: each listener has a goroutine.
func descriptor(net.Conn) (fd int, ok bool) { return 0, false }

func writeTo(int, [][]byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
