package live

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// Reader is what one listener reads: where it is, and what it needs to be told
// next. It is not safe for concurrent use.
type Reader interface {
	// Next appends what comes next to dst, up to its capacity, and returns the
	// extended slice; it waits until there is something. What it appends can
	// be sent on its own: whole packets, or whole frames if dst has room for one.
	// The error is io.EOF when the stream has ended, or that of ctx.
	Next(ctx context.Context, dst []byte) ([]byte, error)
	// Size is a good capacity of dst.
	Size() int
}

// Copy sends what r reads to w until the stream ends, ctx ends or the client
// stops reading. It returns how many bytes went out, and why it ended: nil if
// the stream did.
func Copy(ctx context.Context, w http.ResponseWriter, r Reader) (int64, error) {
	flush := http.NewResponseController(w)
	buf := make([]byte, 0, r.Size())
	var sent int64
	if err := flush.Flush(); err != nil { // the headers, before the first media
		return 0, err
	}
	for {
		b, err := r.Next(ctx, buf[:0])
		if errors.Is(err, io.EOF) {
			return sent, nil
		}
		if err != nil {
			return sent, err
		}
		n, err := w.Write(b)
		sent += int64(n)
		if err == nil {
			err = flush.Flush()
		}
		if err != nil {
			return sent, err
		}
		buf = b
	}
}
