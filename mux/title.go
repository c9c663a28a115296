package mux

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Title is what is being played: what ICY calls StreamTitle, and ID3 TIT2 and
// TPE1. All is UTF-8 without control characters. The zero value says nothing.
type Title struct {
	Artist string // or empty
	Name   string // of the piece; of all of it if the artist is not told apart
	URL    string // of a page about it, or empty
}

// titleSeparator is between artist and name where there is one text for both.
const titleSeparator = " - "

// ParseTitle reads the one text that most encoders send, "Artist - Name". Its
// String is the text again, but for space around it.
func ParseTitle(text string) Title {
	text = strings.TrimSpace(text)
	if artist, name, ok := strings.Cut(text, titleSeparator); ok && artist != "" && name != "" {
		return Title{Artist: artist, Name: name}
	}
	return Title{Name: text}
}

// maxTitleBytes bounds each text of a title: what is longer is no title.
const maxTitleBytes = 1 << 10

// Clean returns t as the type promises it, whatever it was: each text is valid
// UTF-8 without control characters and without space around it, and at most
// 1 KiB long.
func (t Title) Clean() Title {
	return Title{Artist: CleanText(t.Artist), Name: CleanText(t.Name), URL: CleanText(t.URL)}
}

// CleanText returns one line of text that came from outside without what a
// line cannot hold, cut to 1 KiB at the edge of a character. What is no UTF-8
// becomes U+FFFD, and a control character a space.
func CleanText(text string) string {
	text = text[:min(len(text), 4*maxTitleBytes)] // enough, and no work without bound
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	if len(text) <= maxTitleBytes {
		return text
	}
	n := maxTitleBytes
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return strings.TrimSpace(text[:n])
}

// String returns artist and name as one text.
func (t Title) String() string {
	if t.Artist == "" {
		return t.Name
	}
	return t.Artist + titleSeparator + t.Name
}
