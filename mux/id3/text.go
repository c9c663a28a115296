package id3

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

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

// decode returns b as UTF-8. Bytes said to be ISO 8859-1 that make sense as
// UTF-8 are taken for that: many programs write it so, and nobody writes such
// a sequence of accents and signs on purpose.
func decode(encoding byte, b []byte) string {
	switch encoding {
	case latin1Text:
		if utf8.Valid(b) {
			return string(b)
		}
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes)
	case utf16Text:
		order := binary.ByteOrder(binary.LittleEndian)
		if len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff {
			order = binary.BigEndian
		}
		return decodeUTF16(b, order)
	case utf16BEText:
		return decodeUTF16(b, binary.BigEndian)
	}
	return string(b)
}

func decodeUTF16(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return string(utf16.Decode(units))
}

// clean returns s as a title holds it. NUL ends or fills up texts, and order
// marks stand at their start.
func clean(s string) string {
	return mux.CleanText(strings.NewReplacer("\x00", "", "\ufeff", "").Replace(s))
}
