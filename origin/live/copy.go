package live

import (
	"context"
	"net/http"
)

// Copy sends the tail to w, beginning at a place to start, until the tail ends,
// ctx ends or the client stops reading. It returns how many bytes went out,
// and why it ended: nil if the tail did.
func (t *Tail) Copy(ctx context.Context, w http.ResponseWriter) (int64, error) {
	flush := http.NewResponseController(w)
	if err := flush.Flush(); err != nil { // the headers, before the first media
		return 0, err
	}
	l := listener{tail: t}
	err := l.follow(ctx, func(slices [][]byte) (n int, all bool, err error) {
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

// follow sends what there is and will be, by a writer that waits.
func (l *listener) follow(ctx context.Context, write writer) error {
	l.tail.enter()
	defer l.tail.leave()
	var scratch [][]byte
	for {
		changed := l.tail.watch()
		state, err := l.send(write, &scratch)
		if state == ended || err != nil {
			return err
		}
		clear(scratch[:cap(scratch)]) // who waits holds no media
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// watch returns a channel that is closed when there is more than now.
func (t *Tail) watch() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}
