package folder

import (
	"context"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// calm is how long after an event the shelf is scanned: most come in crowds.
	calm = 200 * time.Millisecond
	// pollEvery is for file systems that tell nothing, and for what was missed.
	pollEvery = 30 * time.Second
	// longest is how long a crowd of events may put off a scan.
	longest = 5 * time.Second
)

// watch scans the shelf whenever something has changed, until ctx ends.
func (s *shelf) watch(ctx context.Context) {
	events, faults := make(<-chan fsnotify.Event), make(<-chan error)
	w, err := fsnotify.NewWatcher()
	if err != nil {
		s.log.Warn("changes are seen late, each 30 s: the system lets no more be watched", "folder", s.path, "error", err)
	} else {
		defer w.Close()
		events, faults = w.Events, w.Errors
	}
	watched := map[string]bool{}
	var first time.Time // of the events since the last scan
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			if first.IsZero() {
				first = time.Now()
			}
			if e.Op != fsnotify.Chmod && time.Since(first) < longest {
				timer.Reset(calm)
			}
		case <-faults: // events were lost
			timer.Reset(calm)
		case now := <-timer.C:
			first = time.Time{}
			again := pollEvery
			if s.scan(now) {
				again = settled
			}
			if w != nil && s.look(w, watched) {
				again = calm
			}
			timer.Reset(again)
		}
	}
}

// look watches the folders that the last scan found. It reports whether one is
// new: what came into it before it was watched must be looked for once more.
func (s *shelf) look(w *fsnotify.Watcher, watched map[string]bool) (fresh bool) {
	there := map[string]bool{}
	for _, dir := range s.found.Load().folders {
		there[dir] = true
		if !watched[dir] && w.Add(dir) == nil { // else it is polled
			watched[dir], fresh = true, true
		}
	}
	for dir := range watched {
		if !there[dir] {
			_ = w.Remove(dir) // which a folder that was removed is already
			delete(watched, dir)
		}
	}
	return fresh
}
