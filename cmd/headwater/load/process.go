package load

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// Process is a running program that is watched from outside, by Linux's /proc.
// The zero value is none.
type Process int

// CPU returns the user and system time that the process took so far, in steps
// of 10 ms (proc_pid_stat(5)).
func (p Process) CPU() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p))
	if err != nil {
		return 0, err
	}
	behind := bytes.LastIndexByte(text, ')') // of the name, which may hold anything
	fields := bytes.Fields(text[behind+1:])
	const utime, stime, tick = 11, 12, 10 * time.Millisecond // counted from the state; USER_HZ is 100
	if len(fields) <= stime {
		return 0, fmt.Errorf("/proc/%d/stat: too short", p)
	}
	var sum time.Duration
	for _, f := range [][]byte{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", p, err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

// RSS returns the resident set of the process in bytes (proc_pid_status(5)).
func (p Process) RSS() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(text, []byte("\nVmRSS:"))
	if fields := bytes.Fields(rest); found && len(fields) > 0 {
		kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/status: %w", p, err)
		}
		return kib << 10, nil
	}
	return 0, fmt.Errorf("/proc/%d/status: %w", p, errNoRSS)
}

var errNoRSS = errors.New("no VmRSS: the process has ended")

// check says whether the process can be watched.
func (p Process) check() error {
	if p == 0 {
		return nil
	}
	if _, err := p.CPU(); err != nil {
		return fmt.Errorf("watch process %d: %w", p, err)
	}
	return nil
}

// Usage is what a process took while it was measured.
type Usage struct {
	CPU       float64 `json:"cpu_percent"`      // of one core
	RSSBefore int64   `json:"rss_before_bytes"` // before any load
	RSS       int64   `json:"rss_bytes"`        // at the end
	RSSMax    int64   `json:"rss_max_bytes"`    // of what was seen each second
}
