package check

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// syntaxRules are those of the file as text: A01 to A08, A58.
func syntaxRules() []rule {
	return []rule{
		{"A01", Must, anyText, "playlists are UTF-8 without byte order mark and control characters", checkEncoding},
		{"A01", Ours, anyText, "every line ends in LF alone", checkLineEnds},
		{"A02", Must, anyText, "the first line is #EXTM3U and nothing else", checkFirstLine},
		{"A03", Ours, anyText, "the path of a playlist ends in .m3u8", checkPath},
		{"A04", Must, anyText, "attribute lists are well formed", checkAttributes},
		{"A05", Must, anyText, "tags about the whole playlist stand there once", checkOnce},
		{"A06", Must, anyText, "tags of media and multivariant playlists are not mixed", checkMixed},
		{"A07", Ours, anyMedia, "the header has a fixed order", checkHeaderOrder},
		{"A08", Must, anyText, "MEDIA-SEQUENCE and DISCONTINUITY-SEQUENCE stand before the first segment", checkNumbersFirst},
		{"A58", Must, anyMedia, "a BYTERANGE without offset follows one of the same resource", checkByteRanges},
	}
}

func checkEncoding(v *view) {
	if bytes.HasPrefix(v.now.Body, []byte("\ufeff")) {
		v.fault("the playlist begins with a byte order mark")
	}
	for _, l := range v.now.lines {
		if !utf8.ValidString(l.text) {
			v.fault("line %d is not valid UTF-8", l.number)
		}
		if i := strings.IndexFunc(l.text, unicode.IsControl); i >= 0 {
			v.fault("line %d has the control character %q", l.number, l.text[i:i+1])
		}
	}
}

func checkLineEnds(v *view) {
	if bytes.Contains(v.now.Body, []byte("\r\n")) {
		v.fault("lines end in CR LF")
	}
	if !bytes.HasSuffix(v.now.Body, []byte("\n")) {
		v.fault("the last line has no line end")
	}
}

func checkFirstLine(v *view) {
	if len(v.now.lines) > 0 && v.now.lines[0].text != "#EXTM3U" {
		v.fault("the first line is %q, not #EXTM3U", short(v.now.lines[0].text))
	}
}

func checkPath(v *view) {
	if path.Ext(v.now.path()) != ".m3u8" {
		v.fault("the path %s does not end in .m3u8, which VLC needs", v.now.path())
	}
}

func checkAttributes(v *view) {
	for _, l := range v.now.lines {
		if !hasAttributes(l.name) {
			continue
		}
		list, fault := attributes(l.value)
		if fault != "" {
			v.fault("line %d: %s: %s", l.number, l.name, fault)
		}
		names := make(map[string]bool)
		for _, a := range list {
			if names[a.name] {
				v.fault("line %d: %s has %s twice", l.number, l.name, a.name)
			}
			names[a.name] = true
			if fault := a.typeFault(); fault != "" {
				v.fault("line %d: %s: %s", l.number, l.name, fault)
			}
		}
	}
}

// typeFault tells what is wrong with the type of an attribute's value.
func (a attribute) typeFault() string {
	switch a.name {
	case "URI", "CODECS", "SUPPLEMENTAL-CODECS", "GROUP-ID", "NAME", "LANGUAGE", "ASSOC-LANGUAGE", "AUDIO", "VIDEO",
		"SUBTITLES", "CHANNELS", "CHARACTERISTICS", "INSTREAM-ID", "KEYFORMAT", "KEYFORMATVERSIONS", "BYTERANGE",
		"ID", "CLASS", "START-DATE", "END-DATE", "STABLE-VARIANT-ID", "STABLE-RENDITION-ID", "PATHWAY-ID":
		if !a.quoted {
			return fmt.Sprintf("the value of %s must be in quotation marks", a.name)
		}
	case "BANDWIDTH", "AVERAGE-BANDWIDTH", "RESOLUTION", "FRAME-RATE", "DEFAULT", "AUTOSELECT", "FORCED", "METHOD",
		"TYPE", "PRECISE", "TIME-OFFSET", "VIDEO-RANGE", "HDCP-LEVEL", "DURATION", "PLANNED-DURATION", "INDEPENDENT",
		"GAP", "END-ON-NEXT", "PART-TARGET", "HOLD-BACK", "PART-HOLD-BACK", "CAN-SKIP-UNTIL", "CAN-BLOCK-RELOAD",
		"CAN-SKIP-DATERANGES", "SKIPPED-SEGMENTS", "LAST-MSN", "LAST-PART", "BYTERANGE-START", "BYTERANGE-LENGTH", "SCORE":
		if a.quoted {
			return fmt.Sprintf("the value of %s must not be in quotation marks", a.name)
		}
	case "IV", "SCTE35-CMD", "SCTE35-OUT", "SCTE35-IN":
		digits, ok := strings.CutPrefix(strings.ToLower(a.value), "0x")
		if a.quoted || !ok || strings.Trim(digits, "0123456789abcdef") != "" {
			return fmt.Sprintf("the value of %s must be hexadecimal, beginning 0x", a.name)
		}
	}
	return ""
}

func checkOnce(v *view) {
	count := make(map[string]int)
	for _, l := range v.now.lines {
		switch classOf(l.name) {
		case classHeader:
			count[l.name]++
		case classAny:
			if slices.Contains([]string{"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-START"}, l.name) {
				count[l.name]++
			}
		}
		if count[l.name] == 2 {
			v.fault("line %d: %s stands there twice", l.number, l.name)
			count[l.name]++
		}
	}
}

func checkMixed(v *view) {
	if !v.now.hasClass(classMultivariant) {
		return
	}
	for _, l := range v.now.lines {
		if c := classOf(l.name); l.name != "" && (c == classHeader || c == classSegment) {
			v.fault("line %d: %s is of a media playlist, others are of a multivariant playlist", l.number, l.name)
		}
	}
}

func checkHeaderOrder(v *view) {
	order := []string{"EXTM3U", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-TARGETDURATION", "EXT-X-SERVER-CONTROL",
		"EXT-X-PART-INF", "EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-SKIP"}
	last := -1
	for _, l := range v.now.lines {
		at := slices.Index(order, l.name)
		if at < 0 {
			continue
		}
		if at < last {
			v.fault("line %d: %s stands after %s", l.number, l.name, order[last])
		}
		last = max(last, at)
	}
}

func checkNumbersFirst(v *view) {
	segment, broken := false, false
	for _, l := range v.now.lines {
		switch l.name {
		case "EXTINF":
			segment = true
		case "EXT-X-DISCONTINUITY":
			broken = true
		case "EXT-X-MEDIA-SEQUENCE":
			if segment {
				v.fault("line %d: %s stands after the first segment", l.number, l.name)
			}
		case "EXT-X-DISCONTINUITY-SEQUENCE":
			if segment || broken {
				v.fault("line %d: %s stands after the first segment or EXT-X-DISCONTINUITY", l.number, l.name)
			}
		}
	}
}

func checkByteRanges(v *view) {
	last, ranged := "", false // the URI before, and whether it was a sub-range
	var open *line            // an EXT-X-BYTERANGE without offset, whose URI is to come
	has := false
	for i, l := range v.now.lines {
		switch {
		case l.name == "EXT-X-BYTERANGE":
			has = true
			length, offset, withOffset := strings.Cut(l.value, "@")
			if !isDigits(length) || withOffset && !isDigits(offset) {
				v.fault("line %d: BYTERANGE %q is not of the form length[@offset]", l.number, l.value)
			}
			if !withOffset {
				open = &v.now.lines[i]
			}
		case l.uri():
			if open != nil && (l.text != last || !ranged) {
				v.fault("line %d: BYTERANGE %s has no offset, but the segment before is no sub-range of %s", open.number, open.value, l.text)
			}
			last, ranged, open, has = l.text, has, nil, false
		}
	}
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// short returns the beginning of s, for a text that is read by people.
func short(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "..."
	}
	return s
}
