package live

import (
	"time"

	"headwater/mux"
)

// cursor is the place of one listener in a tail.
type cursor struct {
	next    uint64
	started bool
	seeking bool      // next is not where it goes on, but a place to start after that
	ahead   *batch    // comes next, before the one with the number
	codec   mux.Codec // of the frames so far
	headers []byte    // of the Ogg so far
	burst   mux.Ticks // how old what it begins with is
}

// movedBurst is how much media is sent at once at most to a listener that was
// moved: enough to play on at once, and far from the end of the tail.
const movedBurst = 2 * mux.ClockRate

// advance returns the next batch for c, or nil if there is none yet. At the
// end of the tail, or of what the listener can play, ended is true.
func (t *Tail) advance(c *cursor, now time.Time) (b *batch, ended bool) {
	if b, c.ahead = c.ahead, nil; b != nil {
		return b, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of != nil {
		return t.advanceLossy(c, now)
	}
	if !c.started || c.next < t.first {
		burst := c.burst
		if c.started {
			burst = min(burst, movedBurst)
		}
		n, ok := t.start(burst)
		if !ok {
			return nil, t.ended
		}
		return t.begin(c, n)
	}
	return t.follow(c)
}

// follow goes on with the batch after the last. The caller holds t.mu.
func (t *Tail) follow(c *cursor) (b *batch, ended bool) {
	if c.next == t.next {
		return nil, t.ended
	}
	b = *t.at(c.next)
	if b.codec != c.codec {
		return nil, true // a player cannot go on with another codec
	}
	c.next++
	c.headers = b.headers
	return b, false
}

// begin begins with batch n, a place to start. The caller holds t.mu.
func (t *Tail) begin(c *cursor, n uint64) (b *batch, ended bool) {
	moved := c.started
	if moved {
		t.moved.Add(1)
	}
	b = *t.at(n)
	if c.codec != mux.CodecUnknown && b.codec != c.codec { // it comes from another tail, or was moved in this one
		return nil, true
	}
	had := c.headers
	c.next, c.started, c.seeking, c.codec, c.headers = n+1, true, false, b.codec, b.headers
	if bridge := b.bridge(moved, had); bridge != nil {
		c.ahead = b
		return bridge, false
	}
	return b, false
}
