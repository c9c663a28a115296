// Package live holds the continuous outputs of a stream: MPEG-TS or audio
// frames without end. One [Tail] per stream and kind keeps the newest units;
// each listener has a [Reader] with a cursor into it and no queue of its own,
// so what listeners do or leave costs no memory and slows nobody.
//
// hls-rules F01-F04, C02, C05, C08.
package live

import (
	"context"
	"io"
	"sync"
	"time"

	"headwater/mux"
)

// TailConfig bounds a [Tail]. The zero value of a field means its default.
type TailConfig struct {
	MaxBytes int64         // of the units kept; default 8 MiB. One unit is kept whatever its size.
	MaxAge   time.Duration // of the units kept, in media time; default 20 s
	Audio    bool          // the units are of one audio track: a listener can start at each
	// Burst is how much media a listener gets at once at its start, so that its
	// player begins without waiting. Pictures begin at the newest random access
	// point whatever Burst is.
	Burst time.Duration
	// Flush is how much media is gathered before listeners are woken; 0 means
	// each unit. Fewer and larger writes cost less.
	Flush time.Duration
}

// maxItems bounds a tail of tiny units.
const maxItems = 1 << 14

// Tail is the newest media of a stream, shared by all its listeners. Append,
// Break and End have one caller at a time; the rest is safe for concurrent use.
type Tail struct {
	cfg TailConfig

	mu      sync.Mutex
	ring    []item        // of a power of two in length; item n is at n mod len; guarded by mu
	first   uint64        // number of the oldest item; guarded by mu
	next    uint64        // number of the next item; guarded by mu
	shown   uint64        // number of the next item that listeners do not see yet; guarded by mu
	bytes   int64         // of the items; guarded by mu
	waiting mux.Ticks     // media of the items not shown; guarded by mu
	broken  bool          // the next item follows a break; guarded by mu
	ended   bool          // guarded by mu
	changed chan struct{} // closed when more is shown, or at the end; guarded by mu
	moved   uint64        // listeners that fell behind; guarded by mu
}

// item is one unit of a tail.
type item struct {
	unit  *mux.Unit
	time  mux.Ticks // DTS, or that of the unit before it if it has none
	size  int
	start mux.Access // whether a listener can start here
	broke bool       // nothing before it has to do with it: another source
}

// NewTail returns an empty tail.
func NewTail(cfg TailConfig) *Tail {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 8 << 20
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = 20 * time.Second
	}
	return &Tail{cfg: cfg, changed: make(chan struct{}), broken: true}
}

// Append adds a unit. After End, it opens the tail again.
func (t *Tail) Append(u *mux.Unit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	it := item{unit: u, time: u.DTS, size: sizeOf(u), broke: t.broken}
	if t.cfg.Audio || u.Track == u.Program.Reference() {
		it.start = u.Access
	}
	t.ended, t.broken = false, false
	var since mux.Ticks
	if t.next > t.first {
		last := t.at(t.next - 1)
		if u.Untimed {
			it.time = last.time
		}
		since = it.time - last.time
	}
	t.push(it)
	if since > 0 && !it.broke {
		t.waiting += since
	}
	if t.waiting >= mux.FromDuration(t.cfg.Flush) || it.broke {
		t.show()
	}
}

// sizeOf returns how much memory a unit holds, about.
func sizeOf(u *mux.Unit) int {
	if u.Size > 0 {
		return u.Size
	}
	n := 0
	for i := range u.Frames {
		n += len(u.Frames[i].Data)
	}
	return n
}

// Break tells that what is appended next comes from another source: its
// counters and times follow on nothing.
func (t *Tail) Break() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = true
	t.show()
}

// End sends the listeners away once they have what is there, and forgets it.
func (t *Tail) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.ended, t.broken = true, true
	t.show()
}

// Moved returns how many times a listener fell so far behind that it was moved
// forward.
func (t *Tail) Moved() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.moved
}

// push adds an item and drops what is too much. The caller holds t.mu.
func (t *Tail) push(it item) {
	if t.next-t.first == uint64(len(t.ring)) {
		t.grow()
	}
	t.ring[t.next&uint64(len(t.ring)-1)] = it
	t.next++
	t.bytes += int64(it.size)
	oldest := mux.FromDuration(t.cfg.MaxAge)
	for t.next-t.first > 1 {
		o := t.at(t.first)
		if t.bytes <= t.cfg.MaxBytes && t.next-t.first <= maxItems && it.time-o.time <= oldest && o.time-it.time <= oldest {
			return
		}
		t.bytes -= int64(o.size)
		*o = item{}
		t.first++
	}
}

// grow doubles the ring. The caller holds t.mu.
func (t *Tail) grow() {
	ring := make([]item, max(16, 2*len(t.ring)))
	for n := t.first; n < t.next; n++ {
		ring[n&uint64(len(ring)-1)] = *t.at(n)
	}
	t.ring = ring
}

// at returns item n. The caller holds t.mu.
func (t *Tail) at(n uint64) *item { return &t.ring[n&uint64(len(t.ring)-1)] }

// show lets listeners see all. The caller holds t.mu.
func (t *Tail) show() {
	t.shown, t.waiting = t.next, 0
	close(t.changed)
	t.changed = make(chan struct{})
}

// start returns the number of the item that a listener begins with: the newest
// random access point, and of sound alone the newest that is at least Burst
// old, or the oldest there is. If there is none, it is what comes next and is
// to be skipped up to the first. Recovery points count where there is no
// better. The caller holds t.mu.
func (t *Tail) start() uint64 {
	best, fallback := t.shown, t.shown
	burst := mux.FromDuration(t.cfg.Burst)
	for n := t.shown; n > t.first; n-- {
		it := t.at(n - 1)
		switch it.start {
		case mux.AccessRandom:
			best = n - 1
			if t.at(t.shown-1).time-it.time >= burst || it.unit.Program.Tracks[it.unit.Track].Codec.Video() {
				return best
			}
		case mux.AccessRecovery:
			if fallback == t.shown {
				fallback = n - 1
			}
		}
		if it.broke {
			break // older ones belong to another source
		}
	}
	if best == t.shown {
		return fallback
	}
	return best
}

// cursor is the place of one listener in a tail.
type cursor struct {
	tail    *Tail
	next    uint64
	started bool
}

// batch is how many items a listener takes at a time.
const batch = 32

// take fills items with what comes next, waiting until there is something. It
// returns how many there are, and whether they do not follow what was taken
// before: at the start, and after the listener fell behind. The error is
// io.EOF at the end, or that of ctx.
func (c *cursor) take(ctx context.Context, items *[batch]item) (n int, jumped bool, err error) {
	t := c.tail
	for {
		t.mu.Lock()
		if !c.started || c.next < t.first {
			if c.started {
				t.moved++
			}
			c.next, c.started, jumped = t.start(), true, true
		}
		for n < batch && c.next < t.shown {
			items[n] = *t.at(c.next)
			n++
			c.next++
		}
		ended, changed := t.ended, t.changed
		t.mu.Unlock()
		switch {
		case n > 0:
			return n, jumped, nil
		case ended:
			return 0, false, io.EOF
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, false, context.Cause(ctx)
		}
	}
}
