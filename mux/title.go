package mux

import "strings"

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

// String returns artist and name as one text.
func (t Title) String() string {
	if t.Artist == "" {
		return t.Name
	}
	return t.Artist + titleSeparator + t.Name
}
