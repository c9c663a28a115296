//go:build !unix

package main

import (
	"errors"
	"fmt"
	"time"
)

// ownCPU returns how much processor time this process has taken.
func ownCPU() (time.Duration, error) {
	return 0, fmt.Errorf("read the processor time: %w on this system", errors.ErrUnsupported)
}
