package mux

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// DecodeText returns bytes from outside as UTF-8. charset is what they are said
// to be in, "" if nobody said: UTF-8, ISO 8859-1 (and Windows-1252, which
// people mean by that) and UTF-16 are known. What makes sense as UTF-8 is
// always taken for that, for nobody writes such sequences of accents and signs
// on purpose; all else is ISO 8859-1 (hls-rules F14).
func DecodeText(charset, text string) string {
	switch strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(charset)) {
	case "utf16", "utf16be", "ucs2":
		return decodeUTF16(text, strings.HasSuffix(strings.ToLower(charset), "le"))
	case "utf16le":
		return decodeUTF16(text, true)
	}
	if utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		b.WriteRune(windows1252(text[i]))
	}
	return b.String()
}

// windows1252 returns the character of a byte. ISO 8859-1 has control
// characters where it has quotation marks and dashes.
func windows1252(c byte) rune {
	const special = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	if c < 0x80 || c > 0x9f {
		return rune(c)
	}
	return []rune(special)[c-0x80]
}

// decodeUTF16 decodes pairs of bytes. A byte order mark beats little.
func decodeUTF16(text string, little bool) string {
	switch {
	case strings.HasPrefix(text, "\xff\xfe"):
		text, little = text[2:], true
	case strings.HasPrefix(text, "\xfe\xff"):
		text, little = text[2:], false
	}
	units := make([]uint16, 0, len(text)/2)
	for ; len(text) >= 2; text = text[2:] {
		high, low := text[0], text[1]
		if little {
			high, low = low, high
		}
		units = append(units, uint16(high)<<8|uint16(low))
	}
	return string(utf16.Decode(units))
}
