package live

import (
	"errors"
	"sync/atomic"
	"time"

	"headwater/mux"
)

// ErrEnded is why a listener went that [Handle.End] ended.
var ErrEnded = errors.New("the listener was sent away")

// Handle is one listener as others see it while it is served, and how they end
// or move it. The zero value is ready for one listener. It is safe for
// concurrent use: whoever serves the listener neither waits nor locks for it.
type Handle struct {
	// Owner is for whoever made the handle, to find what it belongs to again.
	Owner any

	tail  atomic.Pointer[Tail]  // it listens to that; nil until it is served
	sent  atomic.Int64          // bytes of the body
	at    atomic.Int64          // one more than the time of the batch that it was given last, in the ticks of tail; 0: none
	order atomic.Pointer[order] // what it shall do; nil for nothing
	by    atomic.Pointer[bell]  // of whoever serves it
}

// order is what a listener shall do: end, or go on with another tail.
type order struct{ to *Tail }

// bell calls whoever serves listeners to look at orders.
type bell struct {
	wake chan struct{} // of capacity 1
	rung atomic.Bool
}

func newBell() *bell { return &bell{wake: make(chan struct{}, 1)} }

func (b *bell) ring() {
	b.rung.Store(true)
	select {
	case b.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

// Sent returns how many bytes of the body have gone out.
func (h *Handle) Sent() int64 { return h.sent.Load() }

// Lag returns how much media there is that the listener has not been given.
func (h *Handle) Lag() time.Duration {
	t := h.tail.Load()
	at := h.at.Load()
	if t == nil || at == 0 {
		return 0
	}
	return max(0, t.edge()-mux.Ticks(at-1)).Duration()
}

// Tail returns what the listener listens to, or nil if it has not begun.
func (h *Handle) Tail() *Tail { return h.tail.Load() }

// End ends the listener, even in the middle of a frame. One that a write waits
// for ends after it.
func (h *Handle) End() {
	h.order.Store(&order{})
	h.call()
}

// Move has the listener go on with another tail of the same kind, after whole
// frames or packets. It ends there if that has another codec. One that is to end
// does so.
func (h *Handle) Move(to *Tail) {
	for {
		last := h.order.Load()
		if last != nil && last.to == nil {
			return
		}
		if h.order.CompareAndSwap(last, &order{to}) {
			h.call()
			return
		}
	}
}

// call has whoever serves the listener look at its order.
func (h *Handle) call() {
	if b := h.by.Load(); b != nil {
		b.ring()
	}
}

// begin tells the handle of l, if it has one, that it is served.
func (l *listener) begin(by *bell) {
	l.tail.enter()
	if l.handle == nil {
		return
	}
	l.handle.tail.Store(l.tail)
	l.handle.by.Store(by)
}

// obey does what was ordered, if anything was. It reports whether l ends by it.
func (l *listener) obey() (over bool) {
	if l.handle == nil {
		return false
	}
	o := l.handle.order.Load()
	switch {
	case o == nil:
		return false
	case o.to == nil:
		return true
	case l.batch != nil || !l.handle.order.CompareAndSwap(o, nil):
		return false
	}
	l.tail.leave()
	o.to.enter()
	l.tail, l.cursor = o.to, cursor{codec: l.cursor.codec}
	l.handle.at.Store(0)
	l.handle.tail.Store(l.tail)
	return false
}

// edge returns the time of the newest batch, or 0.
func (t *Tail) edge() mux.Ticks {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == t.first {
		return 0
	}
	return (*t.at(t.next - 1)).time
}
