//go:build !linux

package live

import (
	"syscall"
	"time"
)

// kernel does not say here what it has of a connection.
type kernel struct{}

func newKernel(syscall.RawConn, bool) *kernel { return nil }

func (*kernel) unsent() (n int, ok bool) { return 0, false }

func limitBuffer(syscall.RawConn, int64) {}

// giveUp leaves it to writes to find clients that take nothing.
func giveUp(syscall.RawConn, time.Duration) {}
