package ogg

import (
	"encoding/binary"
	"strings"

	"headwater/mux"
)

// maxText bounds what is looked at of one comment, in bytes.
const maxText = 4 << 10

// ParseComments returns the title in a comment header: a vendor string and
// fields like "ARTIST=name", each behind its length (Vorbis I §5.2.1). Of
// several artists all are named. It is clean as [mux.Title.Clean] says. The error
// wraps [mux.ErrTruncated] if b ends too early; the title holds what came before.
func ParseComments(b []byte) (mux.Title, error) {
	var t mux.Title
	_, b, ok := field(b)
	if !ok || len(b) < 4 {
		return t, truncated
	}
	count := binary.LittleEndian.Uint32(b)
	b = b[4:]
	for ; count > 0; count-- {
		var text []byte
		if text, b, ok = field(b); !ok {
			return t, truncated
		}
		key, value, _ := strings.Cut(string(text[:min(len(text), maxText)]), "=")
		switch value = mux.CleanText(value); {
		case value == "":
		case strings.EqualFold(key, "ARTIST"):
			t.Artist = mux.CleanText(join(t.Artist, value))
		case strings.EqualFold(key, "TITLE"):
			t.Name = mux.CleanText(join(t.Name, value))
		case strings.EqualFold(key, "URL") || strings.EqualFold(key, "CONTACT") && t.URL == "" && strings.HasPrefix(value, "http"):
			t.URL = value
		}
	}
	return t, nil
}

var truncated = &mux.ParseError{Offset: -1, PID: mux.NullPID, Field: "comment header", Err: mux.ErrTruncated}

// field takes the bytes behind a length off b.
func field(b []byte) (text, rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, false
	}
	return b[4 : 4+n], b[4+n:], true
}

// join puts several values of one field together.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}
