//go:build !unix

package load

import (
	"errors"
	"sync"
	"syscall"
	"time"
)

const (
	readSize = 32 << 10
	canPoll  = false
)

func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, readSize); return &b }}
}

var errNoPolling = errors.New("not on this system")

// readReady is not to be had here; see canPoll.
func readReady(syscall.RawConn, *sync.Pool, func([]byte) error) error { return errNoPolling }

func smallWindow(string, string, syscall.RawConn) error { return nil }

func ownCPU() time.Duration { return 0 }
