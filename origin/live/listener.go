package live

import (
	"time"

	"headwater/mux"
)

// Options are what a listener has asked for. The zero value is all that is
// needed.
type Options struct {
	// Burst is how much media a listener gets at once at its start, so that its
	// player begins without waiting; at most what the tail keeps. Pictures begin
	// at the newest random access point, and lossy tails with what comes next,
	// whatever Burst is.
	Burst time.Duration
	// Metaint has a notice of the title sent after each so many bytes of audio,
	// as ICY has it; 0: none is. It is for tails of frames (hls-rules F05).
	Metaint int
	// Chunked sends the body in chunks: HTTP/1.1 needs them where the end of the
	// connection is not to be the end of the body. Not with Metaint (hls-rules F07).
	Chunked bool
	// Handle is to see the listener, and to end or move it; nil if nobody wants to.
	Handle *Handle
}

// writer takes bytes for a listener. It returns how many it took, and false
// if it cannot take more for the moment. It may change which slices there are
// in slices, but not their bytes.
type writer func(slices [][]byte) (n int, all bool, err error)

// listener is one place in a tail, and what is on its way from there.
type listener struct {
	tail    *Tail
	cursor  cursor
	chunked bool
	handle  *Handle // nil if nobody wants to see it

	icy   *icy   // nil if the listener wants no titles
	batch *batch // is being sent; nil if there is none
	off   int    // bytes of it on the wire that were taken, but for notices
	last  bool   // nothing comes after batch
	sent  int64  // bytes taken in all

	stall    time.Duration // how long it may take nothing of what there is
	progress time.Time     // when bytes were taken last; used by whoever sends

	kernel *kernel // nil if the tail is not lossy, or that cannot be asked
	lag    lag
	most   time.Duration // how late the media may be that it was given last
}

// newListener returns a listener that has yet to begin.
func newListener(t *Tail, o Options, stall time.Duration) listener {
	l := listener{tail: t, chunked: o.Chunked, stall: stall, handle: o.Handle}
	l.cursor.burst = mux.FromDuration(o.Burst)
	if o.Metaint > 0 && t.frames {
		l.icy = newICY(o.Metaint)
	}
	return l
}

// state says how sending to a listener went.
type state uint8

const (
	current state = iota // it has all there is
	ready                // there is a batch for it, or it took one
	blocked              // it does not take more for the moment
	ended                // it has all there will be
)

// send sends what there is by a writer that does not wait. scratch is used for
// slices.
func (l *listener) send(write writer, scratch *[][]byte, now time.Time) (state, error) {
	for {
		if s, err := l.step(write, scratch, now); s != ready || err != nil {
			return s, err
		}
	}
}

// sendWaiting is send by a writer that waits: what there was may be late then.
func (l *listener) sendWaiting(write writer, scratch *[][]byte) (state, error) {
	for {
		if s, err := l.step(write, scratch, time.Now()); s != ready || err != nil {
			return s, err
		}
	}
}

// step sends one batch, or what is left of it.
func (l *listener) step(write writer, scratch *[][]byte, now time.Time) (state, error) {
	if l.obey() {
		return ended, ErrEnded
	}
	if l.batch == nil {
		if s := l.take(now); s != ready {
			return s, nil
		}
	}
	*scratch = l.appendWire((*scratch)[:0])
	n, all, err := write(*scratch)
	l.took(n)
	if err != nil || !all {
		return blocked, err
	}
	l.batch = nil
	return ready, nil
}

// appendWire appends what is left to send of the batch.
func (l *listener) appendWire(to [][]byte) [][]byte {
	if l.icy != nil {
		return l.icy.appendWire(to, l.batch, l.off)
	}
	return l.batch.appendWire(to, l.chunked, l.off)
}

// took notes that n bytes of that were taken.
func (l *listener) took(n int) {
	l.sent += int64(n)
	if l.handle != nil {
		l.handle.sent.Store(l.sent)
	}
	if l.icy != nil {
		l.off = l.icy.sent(l.batch, l.off, n)
		return
	}
	l.off += n
}

// stalled reports whether the listener has taken nothing of what there is for
// longer than it may. before is what it had been sent when s came about.
func (l *listener) stalled(s state, before int64, now time.Time) bool {
	if s == current || l.sent > before {
		l.progress = now
	}
	return now.Sub(l.progress) > l.stall
}

// take takes the next batch to send, if there is one and it may have it.
func (l *listener) take(now time.Time) state {
	if l.last {
		return ended
	}
	if l.kernel != nil && l.late(now) {
		l.tail.pass(&l.cursor)
		return blocked
	}
	l.off = 0
	l.batch, l.last = l.tail.advance(&l.cursor, now)
	switch {
	case l.batch != nil:
		l.most = l.batch.late()
		if l.handle != nil {
			l.handle.at.Store(int64(l.batch.time) + 1)
		}
		return ready
	case !l.last:
		return current
	case l.chunked:
		l.batch = &batch{}
		l.batch.seal() // a chunk of no bytes ends the body
		return ready
	}
	return ended
}

// late reports whether the kernel still has what it was given too long ago.
func (l *listener) late(now time.Time) bool {
	n, ok := l.kernel.unsent()
	return ok && l.lag.late(now, l.sent, n, l.most)
}
