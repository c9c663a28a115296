package check

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"headwater/playlist"
)

// list is what is known of one URL.
type list struct {
	url     string
	last    *snapshot        // the newest that was a playlist; nil before the first
	seen    map[uint64]*seen // media segments by sequence number
	edge    uint64           // the number after the newest segment ever listed
	since   time.Time        // when edge was first answered
	removed bool             // a segment has left the list
}

// seen is a segment as it was listed last.
type seen struct {
	uri       string
	byteRange string // EXT-X-BYTERANGE
	duration  playlist.Duration
	time      time.Time // start; zero if no date says it
	dated     bool      // the segment has a date itself
	dsn       uint64
	gap       bool
	lines     []string // its tags, all but those that may go
}

// remember adds what now lists.
func (l *list) remember(now *snapshot) {
	if now.media == nil || now.has("EXT-X-SKIP") {
		return
	}
	if l.last != nil && l.last.media != nil && now.media.Sequence > l.last.media.Sequence {
		l.removed = true
	}
	if l.restarted(now) {
		clear(l.seen)
		l.edge = 0
	}
	for number, s := range now.segments() {
		l.seen[number] = s // also if it was another, so that a change is told once
	}
	if end := now.end(); end > l.edge {
		l.edge, l.since = end, now.At
	}
	if len(l.seen) > maxSegments {
		numbers := slices.Sorted(maps.Keys(l.seen))
		for _, n := range numbers[:len(numbers)/2] {
			delete(l.seen, n)
		}
	}
}

// restarted reports whether now begins a new count of segments: all of them
// are numbered below the last ones.
func (l *list) restarted(now *snapshot) bool {
	return l.last != nil && l.last.media != nil && len(now.media.Segments) > 0 && now.end() <= l.last.media.Sequence
}

// segments yields the segments of a media playlist with their numbers.
func (s *snapshot) segments() iter.Seq2[uint64, *seen] {
	return func(yield func(uint64, *seen) bool) {
		dsn := s.media.DiscontinuitySequence
		start := time.Time{}
		for i := range s.media.Segments {
			seg := &s.media.Segments[i]
			if seg.Discontinuity {
				dsn++
				start = time.Time{}
			}
			if !seg.Time.IsZero() {
				start = seg.Time
			}
			known := &seen{uri: seg.URI, duration: seg.Duration,
				time: start, dated: !seg.Time.IsZero(), dsn: dsn, gap: seg.Gap, lines: fixedTags(seg)}
			for _, tag := range seg.Tags {
				if value, ok := strings.CutPrefix(tag, "#EXT-X-BYTERANGE:"); ok {
					known.byteRange = value
				}
			}
			if !yield(s.media.Sequence+uint64(i), known) {
				return
			}
			if !start.IsZero() {
				start = start.Add(seg.Duration.Std())
			}
		}
	}
}

// fixedTags returns the tags of a segment that neither change nor go while it
// is listed, but for EXT-X-KEY and EXT-X-MAP, which the first segment listed
// takes over from those before it.
func fixedTags(seg *playlist.Segment) []string {
	var tags []string
	for _, tag := range seg.Tags {
		name, _, _ := strings.Cut(tag, ":")
		switch name {
		case "#EXT-X-PART", "#EXT-X-DATERANGE", "#EXT-X-PRELOAD-HINT", "#EXT-X-RENDITION-REPORT", "#EXT-X-KEY", "#EXT-X-MAP":
		default:
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	return tags
}
