package playlist

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ErrValue means that a model holds what the text of a playlist cannot say.
var ErrValue = errors.New("value cannot stand in a playlist")

// Media is a Media Playlist (RFC 8216 §4.3.2, §4.3.3).
type Media struct {
	// Version is EXT-X-VERSION; 0 is written as 3, the least that allows
	// decimals in EXTINF (hls-rules A09, A10). Reading gives 1 if there is none.
	Version             int
	IndependentSegments bool // every segment can be decoded alone (hls-rules A61)
	// TargetDuration is in whole seconds, at least 1, and the same for the
	// life of the URL (hls-rules A12, A13).
	TargetDuration int
	// Sequence is the media sequence number of the first segment.
	Sequence uint64
	// DiscontinuitySequence counts the EXT-X-DISCONTINUITY tags that have left
	// the playlist: the number of the first segment, less one if that has the
	// tag itself (hls-rules A26). It is always written (A25).
	DiscontinuitySequence uint64
	// Tags are further lines about the whole playlist, with their '#', written
	// as they are after TARGETDURATION: only those that [IsHeaderTag] knows.
	Tags     []string
	Segments []Segment // oldest first
	// Trailer is the tags after the last segment, with their '#'.
	Trailer []string
	End     bool // EXT-X-ENDLIST: nothing will be appended (hls-rules A38)
}

// Segment is one Media Segment: its tags and its URI.
type Segment struct {
	URI      string // relative to the playlist (hls-rules B22)
	Duration Duration
	Title    string // after the comma of EXTINF
	// Time is EXT-X-PROGRAM-DATE-TIME in UTC, zero if there is none. It is
	// rounded to milliseconds in writing and reading (hls-rules A43, A44).
	Time          time.Time
	Discontinuity bool // EXT-X-DISCONTINUITY stands before it
	Gap           bool // EXT-X-GAP: its media is missing and its URI not to be asked for
	// Tags are its further lines, with their '#': EXT-X-KEY, EXT-X-MAP,
	// EXT-X-BYTERANGE, EXT-X-DATERANGE and so on. They are written as they are
	// after EXT-X-DISCONTINUITY.
	Tags []string
}

// Append appends the playlist's text to dst and returns the extended slice. It
// allocates nothing if dst has room. The error, with dst as it was, wraps
// [ErrValue]: a URI that is empty or has a line break, a negative duration, a
// target duration below 1, numbers of segments beyond 64 bits, a line in Tags
// that has a field of its own.
func (m *Media) Append(dst []byte) ([]byte, error) {
	start := len(dst)
	dst, err := m.appendHeader(dst)
	for i := 0; err == nil && i < len(m.Segments); i++ {
		if dst, err = m.Segments[i].append(dst); err != nil {
			err = fmt.Errorf("segment %d: %w", m.Sequence+uint64(i), err)
		}
	}
	if err == nil {
		dst, err = appendTags(dst, m.Trailer, isSegmentTag)
	}
	if err != nil {
		return dst[:start], fmt.Errorf("write media playlist: %w", err)
	}
	if m.End {
		dst = append(dst, "#EXT-X-ENDLIST\n"...)
	}
	return dst, nil
}

// appendHeader appends all that stands before the first segment, in the order
// of hls-rules A07.
func (m *Media) appendHeader(dst []byte) ([]byte, error) {
	version := m.Version
	if version == 0 {
		version = 3
	}
	if version < 0 || m.TargetDuration < 1 || m.wraps() {
		return dst, fmt.Errorf("version %d, target duration %d, sequence %d: %w", version, m.TargetDuration, m.Sequence, ErrValue)
	}
	dst = append(dst, "#EXTM3U\n#EXT-X-VERSION:"...)
	dst = strconv.AppendInt(dst, int64(version), 10)
	if m.IndependentSegments {
		dst = append(dst, "\n#EXT-X-INDEPENDENT-SEGMENTS"...)
	}
	dst = append(dst, "\n#EXT-X-TARGETDURATION:"...)
	dst = strconv.AppendInt(dst, int64(m.TargetDuration), 10)
	dst = append(dst, '\n')
	dst, err := appendTags(dst, m.Tags, IsHeaderTag)
	if err != nil {
		return dst, err
	}
	dst = append(dst, "#EXT-X-MEDIA-SEQUENCE:"...)
	dst = strconv.AppendUint(dst, m.Sequence, 10)
	dst = append(dst, "\n#EXT-X-DISCONTINUITY-SEQUENCE:"...)
	dst = strconv.AppendUint(dst, m.DiscontinuitySequence, 10)
	return append(dst, '\n'), nil
}

// wraps reports whether the number after the last segment has no 64 bits:
// numbers never start again (rfc8216bis §6.2.2).
func (m *Media) wraps() bool { return m.Sequence > math.MaxUint64-uint64(len(m.Segments)) }

// append appends the segment's lines: its tags stand before anything that
// could be fetched (hls-rules A71).
func (s *Segment) append(dst []byte) ([]byte, error) {
	if !isURI(s.URI) {
		return dst, fmt.Errorf("URI %q: %w", s.URI, ErrValue)
	}
	if s.Duration < 0 || !isLine(s.Title) {
		return dst, fmt.Errorf("duration %v, title %q: %w", s.Duration, s.Title, ErrValue)
	}
	if s.Discontinuity {
		dst = append(dst, "#EXT-X-DISCONTINUITY\n"...)
	}
	dst, err := appendTags(dst, s.Tags, isSegmentTag)
	if err != nil {
		return dst, err
	}
	if !s.Time.IsZero() {
		if dst, err = appendTime(append(dst, "#EXT-X-PROGRAM-DATE-TIME:"...), s.Time); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	if s.Gap {
		dst = append(dst, "#EXT-X-GAP\n"...)
	}
	dst = s.Duration.append(append(dst, "#EXTINF:"...))
	dst = append(append(dst, ','), s.Title...)
	dst = append(append(dst, '\n'), s.URI...)
	return append(dst, '\n'), nil
}

// appendTime appends t as YYYY-MM-DDThh:mm:ss.mmmZ (hls-rules A44).
func appendTime(dst []byte, t time.Time) ([]byte, error) {
	t = t.UTC().Round(time.Millisecond)
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return dst, fmt.Errorf("time in year %d: %w", year, ErrValue)
	}
	hour, minute, second := t.Clock()
	dst = append(appendDigits(dst, year, 4), '-')
	dst = append(appendDigits(dst, int(month), 2), '-')
	dst = append(appendDigits(dst, day, 2), 'T')
	dst = append(appendDigits(dst, hour, 2), ':')
	dst = append(appendDigits(dst, minute, 2), ':')
	dst = append(appendDigits(dst, second, 2), '.')
	return append(appendDigits(dst, t.Nanosecond()/int(time.Millisecond), 3), 'Z'), nil
}

// appendTags appends lines that the model has no field for. allowed tells
// which names may stand where they go.
func appendTags(dst []byte, tags []string, allowed func(name string) bool) ([]byte, error) {
	for _, tag := range tags {
		name, _, _ := strings.Cut(tag, ":")
		if !isLine(tag) || !strings.HasPrefix(name, "#EXT") || !allowed(name[1:]) {
			return dst, fmt.Errorf("tag %q: %w", tag, ErrValue)
		}
		dst = append(append(dst, tag...), '\n')
	}
	return dst, nil
}

// IsHeaderTag reports whether name, without '#', is the name of a tag about a
// whole media playlist for which [Media] has no field (rfc8216bis §4.4.2, §4.4.3).
func IsHeaderTag(name string) bool {
	switch name {
	case "EXT-X-ALLOW-CACHE", "EXT-X-DEFINE", "EXT-X-I-FRAMES-ONLY", "EXT-X-PART-INF",
		"EXT-X-PLAYLIST-TYPE", "EXT-X-SERVER-CONTROL", "EXT-X-START":
		return true
	}
	return false
}

// isSegmentTag reports whether name is a tag of a segment, or after the last
// one, for which there is no field.
func isSegmentTag(name string) bool {
	switch name {
	case "EXTM3U", "EXTINF", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-TARGETDURATION",
		"EXT-X-MEDIA-SEQUENCE", "EXT-X-DISCONTINUITY-SEQUENCE", "EXT-X-DISCONTINUITY",
		"EXT-X-PROGRAM-DATE-TIME", "EXT-X-GAP", "EXT-X-ENDLIST",
		"EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-MEDIA":
		return false
	}
	return !IsHeaderTag(name)
}

// isLine reports whether s can end a line and is read back as it is.
func isLine(s string) bool {
	return !strings.ContainsAny(s, "\r\n") && strings.TrimRight(s, blanks) == s
}

// isURI reports whether s can be a line of its own that is a URI.
func isURI(s string) bool {
	return s != "" && s[0] != '#' && isLine(s) && strings.TrimLeft(s, blanks) == s
}
