package pull

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"headwater/ingest/icecast"
	"headwater/mux"
)

const (
	// answerTimeout bounds what there is to wait for until the media begins.
	answerTimeout = 8 * time.Second
	maxRedirects  = 5
	maxLine       = 4 << 10
	maxLines      = 100
	maxPlaylist   = 64 << 10
	readSize      = 16 << 10
)

// open connects to u, follows redirects, and a playlist once, and returns the
// connection with the media next.
func (p *Puller) open(ctx context.Context, u *url.URL) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	listed := false
	for range maxRedirects + 1 {
		c, err := p.connect(ctx, u)
		if err != nil {
			return nil, err
		}
		stop := context.AfterFunc(ctx, func() { c.Close() }) // wakes a Read
		next, err := c.ask()
		if err == nil && next == nil && c.isPlaylist() {
			if listed {
				err = errors.New("a playlist leads to another one")
			} else {
				next, err = c.readPlaylist()
				listed = true
			}
		}
		if !stop() && err == nil {
			err = context.Cause(ctx)
		}
		if err == nil && next == nil {
			return c, nil
		}
		c.Close()
		if err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("no answer in %v", answerTimeout)
			}
			return nil, err
		}
		if next.User == nil && next.Scheme == u.Scheme && next.Host == u.Host {
			next.User = u.User // as the one who redirects would want it
		}
		u = next
	}
	return nil, fmt.Errorf("more than %d redirects", maxRedirects)
}

// connect connects to the host of u.
func (p *Puller) connect(ctx context.Context, u *url.URL) (*conn, error) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	nc, err := p.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	if u.Scheme == "https" {
		secure := tls.Client(nc, &tls.Config{ServerName: u.Hostname(), NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			nc.Close()
			return nil, err
		}
		nc = secure
	}
	r := bufio.NewReaderSize(nc, readSize)
	return &conn{Conn: nc, url: u, buffer: r, media: r}, nil
}

// ask sends the request and reads the head of the answer. next is where it
// redirects to, or nil.
//
// It is HTTP/1.0: the answer has no end, and icy servers know nothing else.
func (c *conn) ask() (next *url.URL, err error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "GET %s HTTP/1.0\r\nHost: %s\r\nUser-Agent: headwater\r\nAccept: */*\r\nIcy-MetaData: 1\r\n", c.url.RequestURI(), c.url.Host)
	if user := c.url.User; user != nil {
		password, _ := user.Password()
		fmt.Fprintf(&b, "Authorization: Basic %s\r\n", basic(user.Username(), password))
	}
	b.WriteString("Connection: close\r\n\r\n")
	if _, err := c.Conn.Write(b.Bytes()); err != nil {
		return nil, err
	}
	status, reason, err := c.readStatus()
	if err != nil {
		return nil, err
	}
	if c.fields, err = c.readFields(); err != nil {
		return nil, err
	}
	switch {
	case status == 301 || status == 302 || status == 303 || status == 307 || status == 308:
		return c.resolve(c.fields["location"])
	case status != 200:
		return nil, fmt.Errorf("the server answers %d %s", status, reason)
	}
	c.station = icecast.Station(c.fields)
	if strings.EqualFold(c.fields["transfer-encoding"], "chunked") {
		c.media = httputil.NewChunkedReader(c.buffer)
	}
	if n, err := strconv.Atoi(c.fields["icy-metaint"]); err == nil && n > 0 {
		c.interval, c.left = n, n
	}
	return nil, nil
}

// readStatus reads the first line of the answer: of HTTP, or "ICY 200 OK".
func (c *conn) readStatus() (status int, reason string, err error) {
	line, err := c.readLine()
	if err != nil {
		return 0, "", fmt.Errorf("read the answer: %w", err)
	}
	protocol, rest, _ := strings.Cut(line, " ")
	code, reason, _ := strings.Cut(rest, " ")
	status, err = strconv.Atoi(code)
	if err != nil || protocol != "ICY" && !strings.HasPrefix(protocol, "HTTP/") {
		return 0, "", errors.New("this is no HTTP server")
	}
	return status, mux.CleanText(reason), nil
}

// readFields reads the header fields, by their names in lower case.
func (c *conn) readFields() (map[string]string, error) {
	fields := map[string]string{}
	for range maxLines {
		line, err := c.readLine()
		if err != nil {
			return nil, fmt.Errorf("read the answer: %w", err)
		}
		if line == "" {
			return fields, nil
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return nil, errors.New("the answer has too many header fields")
}

// readLine reads a line of the head, without its end.
func (c *conn) readLine() (string, error) {
	line, err := c.buffer.ReadSlice('\n')
	if err != nil {
		return "", err
	}
	if len(line) > maxLine {
		return "", errors.New("a line is too long")
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

// resolve returns an address that the server told.
func (c *conn) resolve(location string) (*url.URL, error) {
	u, err := c.url.Parse(location)
	if err != nil || location == "" {
		return nil, fmt.Errorf("the server redirects to %q, which is no URL", location)
	}
	return ParseURL(u.String())
}

// isPlaylist reports whether the answer is a list of addresses.
func (c *conn) isPlaylist() bool {
	kind, _, _ := strings.Cut(strings.ToLower(c.fields["content-type"]), ";")
	switch strings.TrimSpace(kind) {
	case "audio/x-mpegurl", "audio/mpegurl", "application/x-mpegurl", "application/vnd.apple.mpegurl",
		"audio/x-scpls", "audio/scpls", "application/pls+xml":
		return true
	case "audio/mpeg", "audio/aac", "audio/aacp", "video/mp2t":
		return false
	}
	switch strings.ToLower(path.Ext(c.url.Path)) {
	case ".m3u", ".m3u8", ".pls":
		return true
	}
	return false
}

// readPlaylist reads an .m3u or .pls, and returns its first address.
func (c *conn) readPlaylist() (*url.URL, error) {
	text, err := io.ReadAll(io.LimitReader(c.media, maxPlaylist))
	if err != nil && len(text) == 0 {
		return nil, fmt.Errorf("read the playlist: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		if strings.HasPrefix(line, "#EXT-X-") {
			return nil, errors.New("this is an HLS playlist: pull the continuous stream beside it")
		}
		if key, value, ok := strings.Cut(line, "="); ok && strings.HasPrefix(strings.ToLower(key), "file") {
			line = strings.TrimSpace(value)
		}
		if strings.HasPrefix(line, "http://") || strings.HasPrefix(line, "https://") {
			return ParseURL(line)
		}
	}
	return nil, errors.New("the playlist has no address of a stream")
}
