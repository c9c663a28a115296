package playlist

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/grafov/m3u8"
)

// Errors that readers give, inside a [ParseError].
var (
	ErrNotPlaylist  = errors.New("does not begin with #EXTM3U")
	ErrMultivariant = errors.New("is a multivariant playlist")
	ErrMedia        = errors.New("is a media playlist")
	ErrMissing      = errors.New("is missing")
)

// ParseError says where a playlist could not be read.
type ParseError struct {
	Line int    // from 1; 0 if it is about the playlist as a whole
	Tag  string // without '#'; "URI" for a line that is none
	Err  error
}

func (e *ParseError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.Tag, e.Err)
	}
	return fmt.Sprintf("line %d: %s: %v", e.Line, e.Tag, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }

// blanks are dropped at both ends of a line.
const blanks = " \t"

// line is one line that is neither empty nor a comment.
type line struct {
	number int
	text   string // trimmed
	name   string // of a tag, without '#'; empty for a URI
	value  string // of a tag, after the colon
}

// fail returns the error err at l.
func (l line) fail(err error) error {
	name := l.name
	if name == "" {
		name = "URI"
	}
	return &ParseError{Line: l.number, Tag: name, Err: err}
}

// uint reads the value as a decimal-integer (RFC 8216 §4.2).
func (l line) uint(bits int) (uint64, error) {
	n, err := strconv.ParseUint(strings.Trim(l.value, blanks), 10, bits)
	if err != nil {
		return 0, l.fail(fmt.Errorf("value %q is not a decimal integer of at most %d bits", l.value, bits))
	}
	return n, nil
}

// lines yields the lines of b that mean something. Any of LF, CR LF and CR ends
// a line, and a byte order mark is passed over. Comments are dropped.
func lines(b []byte) iter.Seq[line] {
	return func(yield func(line) bool) {
		text := strings.TrimPrefix(string(b), "\ufeff")
		text = strings.ReplaceAll(text, "\r\n", "\n")
		number := 0
		for raw := range strings.SplitSeq(strings.ReplaceAll(text, "\r", "\n"), "\n") {
			number++
			l := line{number: number, text: strings.Trim(raw, blanks)}
			switch {
			case l.text == "":
				continue
			case strings.HasPrefix(l.text, "#EXT"):
				l.name, l.value, _ = strings.Cut(l.text[1:], ":")
			case l.text[0] == '#':
				continue
			}
			if !yield(l) {
				return
			}
		}
	}
}

// parseTime reads an ISO 8601 date; one without a zone is taken as UTC. The
// result is in UTC, rounded to milliseconds as they are written.
func parseTime(s string) (time.Time, error) {
	s = strings.Trim(s, blanks)
	t, err := m3u8.FullTimeParse(s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05", s); err != nil {
			return time.Time{}, fmt.Errorf("value %q is not an ISO 8601 date and time", s)
		}
	}
	t = t.UTC().Round(time.Millisecond)
	if t.Year() < 0 || t.Year() > 9999 {
		return time.Time{}, fmt.Errorf("value %q is not in the years 0 to 9999", s)
	}
	return t, nil
}
