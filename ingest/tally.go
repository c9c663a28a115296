package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Tally counts events that a stranger can cause at will, and logs them at most
// once a second: the newest, and how many there were since the last line if
// there were several. It is safe for concurrent use.
type Tally struct {
	log     *slog.Logger
	message string

	mu     sync.Mutex
	count  uint64      // since the last line; guarded by mu
	last   []slog.Attr // of the newest event; guarded by mu
	logged time.Time   // guarded by mu
}

// NewTally returns a counter of events that message tells of, as a warning.
func NewTally(log *slog.Logger, message string) *Tally { return &Tally{log: log, message: message} }

// Add counts one event; details tell of this one.
func (t *Tally) Add(details ...slog.Attr) {
	t.mu.Lock()
	t.count++
	t.last = details
	due := time.Since(t.logged) >= time.Second
	t.mu.Unlock()
	if due {
		t.Flush()
	}
}

// Flush logs what was not logged yet.
func (t *Tally) Flush() {
	t.mu.Lock()
	count, attrs := t.count, t.last
	t.count, t.logged = 0, time.Now()
	t.mu.Unlock()
	if count == 0 {
		return
	}
	if count > 1 {
		attrs = append(attrs[:len(attrs):len(attrs)], slog.Uint64("count", count))
	}
	t.log.LogAttrs(context.Background(), slog.LevelWarn, t.message, attrs...)
}
