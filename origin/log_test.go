package origin_test

import (
	"log/slog"
	"strings"
	"sync"
)

// newLog returns a logger and what it has written so far.
func newLog() (*slog.Logger, func() string) {
	b := &lockedBuilder{}
	return slog.New(slog.NewTextHandler(b, nil)), b.text
}

type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder // guarded by mu
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuilder) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
