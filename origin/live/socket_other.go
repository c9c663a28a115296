//go:build !linux && !darwin

package live

import (
	"errors"
	"net"
)

// rawWriter does not exist here: each listener has a goroutine.
type rawWriter any

func rawConn(net.Conn) rawWriter { return nil }

type socket struct{ raw rawWriter }

func (s *socket) write([][]byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
