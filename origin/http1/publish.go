package http1

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// publishes reports whether head, the beginning of what a connection sent, is
// of one that brings media: SOURCE, PUT or POST to a path that is no page, or
// a request of ICE/1.0, which net/http does not know (hls-rules F10).
func (s *Server) publishes(head []byte) bool {
	if s.cfg.Publish == nil {
		return false
	}
	line, _, ok := bytes.Cut(head, []byte("\n"))
	words := bytes.Fields(line)
	if !ok || len(words) < 2 {
		return false
	}
	if string(words[len(words)-1]) == "ICE/1.0" {
		return true
	}
	method, target := string(words[0]), words[1]
	if scheme := bytes.Index(target, []byte("://")); scheme > 0 {
		target = target[scheme+3:]
		target = target[max(0, bytes.IndexByte(target, '/')):]
	}
	path, _, _ := bytes.Cut(target, []byte("?"))
	switch method {
	case "SOURCE":
		return true
	case "PUT", "POST":
		return !s.cfg.Reserved(string(path))
	}
	return false
}

// publish gives the connection to Config.Publish, and returns when that does.
func (c *conn) publish() {
	if c.SetDeadline(time.Time{}) != nil {
		c.Close()
		return
	}
	unread := c.in
	c.in, c.out, c.head, c.req, c.rep = nil, nil, "", Request{}, Reply{}
	c.server.cfg.Publish(&given{away: c.server.giveAway(c), unread: unread})
}

// alsoPublishing returns a handler that gives to Config.Publish what brings media
// on a connection that net/http has: libshout asks OPTIONS * before it sends, and
// may go on with the same one. All else is next's.
func (s *Server) alsoPublishing(next http.Handler) http.Handler {
	if s.cfg.Publish == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var head []byte
		switch r.Method {
		case "SOURCE", http.MethodPut, http.MethodPost:
			head = headOf(r)
		}
		c, ok := r.Context().Value(connKey{}).(*conn)
		if !ok || !s.publishes(head) {
			next.ServeHTTP(w, r)
			return
		}
		_, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		ahead, _ := rw.Reader.Peek(rw.Reader.Buffered()) // what is there can be had
		unread := slices.Concat(head, ahead, c.in)
		c.in = nil
		s.cfg.Publish(&given{away: s.giveAway(c), unread: unread})
	})
}

// headOf returns the head of a request that net/http has read, in its words but
// for the order of the fields.
func headOf(r *http.Request) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\nHost: %s\r\n", r.Method, r.RequestURI, r.Proto, r.Host)
	if len(r.TransferEncoding) > 0 {
		fmt.Fprintf(&b, "Transfer-Encoding: %s\r\n", strings.Join(r.TransferEncoding, ", "))
	}
	_ = r.Header.Write(&b) // a buffer takes all
	b.WriteString("\r\n")
	return b.Bytes()
}

// given is a connection that was given away with what it had sent already.
type given struct {
	*away
	unread []byte
}

// Read returns first what had been read.
func (g *given) Read(p []byte) (int, error) {
	if len(g.unread) == 0 {
		return g.away.Read(p)
	}
	n := copy(p, g.unread)
	if g.unread = g.unread[n:]; len(g.unread) == 0 {
		g.unread = nil
	}
	return n, nil
}

// Plain returns the connection below, once all that had been read from it was
// taken: it may be read from then as well. Until then it returns nil.
func (g *given) Plain() net.Conn {
	if len(g.unread) > 0 {
		return nil
	}
	return g.away.Conn
}

// CloseWrite tells the other end that nothing more will come.
func (g *given) CloseWrite() error {
	if half, ok := g.away.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
