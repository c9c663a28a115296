package load

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// request is what every listener sends, and where to.
type request struct {
	addr string // resolved, so that a crowd asks for the name once
	text string
	tls  *tls.Config // nil for http
}

// newRequest resolves the host of u and writes the request as players do.
func newRequest(ctx context.Context, u *url.URL, http10, titles bool) (request, error) {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return request{}, fmt.Errorf("find %s: %w", u.Hostname(), err)
	}
	port := u.Port()
	var r request
	if u.Scheme == "https" {
		r.tls = &tls.Config{ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}}
		port = cmp.Or(port, "443")
	}
	r.addr = net.JoinHostPort(ips[0].Unmap().String(), cmp.Or(port, "80"))
	var b strings.Builder
	version := "1.1"
	if http10 {
		version = "1.0"
	}
	fmt.Fprintf(&b, "GET %s HTTP/%s\r\nHost: %s\r\nUser-Agent: headwater-bench\r\nAccept: */*\r\n", u.RequestURI(), version, u.Host)
	if titles {
		b.WriteString("Icy-MetaData: 1\r\n")
	}
	b.WriteString("Connection: close\r\n\r\n")
	r.text = b.String()
	return r, nil
}

// dial connects; small leaves the connection little room in the kernel.
func (r request) dial(ctx context.Context, small bool) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: -1}
	if small {
		d.Control = smallWindow
	}
	conn, err := d.DialContext(ctx, "tcp", r.addr)
	if err != nil || r.tls == nil {
		return conn, err
	}
	secure := tls.Client(conn, r.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// head is what matters of the head of an answer.
type head struct {
	contentType string
	chunked     bool
	interval    int  // icy-metaint, 0 if there is none
	lowLatency  bool // the server says that it skips what is late
}

const maxHead = 16 << 10

var errHead = errors.New("the answer is not HTTP/1")

// readHead reads the head of an answer from conn. rest is what came behind it;
// first is when the first byte came.
func readHead(conn net.Conn) (h head, rest []byte, first time.Time, err error) {
	b := make([]byte, 0, 2<<10)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := conn.Read(b[len(b):cap(b)])
		if n > 0 && first.IsZero() {
			first = time.Now()
		}
		b = b[:len(b)+n]
		if end := bytes.Index(b, []byte("\r\n\r\n")); end >= 0 {
			h, err := parseHead(string(b[:end]))
			return h, b[end+4:], first, err
		}
		if err != nil {
			return h, nil, first, err
		}
		if len(b) > maxHead {
			return h, nil, first, errHead
		}
	}
}

// parseHead reads a status line and header fields (RFC 9112 §4, §5). SHOUTcast
// servers write ICY in place of the version.
func parseHead(text string) (h head, err error) {
	lines := strings.Split(text, "\r\n")
	version, rest, _ := strings.Cut(lines[0], " ")
	status, err := strconv.Atoi(strings.SplitN(rest, " ", 2)[0])
	if err != nil || version != "ICY" && !strings.HasPrefix(version, "HTTP/1.") {
		return h, errHead
	}
	if status != 200 {
		return h, statusError(status)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-type":
			h.contentType = value
		case "transfer-encoding":
			h.chunked = strings.EqualFold(value, "chunked")
		case "icy-metaint":
			h.interval, _ = strconv.Atoi(value)
		case "x-headwater-mode":
			h.lowLatency = value == "live"
		}
	}
	h.interval = max(h.interval, 0)
	return h, nil
}
