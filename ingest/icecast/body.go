package icecast

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"time"
)

// body is the media of a connection, without what a protocol has put around it.
type body struct {
	net.Conn
	media io.Reader
	raw   bool // media is the connection itself, once what had come is read

	// framed: the protocol says where the media ends, so that the end of the
	// connection before that is a fault.
	framed bool
	ended  bool // media came to its end
	// bare gives up what had come with the head.
	had *bytes.Reader

	mu     sync.Mutex
	plain  bool // the connection is read in place of the body; guarded by mu
	closed bool // guarded by mu
}

// newBody returns the media of a request, of which had came with its head.
func newBody(conn net.Conn, fields map[string]string, had []byte) (*body, error) {
	b := &body{Conn: conn, had: bytes.NewReader(had)}
	all := io.MultiReader(b.had, conn)
	switch coding, length := strings.ToLower(fields["transfer-encoding"]), fields["content-length"]; {
	case coding == "chunked":
		b.media, b.framed = httputil.NewChunkedReader(all), true
	case coding != "" && coding != "identity":
		return nil, fmt.Errorf("transfer-encoding %s is not taken: send chunked or none", quoted(coding))
	case length == "" || length == "0": // some say 0 and mean that there is no end
		b.media, b.raw = all, true
	default:
		n, err := strconv.ParseInt(length, 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("content-length %s is no number", quoted(length))
		}
		b.media, b.framed = io.LimitReader(all, n), true
	}
	return b, nil
}

// Read reads media.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.media.Read(p)
	if errors.Is(err, io.EOF) {
		b.ended = true
	}
	return n, err
}

// Plain returns the connection, if it may be read in place of the body; else nil.
func (b *body) Plain() net.Conn {
	if !b.raw || b.had.Len() > 0 {
		return nil
	}
	plain := b.Conn
	if outer, ok := b.Conn.(interface{ Plain() net.Conn }); ok {
		plain = outer.Plain()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plain = plain != nil
	return plain
}

// Close ends a Read that waits, and all to come. The connection stays open for
// an answer, but where it is read in place of the body: there was media then,
// and nobody waits for an answer.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.plain {
		return b.Conn.Close()
	}
	return b.Conn.SetReadDeadline(time.Unix(1, 0))
}

// SetReadDeadline does nothing to a body that is closed.
func (b *body) SetReadDeadline(t time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	return b.Conn.SetReadDeadline(t)
}
