package live

import (
	"context"
	"os"
	"sync"
	"time"
)

// worker sends to its share of the listeners. All but arrived is of run.
type worker struct {
	wake  chan struct{} // of capacity 1: a tail has more, or a listener arrived
	ended func(sent int64, err error)

	mu      sync.Mutex
	arrived []*fanned // guarded by mu
	closed  bool      // run has ended; guarded by mu

	groups  map[*Tail]*group
	socket  socket
	scratch [][]byte
}

// group is the listeners of one tail.
type group struct {
	listeners []*fanned
	version   uint64 // of the tail when they were sent to last
	behind    int    // how many of them are blocked
}

func newWorker(ended func(int64, error)) *worker {
	return &worker{wake: make(chan struct{}, 1), ended: ended, groups: map[*Tail]*group{}}
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
		l.end(w.ended, context.Canceled)
		return
	}
	select {
	case w.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// run sends until ctx ends.
func (w *worker) run(ctx context.Context) {
	retry := time.NewTicker(time.Hour)
	retry.Stop()
	retrying := false
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
		behind := w.pass(now) > 0
		if behind && !retrying {
			retry.Reset(retryInterval)
		} else if !behind && retrying {
			retry.Stop()
		}
		retrying = behind
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
		g := w.groups[l.tail]
		if g == nil {
			g = &group{}
			w.groups[l.tail] = g
			l.tail.rouse(w.wake)
		}
		l.progress = now
		if over, err := w.attend(l, now); over {
			l.end(w.ended, err)
			continue
		}
		if l.batch != nil {
			g.behind++
		}
		g.listeners = append(g.listeners, l)
	}
}

// pass sends to all who lack something, and returns how many of them take no
// more for the moment.
func (w *worker) pass(now time.Time) (behind int) {
	for t, g := range w.groups {
		if version := t.version.Load(); version != g.version || g.behind > 0 {
			g.version = version
			w.serve(g, now)
		}
		if len(g.listeners) == 0 {
			t.unrouse(w.wake)
			delete(w.groups, t)
		}
		behind += g.behind
	}
	return behind
}

// serve sends to the listeners of a group, and lets those go that have ended.
func (w *worker) serve(g *group, now time.Time) {
	g.behind = 0
	kept := g.listeners[:0]
	for _, l := range g.listeners {
		over, err := w.attend(l, now)
		if over {
			l.end(w.ended, err)
			continue
		}
		if l.batch != nil {
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
	if l.batch != nil && now.Before(l.again) {
		return false, nil
	}
	before := l.sent
	w.socket.raw = l.raw
	state, err := l.send(w.socket.write, &w.scratch)
	switch {
	case state == ended || err != nil:
		return true, err
	case state == current || l.sent > before:
		l.progress = now
	case now.Sub(l.progress) > stallTimeout:
		return true, os.ErrDeadlineExceeded
	}
	l.again = now.Add(retryInterval)
	return false, nil
}

// close lets all go.
func (w *worker) close(err error) {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.welcome(time.Now())
	for t, g := range w.groups {
		t.unrouse(w.wake)
		for _, l := range g.listeners {
			l.end(w.ended, err)
		}
	}
	clear(w.groups)
}
