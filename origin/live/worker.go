package live

import (
	"context"
	"math"
	"os"
	"slices"
	"sync"
	"time"
)

// worker sends to its share of the listeners. All but arrived is of run.
type worker struct {
	*bell // a tail has more, a listener arrived, or one has an order
	cfg   *FanConfig

	mu      sync.Mutex
	arrived []*fanned // guarded by mu
	closed  bool      // run has ended; guarded by mu

	groups  map[*Tail]*group
	lossy   []*group  // those of them whose tails are lossy
	rest    time.Time // until when these let others have their turn
	moved   []*fanned // go on with another tail
	scratch [][]byte
}

// group is the listeners of one tail.
type group struct {
	tail      *Tail
	listeners []*fanned
	version   uint64    // of the tail when they were sent to last
	behind    int       // how many of them are blocked
	again     time.Time // when those are tried again
}

// hurryAfter is how many listeners may be sent to before those of lossy tails
// have their turn.
const hurryAfter = 32

func newWorker(cfg *FanConfig) *worker {
	return &worker{bell: newBell(), cfg: cfg, groups: map[*Tail]*group{}}
}

// add gives the worker a listener.
func (w *worker) add(l *fanned) {
	w.mu.Lock()
	closed := w.closed
	if !closed {
		w.arrived = append(w.arrived, l)
	}
	w.mu.Unlock()
	if closed {
		l.end(w.cfg.Ended, context.Canceled)
		return
	}
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// run sends until ctx ends.
func (w *worker) run(ctx context.Context) {
	retry := time.NewTimer(time.Hour)
	for {
		select {
		case <-w.wake:
		case <-retry.C:
		case <-ctx.Done():
			w.close(context.Cause(ctx))
			return
		}
		now := time.Now()
		w.welcome(now)
		if again := w.pass(now); again > 0 {
			retry.Reset(again)
		}
	}
}

// welcome takes the listeners that have arrived, and sends them what has come
// since they were sent to.
func (w *worker) welcome(now time.Time) {
	w.mu.Lock()
	arrived := w.arrived
	w.arrived = nil
	w.mu.Unlock()
	for _, l := range arrived {
		g := w.group(l.tail)
		l.progress = now
		if over, err := w.attend(l, now); over {
			l.end(w.cfg.Ended, err)
			continue
		}
		if l.tail != g.tail {
			w.moved = append(w.moved, l)
			continue
		}
		if l.waits {
			g.behind++
		}
		g.listeners = append(g.listeners, l)
	}
}

// regroup takes listeners to the groups of the tails that they go on with.
func (w *worker) regroup() {
	for _, l := range w.moved {
		g := w.group(l.tail)
		g.listeners = append(g.listeners, l)
		if l.waits {
			g.behind++
		}
		w.ring() // the tail may have ended before it could wake w
	}
	clear(w.moved)
	w.moved = w.moved[:0]
}

// group returns the group of a tail, which it makes if there is none.
func (w *worker) group(t *Tail) *group {
	g := w.groups[t]
	if g == nil {
		g = &group{tail: t}
		w.groups[t] = g
		if t.Lossy() {
			w.lossy = append(w.lossy, g)
		}
		t.rouse(w.wake)
	}
	return g
}

// pass sends to all who lack something. It returns when to do so again if
// there are some who take no more for the moment, else 0.
func (w *worker) pass(now time.Time) (again time.Duration) {
	if w.rung.Swap(false) {
		w.obey(now)
	}
	w.hurry(now)
	for t, g := range w.groups {
		if !t.Lossy() {
			w.look(g, now)
		}
		if len(g.listeners) == 0 {
			t.unrouse(w.wake)
			delete(w.groups, t)
			w.lossy = slices.DeleteFunc(w.lossy, func(l *group) bool { return l == g })
		}
		if g.behind > 0 && (again == 0 || t.retry() < again) {
			again = t.retry()
		}
	}
	w.regroup()
	return again
}

// obey looks at all listeners, for orders that some have.
func (w *worker) obey(now time.Time) {
	for _, g := range w.groups {
		g.version = math.MaxUint64 // so that there is something for all
		w.look(g, now)
	}
}

// hurry sends to the listeners of lossy tails.
func (w *worker) hurry(now time.Time) {
	if len(w.lossy) == 0 {
		return
	}
	for _, g := range w.lossy {
		w.look(g, now)
	}
	end := time.Now()
	w.rest = end.Add(end.Sub(now))
}

// look sends to a group if there is something for it, or time to try again.
func (w *worker) look(g *group, now time.Time) {
	version := g.tail.version.Load()
	if version == g.version && (g.behind == 0 || now.Before(g.again)) {
		return
	}
	more := version != g.version
	g.version, g.behind, g.again = version, 0, now.Add(g.tail.retry())
	kept := g.listeners[:0]
	for i, l := range g.listeners {
		if i%hurryAfter == hurryAfter-1 && !g.tail.Lossy() {
			if now := time.Now(); now.After(w.rest) { // half of the time is for the others
				w.hurry(now)
			}
		}
		if more || l.waits {
			if over, err := w.attend(l, now); over {
				l.end(w.cfg.Ended, err)
				continue
			}
		}
		if l.tail != g.tail {
			w.moved = append(w.moved, l)
			continue
		}
		if l.waits {
			g.behind++
		}
		kept = append(kept, l)
	}
	clear(g.listeners[len(kept):])
	g.listeners = kept
	clear(w.scratch[:cap(w.scratch)])
}

// attend sends to one listener. It reports whether that was the last time.
func (w *worker) attend(l *fanned, now time.Time) (over bool, err error) {
	if l.obey() {
		return true, ErrEnded
	}
	if l.batch != nil && now.Before(l.again) {
		return false, nil
	}
	before := l.sent
	state, err := l.send(func(slices [][]byte) (int, bool, error) { return writeTo(l.fd, slices) }, &w.scratch, now)
	switch {
	case state == ended || err != nil:
		return true, err
	case l.stalled(state, before, now):
		return true, os.ErrDeadlineExceeded
	}
	retry := l.tail.retry()
	if l.pause = min(2*l.pause, retryMost*retry); l.sent > before || l.pause == 0 {
		l.pause = retry
	}
	l.waits, l.again = state == blocked, now.Add(l.pause)
	return false, nil
}

// close lets all go.
func (w *worker) close(err error) {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.welcome(time.Now())
	w.regroup()
	for t, g := range w.groups {
		t.unrouse(w.wake)
		for _, l := range g.listeners {
			l.end(w.cfg.Ended, err)
		}
	}
	clear(w.groups)
	w.lossy = nil
}
