package process_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"headwater/ingest/process"
)

// Types of messages.
const (
	typeLog = 1 + iota
	typeMedia
	typeStarted
	typeStopped
)

// message returns one in eradio's framing.
func message(typ byte, data ...string) []byte {
	return process.AppendMessage(nil, typ, []byte(strings.Join(data, "")))
}

// text returns s behind its length, as in a message of what is played.
func text(s string) string { return string([]byte{byte(len(s) >> 8), byte(len(s))}) + s }

// conn is a connection whose bytes are all there.
type conn struct{ io.Reader }

func (conn) Close() error                      { return nil }
func (conn) SetReadDeadline(t time.Time) error { return nil }

// readAll reads b to its end, and returns what was said, and media and titles in order.
func readAll(b io.Reader, size int) (got, said string, err error) {
	var log strings.Builder
	say := func(l slog.Level, text string) { fmt.Fprintf(&log, "%v %s;", l, text) }
	f := process.NewFramed(conn{b}, say, func() bool { return false })
	var out strings.Builder
	p := make([]byte, size)
	for {
		n, err := f.Read(p)
		if n > 0 {
			if t := f.Title(); t != nil {
				fmt.Fprintf(&out, "[%s|%s|%s]", t.Artist, t.Name, t.URL)
			}
			out.Write(p[:n])
		}
		if err != nil {
			return out.String(), log.String(), err
		}
	}
}

func TestFramed(t *testing.T) {
	tests := []struct {
		name  string
		input []byte
		want  string
		said  string
		err   error
	}{
		{"media", slices.Concat(message(typeMedia, "abc"), message(typeMedia, "defgh")), "abcdefgh", "", io.EOF},
		{"a title before its media", slices.Concat(message(typeMedia, "abc"), message(typeStarted, text("spotify:x"), text("A - B")), message(typeMedia, "def")),
			"abc[A|B|]def", "", io.EOF},
		{"a title with a page", slices.Concat(message(typeStarted, text("https://x/y"), text("Song")), message(typeMedia, "a")), "[|Song|https://x/y]a", "", io.EOF},
		{"a start that says nothing", slices.Concat(message(typeStarted), message(typeMedia, "a"), message(typeStopped), message(typeMedia, "b")), "ab", "", io.EOF},
		{"log", slices.Concat(message(typeLog, "\x01bad"), message(typeLog, "\x04fine"), message(typeMedia, "a"), message(typeLog)), "a", "ERROR bad;DEBUG fine;", io.EOF},
		{"unknown and empty messages", slices.Concat(message(77, "???"), make([]byte, 4), message(typeMedia), message(typeMedia, "a")), "a", "", io.EOF},
		{"a long message that is no media", slices.Concat(message(77, strings.Repeat("x", 300_000)), message(typeMedia, "a")), "a", "", io.EOF},
		{"a title whose lengths lie", slices.Concat(message(typeStarted, "\xff\xffabc"), message(typeMedia, "a")), "[|abc|]a", "", io.EOF},
		{"an end inside media", message(typeMedia, "abcdef")[:7], "ab", "", io.EOF},
		{"an end inside a head", message(typeMedia, "abcdef")[:3], "", "", io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 100} {
				for _, r := range []io.Reader{bytes.NewReader(tt.input), iotest.OneByteReader(bytes.NewReader(tt.input))} {
					got, said, err := readAll(r, size)
					if got != tt.want || !strings.HasPrefix(said, tt.said) || !errors.Is(err, tt.err) {
						t.Errorf("in pieces of %d: %q, %q, %v, want %q, %q, %v", size, got, said, err, tt.want, tt.said, tt.err)
					}
				}
			}
		})
	}
}

// silent is a connection that times out.
type silent struct {
	conn
	deadlines int
}

func (s *silent) SetReadDeadline(time.Time) error { s.deadlines++; return nil }

func TestFramedMayBeSilentWhilePaused(t *testing.T) {
	paused := false
	timeouts := &silent{conn: conn{iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(message(typeMedia, "ab"))))}}
	f := process.NewFramed(deadline{timeouts}, nil, func() bool { return paused })
	if _, err := f.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read while it plays = %v, want a timeout", err)
	}
	paused = true
	timeouts.Reader = iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(message(typeMedia, "ab"))))
	f = process.NewFramed(deadline{timeouts}, nil, func() bool { return paused })
	if n, err := f.Read(make([]byte, 10)); n == 0 || err != nil || timeouts.deadlines != 1 {
		t.Errorf("Read while it is paused = %d, %v, with %d new deadlines", n, err, timeouts.deadlines)
	}
}

// deadline turns the timeout of package iotest into that of package os.
type deadline struct{ *silent }

func (d deadline) Read(p []byte) (int, error) {
	n, err := d.silent.Read(p)
	if errors.Is(err, iotest.ErrTimeout) {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// Whatever comes, no panic, and no more media than bytes.
func FuzzFramed(f *testing.F) {
	f.Add(slices.Concat(message(typeMedia, "abc"), message(typeStarted, text("u"), text("A - B")), message(typeLog, "\x01x"), message(typeStopped)))
	f.Fuzz(func(t *testing.T, b []byte) {
		said := 0
		fr := process.NewFramed(conn{bytes.NewReader(b)}, func(slog.Level, string) { said++ }, func() bool { return false })
		media, err := io.ReadAll(fr)
		if len(media) > len(b) || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes of media from %d, %v", len(media), len(b), err)
		}
		_, _, _ = readAll(iotest.OneByteReader(bytes.NewReader(b)), 7)
	})
}
