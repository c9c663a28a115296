package ingest

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// errEvicted is the cause of a connection that made room for a newer one.
var errEvicted = errors.New("too many connections are waiting")

// lobby holds the connections that have not sent media yet, so that any number
// of silent ones can neither use up memory nor keep an encoder out.
type lobby struct {
	max int

	mu     sync.Mutex
	guests []*guest // oldest first; guarded by mu
}

// guest is one connection in a lobby.
type guest struct {
	evict context.CancelCauseFunc
	heard bool // has sent a byte; guarded by lobby.mu
}

// enter adds a connection, which evict ends. If the lobby is full, the oldest
// silent one is evicted, or the oldest of all if none is silent.
func (l *lobby) enter(evict context.CancelCauseFunc) *guest {
	g := &guest{evict: evict}
	if out := l.add(g); out != nil {
		out.evict(errEvicted)
	}
	return g
}

// add puts g last and returns the guest that has to go for it, or nil.
func (l *lobby) add(g *guest) (out *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.guests) >= l.max {
		i := max(0, slices.IndexFunc(l.guests, func(g *guest) bool { return !g.heard }))
		out = l.guests[i]
		l.guests = slices.Delete(l.guests, i, i+1)
	}
	l.guests = append(l.guests, g)
	return out
}

// hear notes that g has sent something.
func (l *lobby) hear(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g.heard = true
}

// leave removes g, if it is still there.
func (l *lobby) leave(g *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.guests, g); i >= 0 {
		l.guests = slices.Delete(l.guests, i, i+1)
	}
}
