//go:build unix

package main

import (
	"fmt"
	"syscall"
)

// raiseFileLimit returns how many files the process may open. The limit is
// raised to want if it is lower and may be: package os has already made it what
// an ordinary user can have, and more is for the administrator.
func raiseFileLimit(want int) (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return noFileLimit, fmt.Errorf("ask for the file limit: %w", err)
	}
	now := clampFiles(limit.Cur)
	if now >= want {
		return now, nil
	}
	setFiles(&limit.Cur, max(want, now))
	setFiles(&limit.Max, max(want, clampFiles(limit.Max)))
	if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return now, nil // not the administrator, or more than the system has
	}
	return want, nil
}

// clampFiles returns a limit as an int: the types differ between systems.
func clampFiles[T int64 | uint64](n T) int {
	if n < 0 || uint64(n) > noFileLimit {
		return noFileLimit
	}
	return int(n)
}

func setFiles[T int64 | uint64](to *T, n int) { *to = T(n) }
