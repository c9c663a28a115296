package load_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"

	"headwater/cmd/headwater/load"
)

func TestFailures(t *testing.T) {
	tests := []struct {
		name string
		errs []error
		want string
	}{
		{"nothing", nil, "none"},
		{"the most frequent one first", []error{io.EOF, syscall.ECONNRESET, fmt.Errorf("read: %w", syscall.ECONNRESET)}, "2 reset, 1 closed by the server"},
		{"as the system says it", []error{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}}, "1 refused"},
		{"out of time, in all its forms", []error{os.ErrDeadlineExceeded, context.DeadlineExceeded}, "2 timed out"},
		{"a name that is none", []error{&net.DNSError{Name: "x", IsNotFound: true}}, "1 host not found"},
		{"anything else", []error{errors.New("odd")}, "1 odd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := load.CountFailures(tt.errs).String(); got != tt.want {
				t.Errorf("%v = %q, want %q", tt.errs, got, tt.want)
			}
		})
	}
}

// A server that fails in ever new words costs no more than a few of them.
func TestFailuresAreBounded(t *testing.T) {
	var errs []error
	for i := range 1000 {
		errs = append(errs, fmt.Errorf("error %d", i))
	}
	if f := load.CountFailures(errs); len(f) > 17 || f.Total() != 1000 {
		t.Errorf("%d kinds of %d failures, want 17 at most of 1000", len(f), f.Total())
	}
}
