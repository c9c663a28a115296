package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// tally counts events that a stranger can cause at will, and logs them at most
// once a second, with how many there were since the last line.
type tally struct {
	log     *slog.Logger
	message string

	mu     sync.Mutex
	count  uint64    // since the last line; guarded by mu
	last   slog.Attr // of the newest event; guarded by mu
	logged time.Time // guarded by mu
}

// add counts one event; detail tells of this one.
func (t *tally) add(detail slog.Attr) {
	t.mu.Lock()
	t.count++
	t.last = detail
	due := time.Since(t.logged) >= time.Second
	t.mu.Unlock()
	if due {
		t.flush()
	}
}

// flush logs what was not logged yet.
func (t *tally) flush() {
	t.mu.Lock()
	count, last := t.count, t.last
	t.count, t.logged = 0, time.Now()
	t.mu.Unlock()
	if count > 0 {
		t.log.LogAttrs(context.Background(), slog.LevelWarn, t.message, slog.Uint64("count", count), last)
	}
}
