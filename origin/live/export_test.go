package live

import (
	"errors"
	"net"
	"time"

	"headwater/mux"
)

// Reader reads a tail as a listener does that is never too slow.
type Reader struct {
	l       listener
	scratch [][]byte
}

// NewReader returns a reader that begins when it is read first, with the burst
// that the tail is kept for.
func NewReader(t *Tail, chunked bool) *Reader {
	return NewReaderOf(t, Options{Chunked: chunked, Burst: t.cfg.Burst})
}

// NewReaderOf is NewReader with options.
func NewReaderOf(t *Tail, o Options) *Reader {
	t.enter()
	return &Reader{l: newListener(t, o, stallTimeout)}
}

// Drain reads what there is, and reports whether that was the end. The writer
// takes most bytes at a time.
func (r *Reader) Drain(most int) (all []byte, over bool) { return r.DrainAt(most, time.Now()) }

// DrainAt is Drain at a time.
func (r *Reader) DrainAt(most int, now time.Time) (all []byte, over bool) {
	var scratch [][]byte
	for {
		s, _ := r.l.send(func(slices [][]byte) (n int, whole bool, err error) {
			for _, b := range slices {
				k := min(len(b), most-n)
				all = append(all, b[:k]...)
				n += k
				if k < len(b) {
					return n, false, nil
				}
			}
			return n, true, nil
		}, &scratch, now)
		if s == ended {
			r.l.tail.leave()
		}
		if s != blocked {
			return all, s == ended
		}
	}
}

// Discard has the reader take what there is, as slices.
func (r *Reader) Discard() (n int) {
	_, _ = r.l.send(func(slices [][]byte) (int, bool, error) {
		before := n
		for _, b := range slices {
			n += len(b)
		}
		return n - before, true, nil
	}, &r.scratch, time.Time{})
	return n
}

// Sender sends a tail to listeners as a worker of a fan does.
type Sender struct {
	listeners []*fanned
	scratch   [][]byte
}

// Add adds a listener.
func (s *Sender) Add(t *Tail, c net.Conn, o Options) {
	fd, _ := descriptor(c)
	t.enter()
	s.listeners = append(s.listeners, &fanned{listener: newListener(t, o, stallTimeout), conn: c, fd: fd})
}

// Send sends what there is.
func (s *Sender) Send() (err error) {
	for _, l := range s.listeners {
		_, e := l.send(func(slices [][]byte) (int, bool, error) { return writeTo(l.fd, slices) }, &s.scratch, time.Time{})
		err = errors.Join(err, e)
	}
	return err
}

// Watched is a listener with a connection that the kernel is asked about.
type Watched struct {
	l    listener
	conn net.Conn
}

// NewWatched returns one that begins when it is sent to first.
func NewWatched(t *Tail, c net.Conn) *Watched {
	w := &Watched{newListener(t, Options{}, stallTimeout), c}
	w.l.prepare(bottom(c), true)
	t.enter()
	return w
}

// Send sends what there is for the listener at a time.
func (w *Watched) Send(now time.Time) error {
	var scratch [][]byte
	_, err := w.l.send(func(slices [][]byte) (n int, all bool, err error) {
		for _, b := range slices {
			k, err := w.conn.Write(b)
			if n += k; err != nil {
				return n, false, err
			}
		}
		return n, true, nil
	}, &scratch, now)
	return err
}

// Unsent returns what the kernel has yet to send.
func (w *Watched) Unsent() int {
	n, _ := w.l.kernel.unsent()
	return n
}

// Late says whether bytes are late that the kernel was given; see lag.
func Late(steps []LateStep, most time.Duration) (late []bool) {
	var l lag
	for _, s := range steps {
		late = append(late, l.late(time.Unix(0, 0).Add(s.At), s.Sent, s.Unsent, most))
	}
	return late
}

// LateStep is one question of Late.
type LateStep struct {
	At     time.Duration
	Sent   int64
	Unsent int
}

// Notice returns the block of a title, and the one that says that it has not
// changed.
func Notice(t mux.Title) (block, same []byte) {
	n := newNotice(t)
	return n.block, n.same
}
