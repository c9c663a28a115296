package id3

import (
	"bytes"
	"strings"

	"headwater/mux"
)

// The encodings of a text, by its first byte (id3v2.4.0-structure §4).
const (
	latin1Text  = 0
	utf16Text   = 1 // with a byte order mark
	utf16BEText = 2
)

// text returns the text of a frame, whose first byte says how it is encoded.
// Several values, which version 4 parts by NUL, become one with commas.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	s := decode(b[0], b[1:])
	var values []string
	for v := range strings.SplitSeq(s, "\x00") {
		if v = clean(v); v != "" {
			values = append(values, v)
		}
	}
	return mux.CleanText(strings.Join(values, ", "))
}

// url returns the URL of a WXXX frame, which stands behind a description.
func url(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	rest := b[1:]
	if b[0] == utf16Text || b[0] == utf16BEText {
		for len(rest) >= 2 && (rest[0]|rest[1]) != 0 {
			rest = rest[2:]
		}
		rest = rest[min(2, len(rest)):]
	} else if _, after, ok := bytes.Cut(rest, []byte{0}); ok {
		rest = after
	} else {
		return ""
	}
	rest, _, _ = bytes.Cut(rest, []byte{0})
	return clean(decode(latin1Text, rest))
}

// decode returns b as UTF-8. Bytes said to be ISO 8859-1 or UTF-8 may be the
// other: many programs write them so.
func decode(encoding byte, b []byte) string {
	switch encoding {
	case utf16Text:
		return mux.DecodeText("utf-16le", string(b))
	case utf16BEText:
		return mux.DecodeText("utf-16be", string(b))
	}
	return mux.DecodeText("", string(b))
}

// clean returns s as a title holds it. NUL ends or fills up texts, and order
// marks stand at their start.
func clean(s string) string {
	return mux.CleanText(strings.NewReplacer("\x00", "", "\ufeff", "").Replace(s))
}
