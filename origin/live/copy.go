package live

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"
)

// Copy sends the tail to w, beginning at a place to start, until the tail ends,
// ctx ends or the client stops reading. It returns how many bytes went out,
// and why it ended: nil if the tail did. c is the connection that w has for
// itself, nil if that is not known: the kernel is told to end it when the client
// takes nothing, and asked what is still on its way if the tail is lossy. net/http
// makes the chunks, so the options say nothing of them.
func (t *Tail) Copy(ctx context.Context, w http.ResponseWriter, c net.Conn, o Options) (int64, error) {
	flush := http.NewResponseController(w)
	if err := flush.Flush(); err != nil { // the headers, before the first media
		return 0, err
	}
	o.Chunked = false
	l := newListener(t, o, stallTimeout)
	calls := newBell()
	l.begin(calls)
	defer func() { l.tail.leave() }()
	l.prepare(bottom(c), false) // net/http closes it as well
	err := l.follow(ctx, calls, func(slices [][]byte) (n int, all bool, err error) {
		for _, s := range slices {
			k, err := w.Write(s)
			n += k
			if err != nil {
				return n, false, err
			}
		}
		return n, true, flush.Flush()
	})
	return l.sent, err
}

// follow sends what there is and will be, by a writer that waits. It looks at
// orders when calls rings.
func (l *listener) follow(ctx context.Context, calls *bell, write writer) error {
	var scratch [][]byte
	l.progress = time.Now()
	for {
		tail, changed := l.tail, l.tail.news()
		before := l.sent
		state, err := l.sendWaiting(write, &scratch)
		if state == ended || err != nil {
			return err
		}
		if l.tail != tail {
			continue
		}
		if l.stalled(state, before, time.Now()) {
			return os.ErrDeadlineExceeded
		}
		clear(scratch[:cap(scratch)]) // who waits holds no media
		var again <-chan time.Time
		if state == blocked { // it is late, and nothing more may come
			again = time.After(l.tail.retry())
		}
		select {
		case <-changed:
		case <-again:
		case <-calls.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// news returns a channel that is closed when there is more than now.
func (t *Tail) news() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}
