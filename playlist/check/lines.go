package check

import (
	"bytes"
	"fmt"
	"strings"
)

// line is one line of a playlist, as it came.
type line struct {
	number int
	text   string // without its line end
	name   string // of a tag, without '#'; empty for a URI, a comment or nothing
	value  string // after the colon
}

// split takes a playlist apart. Unlike the playlist reader it forgives nothing:
// a blank before a tag makes it a URI.
func split(body []byte) (lines []line) {
	for raw := range bytes.Lines(body) {
		text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
		l := line{number: len(lines) + 1, text: text}
		if strings.HasPrefix(text, "#EXT") {
			l.name, l.value, _ = strings.Cut(text[1:], ":")
		}
		lines = append(lines, l)
	}
	return lines
}

// uri reports whether the line is a URI.
func (l line) uri() bool { return l.text != "" && l.text[0] != '#' }

// has reports whether a tag called name is there.
func (s *snapshot) has(name string) bool { return s.first(name) != nil }

// first returns the first tag called name, or nil.
func (s *snapshot) first(name string) *line {
	for i := range s.lines {
		if s.lines[i].name == name {
			return &s.lines[i]
		}
	}
	return nil
}

// class is the kind of playlist that a tag belongs to.
type class uint8

const (
	classAny          class = iota // both kinds, or unknown
	classHeader                    // a media playlist as a whole, once
	classSegment                   // a segment, part or place of a media playlist
	classMultivariant              // a multivariant playlist
)

// classOf returns the class of a tag (rfc8216bis §4.4).
func classOf(name string) class {
	switch name {
	case "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-PLAYLIST-TYPE",
		"EXT-X-I-FRAMES-ONLY", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-SKIP", "EXT-X-ENDLIST":
		return classHeader
	case "EXTINF", "EXT-X-BYTERANGE", "EXT-X-DISCONTINUITY", "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PROGRAM-DATE-TIME",
		"EXT-X-GAP", "EXT-X-BITRATE", "EXT-X-PART", "EXT-X-DATERANGE", "EXT-X-PRELOAD-HINT", "EXT-X-RENDITION-REPORT":
		return classSegment
	case "EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA",
		"EXT-X-SESSION-KEY", "EXT-X-CONTENT-STEERING":
		return classMultivariant
	}
	return classAny
}

// hasClass reports whether any tag is of class c.
func (s *snapshot) hasClass(c class) bool {
	for i := range s.lines {
		if s.lines[i].name != "" && classOf(s.lines[i].name) == c {
			return true
		}
	}
	return false
}

// hasAttributes reports whether the value of a tag is an attribute list.
func hasAttributes(name string) bool {
	switch name {
	case "EXT-X-KEY", "EXT-X-MAP", "EXT-X-PART", "EXT-X-DATERANGE", "EXT-X-PRELOAD-HINT", "EXT-X-RENDITION-REPORT",
		"EXT-X-MEDIA", "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-DATA", "EXT-X-SESSION-KEY",
		"EXT-X-CONTENT-STEERING", "EXT-X-START", "EXT-X-DEFINE", "EXT-X-PART-INF", "EXT-X-SERVER-CONTROL", "EXT-X-SKIP":
		return true
	}
	return false
}

// attribute is one of an attribute list, as it came.
type attribute struct {
	name   string
	value  string // without quotation marks
	quoted bool
}

// attributes reads an attribute list to the letter of RFC 8216 §4.2, and stops
// at the first fault, which it tells.
func attributes(s string) (list []attribute, fault string) {
	for s != "" {
		name, rest, ok := strings.Cut(s, "=")
		if !ok || name == "" || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
			return list, fmt.Sprintf("%q is not an attribute name with '=' after it", name)
		}
		a := attribute{name: name}
		if strings.HasPrefix(rest, `"`) {
			a.quoted = true
			if a.value, rest, ok = strings.Cut(rest[1:], `"`); !ok {
				return list, fmt.Sprintf("the value of %s has no closing quotation mark", name)
			}
		} else {
			end := strings.IndexByte(rest+",", ',')
			a.value, rest = rest[:end], rest[end:]
			if strings.ContainsAny(a.value, "\" \t") {
				return list, fmt.Sprintf("the value %q of %s has a blank or a quotation mark in it", a.value, name)
			}
		}
		if list = append(list, a); a.value == "" {
			return list, fmt.Sprintf("the value of %s is empty", name)
		}
		if rest == "" {
			return list, ""
		}
		if rest[0] != ',' || len(rest) == 1 {
			return list, fmt.Sprintf("after the value of %s comes %q, not a comma and an attribute", name, rest)
		}
		s = rest[1:]
	}
	return list, "the attribute list is empty"
}

// attribute returns the value of an attribute of the tag.
func (l line) attribute(name string) (value string, ok bool) {
	list, _ := attributes(l.value)
	for _, a := range list {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}
