package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// Failures says how often what went wrong, by kind: "refused", "reset",
// "status 503" and so on.
type Failures map[string]int

// Total returns how many failures there are.
func (f Failures) Total() (n int) {
	for _, k := range f {
		n += k
	}
	return n
}

// String returns the kinds with their numbers, the most frequent one first, or "none".
func (f Failures) String() string {
	if len(f) == 0 {
		return "none"
	}
	kinds := slices.SortedFunc(maps.Keys(f), func(a, b string) int {
		if f[a] != f[b] {
			return f[b] - f[a]
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(kinds))
	for i, k := range kinds {
		parts[i] = fmt.Sprintf("%s %s", number(f[k]), k)
	}
	return strings.Join(parts, ", ")
}

// statusError is an answer that is not what was asked for.
type statusError int

func (s statusError) Error() string { return fmt.Sprintf("status %d", int(s)) }

// failureKinds are told apart by what an error is, in this order.
var failureKinds = []struct {
	is   error
	kind string
}{
	{syscall.ECONNREFUSED, "refused"},
	{syscall.ECONNRESET, "reset"},
	{syscall.EPIPE, "closed by the server"},
	{syscall.EMFILE, "too many open files here (ulimit -n)"},
	{syscall.EADDRNOTAVAIL, "no local port left"},
	{io.EOF, "closed by the server"},
	{io.ErrUnexpectedEOF, "closed by the server"},
	{os.ErrDeadlineExceeded, "timed out"},
}

// kindOf puts err into a word or two.
func kindOf(err error) string {
	var status statusError
	if errors.As(err, &status) {
		return status.Error()
	}
	for _, k := range failureKinds {
		if errors.Is(err, k.is) {
			return k.kind
		}
	}
	var timeout net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &name):
		return "host not found"
	case errors.As(err, &certificate):
		return "certificate not trusted"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timed out"
	}
	return err.Error()
}

// maxKinds bounds the kinds of failures that are told apart.
const maxKinds = 16

// failures counts errors by kind.
type failures struct {
	mu     sync.Mutex
	counts Failures // guarded by mu
}

// add counts err, which happened to what; "" if that goes without saying.
func (f *failures) add(what string, err error) {
	kind := kindOf(err)
	if what != "" {
		kind = what + ": " + kind
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = Failures{}
	}
	if f.counts[kind] == 0 && len(f.counts) >= maxKinds {
		kind = "others"
	}
	f.counts[kind]++
}

// all returns a copy; never nil, so that JSON has an object.
func (f *failures) all() Failures {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := Failures{}
	maps.Copy(all, f.counts)
	return all
}
