package check

import (
	"strings"
	"time"
)

// windowRules are those of how much is listed: A34, A35, A41, A62.
func windowRules() []rule {
	return []rule{
		{"A34", Must, liveMedia, "a live list has at least 6 segments", checkCount},
		{"A35", Must, anyMedia, "a list without segments is not served", checkEmpty},
		{"A41", Must, anyMedia, "a list that slides has no PLAYLIST-TYPE", checkType},
		{"A62", Should, liveMedia, "START does not lie within 3 target durations of the end", checkStart},
	}
}

// checkCount waits until the list has begun to slide: a young one is short.
func checkCount(v *view) {
	slides := v.list.removed || v.comparable() && v.now.media.Sequence > v.before.media.Sequence
	if n := len(v.now.media.Segments); slides && n < 6 {
		v.fault("the list has %d segments, which should be 6 at least", n)
	}
}

func checkEmpty(v *view) {
	if len(v.now.media.Segments) == 0 {
		v.fault("the list has no segment: hls.js and GStreamer take that for an error")
	}
}

func checkType(v *view) {
	l := v.now.first("EXT-X-PLAYLIST-TYPE")
	switch {
	case l == nil:
	case strings.TrimSpace(l.value) == "VOD" && v.now.live():
		v.fault("PLAYLIST-TYPE is VOD, but there is no EXT-X-ENDLIST")
	case v.comparable() && v.now.media.Sequence > v.before.media.Sequence:
		v.fault("PLAYLIST-TYPE is %s, but segments are removed", l.value)
	}
}

func checkStart(v *view) {
	l := v.now.first("EXT-X-START")
	if l == nil {
		return
	}
	text, _ := l.attribute("TIME-OFFSET")
	offset, err := time.ParseDuration(text + "s")
	if err != nil {
		v.fault("line %d: TIME-OFFSET %q is not a number of seconds", l.number, text)
		return
	}
	fromEnd := -offset
	if offset >= 0 {
		fromEnd = v.now.length().Std() - offset
	}
	if fromEnd < 3*v.now.target() {
		v.fault("TIME-OFFSET %s lies within 3 target durations of the end", text)
	}
}
