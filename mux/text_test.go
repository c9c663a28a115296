package mux_test

import (
	"testing"

	"headwater/mux"
)

// hls-rules F14
func TestDecodeText(t *testing.T) {
	for _, c := range []struct {
		name, charset, text, want string
	}{
		{"UTF-8", "", "Für Elise", "Für Elise"},
		{"UTF-8 that is said to be something else", "iso-8859-1", "Für Elise", "Für Elise"},
		{"ISO 8859-1", "ISO-8859-1", "F\xfcr Elise", "Für Elise"},
		{"nobody said so", "", "F\xfcr Elise", "Für Elise"},
		{"quotation marks of Windows", "latin1", "\x93a\x94 \x80", "“a” €"},
		{"UTF-16", "UTF-16", "\x00F\x00\xfc", "Fü"},
		{"UTF-16 of little end", "utf-16le", "F\x00\xfc\x00", "Fü"},
		{"UTF-16 with a mark", "utf16", "\xff\xfeF\x00\xfc\x00", "Fü"},
		{"half a character of UTF-16", "utf16", "\x00F\x00", "F"},
		{"a charset that nobody knows", "klingon", "F\xfcr", "Für"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mux.DecodeText(c.charset, c.text); got != c.want {
				t.Errorf("DecodeText(%q, %q) = %q, want %q", c.charset, c.text, got, c.want)
			}
		})
	}
}
