package check

import (
	"bytes"

	"headwater/mux"
)

// alien says what the body of a playlist's answer is if that is clearly
// something else, as the end of a sentence, or returns the empty string: then
// the rules tell what is wrong with it.
func alien(b []byte) string {
	const head = 4096
	text := bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\ufeff")))
	lower := bytes.ToLower(text[:min(len(text), head)])
	switch {
	case len(text) == 0:
		return "is empty"
	case bytes.Contains(lower, []byte("#ext")):
		return ""
	case bytes.HasPrefix(lower, []byte("<!doctype html")), bytes.Contains(lower, []byte("<html")), bytes.Contains(lower, []byte("<body")):
		return "is HTML"
	case text[0] == '<':
		return "is XML"
	case text[0] == '{', text[0] == '[':
		return "is JSON"
	}
	switch c := recognise(b); {
	case c == containerTS && len(b) >= mux.PacketSize, c == containerMP4, c == containerAAC, c == containerMP3:
		return "is media, " + c.String()
	case bytes.IndexByte(b[:min(len(b), head)], 0) >= 0:
		return "is binary data"
	}
	return "is some other text"
}
