package playlist

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// Pointer is what the small files hold that a media player opens to find a
// continuous stream. It is not a Media Playlist: a file with the suffix .m3u
// and one with .m3u8 are different resources (hls-rules F21).
type Pointer struct {
	URL   string // absolute, as the listener reaches it
	Title string // may be empty; control characters are written as blanks
}

// AppendM3U appends the pointer as an extended M3U file, audio/x-mpegurl
// (hls-rules F18). The error, with dst as it was, wraps [ErrValue] if the URL
// is not absolute.
func (p Pointer) AppendM3U(dst []byte) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, fmt.Errorf("write .m3u: %w", err)
	}
	return fmt.Appendf(dst, "#EXTM3U\n#EXTINF:-1,%s\n%s\n", oneLine(p.Title), p.URL), nil
}

// AppendPLS appends the pointer as a PLS file of version 2, audio/x-scpls
// (hls-rules F19). The error is that of [Pointer.AppendM3U].
func (p Pointer) AppendPLS(dst []byte) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, fmt.Errorf("write .pls: %w", err)
	}
	return fmt.Appendf(dst, "[playlist]\nNumberOfEntries=1\nFile1=%s\nTitle1=%s\nLength1=-1\nVersion=2\n",
		p.URL, oneLine(p.Title)), nil
}

// AppendXSPF appends the pointer as an XSPF playlist of version 1,
// application/xspf+xml (hls-rules F20; https://xspf.org/spec). The error is
// that of [Pointer.AppendM3U].
func (p Pointer) AppendXSPF(dst []byte) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, fmt.Errorf("write .xspf: %w", err)
	}
	dst = append(dst, xml.Header+`<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>`...)
	dst = appendEscaped(dst, p.URL)
	dst = append(dst, "</location><title>"...)
	dst = appendEscaped(dst, oneLine(p.Title))
	return append(dst, "</title></track></trackList></playlist>\n"...), nil
}

func (p Pointer) check() error {
	u, err := url.Parse(p.URL) // refuses control characters
	if err != nil || !u.IsAbs() || u.Host == "" || strings.ContainsFunc(p.URL, unicode.IsSpace) {
		return fmt.Errorf("URL %q: %w", p.URL, ErrValue)
	}
	return nil
}

// oneLine returns s as valid UTF-8 on one line.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

func appendEscaped(dst []byte, s string) []byte {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a Buffer does not fail
	return append(dst, b.Bytes()...)
}
