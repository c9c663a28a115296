package pull

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"headwater/mux"
)

// proof is how much an address must send to count as back.
const proof = 4 << 10

// conn is the media of an answer. Between pieces of it may stand blocks of
// metadata, as SHOUTcast has them: a byte that counts 16 bytes of text.
type conn struct {
	net.Conn
	url     *url.URL
	buffer  *bufio.Reader // of the connection
	media   io.Reader     // buffer, or what its chunks hold
	fields  map[string]string
	station mux.Station

	interval int        // bytes of media between two blocks; 0: there are none
	left     int        // until the next
	last     string     // text of the last block that said something
	pending  *mux.Title // begins with the media that comes next
	title    *mux.Title // began with what was read last
}

// Read reads media, up to the next block at most.
func (c *conn) Read(p []byte) (int, error) {
	if c.interval == 0 {
		return c.media.Read(p)
	}
	if c.left == 0 {
		if err := c.readBlock(); err != nil {
			return 0, err
		}
		c.left = c.interval
	}
	n, err := c.media.Read(p[:min(len(p), c.left)])
	c.left -= n
	if n > 0 {
		c.title, c.pending = c.pending, nil
	}
	return n, err
}

// Title returns the title of what was read last, if it began with that.
func (c *conn) Title() *mux.Title { return c.title }

// readBlock reads a block of metadata.
func (c *conn) readBlock() error {
	var block [1 + 255*16]byte
	if _, err := io.ReadFull(c.media, block[:1]); err != nil {
		return err
	}
	text := block[1 : 1+16*int(block[0])]
	if _, err := io.ReadFull(c.media, text); err != nil {
		return err
	}
	if s := strings.TrimRight(string(text), "\x00"); s != "" && s != c.last {
		c.last = s
		if t, ok := parseBlock(s); ok {
			c.pending = &t
		}
	}
	return nil
}

// parseBlock reads the text of a block: StreamTitle='…';StreamUrl='…'; where
// quotes in the values stand as they are. ok is false if no title is in it.
func parseBlock(s string) (t mux.Title, ok bool) {
	s = mux.DecodeText("", s)
	value := func(key string) (string, bool) {
		_, rest, ok := strings.Cut(s, key+"='")
		if !ok {
			return "", false
		}
		if v, _, ok := strings.Cut(rest, "';"); ok {
			return v, true
		}
		return strings.TrimSuffix(rest, "'"), true
	}
	text, ok := value("StreamTitle")
	if !ok {
		return t, false
	}
	t = mux.ParseTitle(text)
	t.URL, _ = value("StreamUrl")
	return t.Clean(), true
}

// proves reports whether media flows. What it has seen is read again.
func (c *conn) proves(ctx context.Context) bool {
	if err := c.SetReadDeadline(time.Now().Add(answerTimeout)); err != nil {
		return false
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	_, err := c.buffer.Peek(proof)
	return err == nil && ctx.Err() == nil
}

// basic returns the credentials of Basic authorization.
func basic(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}
