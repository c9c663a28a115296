package process

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"headwater/ingest"
	"headwater/mux"
)

// A message in eradio's framing is its length, four bytes, the most
// significant first, then a type and data, which the length counts.
const (
	typeLog     = 1 // level, text
	typeMedia   = 2
	typeStarted = 3 // nothing, or two texts with their lengths: URI and name
	typeStopped = 4
)

const (
	headSize = 4 + 1
	// maxMessage is how much of a message is looked at that is not media.
	maxMessage = 8 << 10
	readSize   = 64 << 10
)

// appendMessage appends a message to dst.
func appendMessage(dst []byte, typ byte, data []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(1+len(data)))
	return append(append(dst, typ), data...)
}

// framed is the media of a connection in eradio's framing.
type framed struct {
	conn   ingest.Conn
	r      *bufio.Reader
	say    func(slog.Level, string)
	paused func() bool // it is silent because it was told to be

	left    int64      // bytes of a media message still to be read
	pending *mux.Title // begins with the media that comes next
	title   *mux.Title // began with what was read last
	stopped bool       // it says that it does not play

	mu      sync.Mutex
	timeout time.Duration // of the last deadline; guarded by mu
}

func newFramed(conn ingest.Conn, say func(slog.Level, string), paused func() bool) *framed {
	return &framed{conn: conn, r: bufio.NewReaderSize(conn, readSize), say: say, paused: paused}
}

// Close closes the connection.
func (f *framed) Close() error { return f.conn.Close() }

// Title returns the title of what was read last, if it began with that.
func (f *framed) Title() *mux.Title { return f.title }

// SetReadDeadline sets how long the program may be silent while it plays.
func (f *framed) SetReadDeadline(t time.Time) error {
	f.mu.Lock()
	f.timeout = time.Until(t)
	f.mu.Unlock()
	return f.conn.SetReadDeadline(t)
}

// Read reads media, that of several messages if they are there.
func (f *framed) Read(p []byte) (n int, err error) {
	for f.left == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	f.title, f.pending = f.pending, nil
	for {
		m, err := f.r.Read(p[n:min(len(p), n+int(min(f.left, readSize)))])
		n += m
		f.left -= int64(m)
		if err != nil && n == 0 {
			return 0, f.wait(err)
		}
		if err != nil || n == len(p) || !f.more() {
			return n, nil
		}
	}
}

// more reports whether there is more media that need not be waited for.
func (f *framed) more() bool {
	for f.left == 0 {
		if f.r.Buffered() < headSize {
			return false
		}
		head, _ := f.r.Peek(headSize)
		if head[4] != typeMedia || binary.BigEndian.Uint32(head) == 0 {
			return false
		}
		f.left = int64(binary.BigEndian.Uint32(head)) - 1
		f.discard(headSize)
	}
	return f.r.Buffered() > 0
}

// wait returns nil if the program is silent for a good reason and may go on to
// be, else err.
func (f *framed) wait(err error) error {
	if !errors.Is(err, os.ErrDeadlineExceeded) || !f.stopped && !f.paused() {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conn.SetReadDeadline(time.Now().Add(max(f.timeout, time.Second)))
}

// next reads up to the data of the next message of media.
func (f *framed) next() error {
	head, err := f.peek(4)
	if err != nil {
		return err
	}
	size := int64(binary.BigEndian.Uint32(head))
	if size == 0 {
		f.discard(4)
		return nil
	}
	if head, err = f.peek(headSize); err != nil {
		return err
	}
	typ := head[4]
	if typ == typeMedia {
		f.discard(headSize)
		f.left = size - 1
		return nil
	}
	want := int(min(size+4, maxMessage))
	message, err := f.peek(want)
	if err != nil {
		return err
	}
	f.heed(typ, message[headSize:])
	for rest := size + 4; rest > 0; {
		n := int(min(rest, maxMessage))
		if _, err := f.peek(n); err != nil {
			return err
		}
		f.discard(n)
		rest -= int64(n)
	}
	return nil
}

// peek returns the next n bytes.
func (f *framed) peek(n int) ([]byte, error) {
	for {
		b, err := f.r.Peek(n)
		if err == nil {
			return b, nil
		}
		if errors.Is(err, io.EOF) && len(b) > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		if err := f.wait(err); err != nil {
			return nil, err
		}
	}
}

// discard passes over n bytes that are there.
func (f *framed) discard(n int) { _, _ = f.r.Discard(n) }

// heed takes a message that is not media, or as much of it as is looked at.
func (f *framed) heed(typ byte, data []byte) {
	switch typ {
	case typeLog:
		if len(data) > 1 {
			f.say(level(data[0]), string(data[1:]))
		}
	case typeStarted:
		f.stopped = false
		if t, ok := parseStarted(data); ok {
			f.pending = &t
		}
	case typeStopped:
		f.stopped = true
	}
}

// level returns that of a log message.
func level(b byte) slog.Level {
	switch b {
	case 1:
		return slog.LevelError
	case 2:
		return slog.LevelWarn
	case 3:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// parseStarted reads what is played: a URI and a name, each behind its length
// in two bytes. ok is false if data says nothing.
func parseStarted(data []byte) (t mux.Title, ok bool) {
	text := func() string {
		if len(data) < 2 {
			return ""
		}
		n := min(2+int(binary.BigEndian.Uint16(data)), len(data))
		s := string(data[2:n])
		data = data[n:]
		return s
	}
	uri, name := text(), text()
	t = mux.ParseTitle(name)
	if strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://") {
		t.URL = uri
	}
	if t.Name == "" {
		t.Name = uri
	}
	t = t.Clean()
	return t, t.Name != ""
}
