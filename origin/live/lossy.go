package live

import (
	"time"

	"headwater/mux"
)

// How late media may be for a listener of a lossy tail before it is not sent
// any more. Random access points are many times as large as other pictures, and
// each picture that is left out costs all until the next one.
const (
	lateSound    = 100 * time.Millisecond
	latePictures = 400 * time.Millisecond
)

// lossyAge is how much media a lossy tail keeps.
const lossyAge = 2 * time.Second

// NewLossy returns a tail of the same media as another one, for listeners that
// would rather miss media than hear it late. Each unit is sent as soon as it is
// there; a listener whose network takes less than that is not sent whole units
// until it has caught up, and goes on where a decoder can. It begins with what
// comes next, without a burst. While nobody listens, nothing is kept.
func NewLossy(of *Tail) *Tail {
	t := newTail(TailConfig{MaxBytes: of.cfg.MaxBytes, MaxAge: lossyAge}, of.form.anew())
	t.of = of
	return t
}

// Lossy reports whether listeners may miss media.
func (t *Tail) Lossy() bool { return t.of != nil }

// Missed returns how many times a listener was not sent a unit.
func (t *Tail) Missed() uint64 { return t.missed.Load() }

// idle reports whether what comes is for nobody. Then it is as if it never came.
func (t *Tail) idle() bool {
	if t.of == nil || t.places.Load() > 0 {
		return false
	}
	if !t.broken {
		t.open, t.form, t.broken = nil, t.form.anew(), true
	}
	return true
}

// advanceLossy is advance for a lossy tail. The caller holds t.mu.
func (t *Tail) advanceLossy(c *cursor, now time.Time) (b *batch, ended bool) {
	if !c.started && !c.seeking {
		c.next, c.seeking = t.next, true
	}
	if c.next < t.next && c.started && !c.seeking {
		if c.next < t.first || now.Sub((*t.at(c.next)).shown) > (*t.at(t.next - 1)).late() {
			t.skip(c)
		}
	}
	if c.seeking {
		return t.seek(c)
	}
	return t.follow(c)
}

// seek begins with the next batch where a decoder can. The caller holds t.mu.
func (t *Tail) seek(c *cursor) (b *batch, ended bool) {
	for c.next = max(c.next, t.first); c.next < t.next; c.next++ {
		if (*t.at(c.next)).start != mux.AccessNone {
			return t.begin(c, c.next)
		}
	}
	return nil, t.ended
}

// pass moves c past all there is.
func (t *Tail) pass(c *cursor) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skip(c)
}

// skip is pass for a caller that holds t.mu.
func (t *Tail) skip(c *cursor) {
	if c.started {
		t.missed.Add(t.next - c.next)
	}
	c.next, c.ahead, c.seeking = t.next, nil, true
}

// lag follows what the kernel has sent of what it was given.
type lag struct {
	mark int64     // bytes that it had been given
	at   time.Time // then
}

// late reports whether bytes wait to be sent that it was given longer than most
// before now. sent is how many it was given in all, unsent how many of these wait.
func (l *lag) late(now time.Time, sent int64, unsent int, most time.Duration) bool {
	if sent-int64(unsent) >= l.mark {
		l.mark, l.at = sent, now
		return false
	}
	return now.Sub(l.at) > most
}
