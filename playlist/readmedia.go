package playlist

import (
	"errors"
	"fmt"
	"strings"
)

// ReadMedia reads a media playlist of any server. It is tolerant: line ends of
// any kind, a byte order mark, blanks around lines, comments, unknown tags and
// repeated ones (the last counts) are let pass; the rule checker is strict.
// What it returns can be written again, and reads back equal.
//
// The error is a [*ParseError]. It wraps [ErrNotPlaylist] if b is something
// else, [ErrMultivariant] if it has tags of a multivariant playlist, and
// [ErrMissing] for a missing TARGETDURATION or EXTINF.
func ReadMedia(b []byte) (*Media, error) {
	r := mediaReader{media: &Media{Version: 1}}
	for l := range lines(b) {
		if err := r.line(l); err != nil {
			return nil, fmt.Errorf("read media playlist: %w", err)
		}
	}
	if err := r.finish(); err != nil {
		return nil, fmt.Errorf("read media playlist: %w", err)
	}
	return r.media, nil
}

// mediaReader collects the tags of the segment to come.
type mediaReader struct {
	media   *Media
	begun   bool // #EXTM3U was seen
	next    Segment
	hasInfo bool // next has its EXTINF
}

func (r *mediaReader) line(l line) error {
	if !r.begun {
		if r.begun = l.name == "EXTM3U"; !r.begun {
			return l.fail(ErrNotPlaylist)
		}
		return nil
	}
	if l.name == "" {
		if !r.hasInfo {
			return l.fail(fmt.Errorf("EXTINF of %q %w", l.text, ErrMissing))
		}
		r.next.URI = l.text
		r.media.Segments = append(r.media.Segments, r.next)
		r.next, r.hasInfo = Segment{}, false
		return nil
	}
	return r.tag(l)
}

// tag takes one tag.
func (r *mediaReader) tag(l line) (err error) {
	var n uint64
	switch l.name {
	case "EXTM3U":
	case "EXT-X-VERSION":
		n, err = l.uint(8)
		r.media.Version = max(int(n), 1)
	case "EXT-X-INDEPENDENT-SEGMENTS":
		r.media.IndependentSegments = true
	case "EXT-X-TARGETDURATION":
		return r.targetDuration(l)
	case "EXT-X-MEDIA-SEQUENCE":
		r.media.Sequence, err = l.uint(64)
	case "EXT-X-DISCONTINUITY-SEQUENCE":
		r.media.DiscontinuitySequence, err = l.uint(64)
	case "EXT-X-DISCONTINUITY":
		r.next.Discontinuity = true
	case "EXT-X-GAP":
		r.next.Gap = true
	case "EXT-X-PROGRAM-DATE-TIME":
		if r.next.Time, err = parseTime(l.value); err != nil {
			return l.fail(err)
		}
	case "EXTINF":
		return r.info(l)
	case "EXT-X-ENDLIST":
		r.media.End = true
	case "EXT-X-STREAM-INF", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-MEDIA":
		return l.fail(ErrMultivariant)
	default:
		if IsHeaderTag(l.name) {
			r.media.Tags = append(r.media.Tags, l.text)
		} else {
			r.next.Tags = append(r.next.Tags, l.text)
		}
	}
	return err
}

// targetDuration reads whole seconds; decimals, which RFC 8216 forbids, are
// rounded as EXTINF is for the comparison (hls-rules A12).
func (r *mediaReader) targetDuration(l line) error {
	d, err := parseDuration(l.value)
	if err != nil {
		return l.fail(fmt.Errorf("value %q: %w", l.value, err))
	}
	r.media.TargetDuration = int((d + Second/2) / Second)
	if r.media.TargetDuration < 1 {
		return l.fail(fmt.Errorf("value %q is less than 1 second", l.value))
	}
	return nil
}

func (r *mediaReader) info(l line) (err error) {
	number, title, _ := strings.Cut(l.value, ",")
	if r.next.Duration, err = parseDuration(number); err != nil {
		return l.fail(fmt.Errorf("duration %q: %w", number, err))
	}
	r.next.Title, r.hasInfo = title, true
	return nil
}

// finish checks what must have been there. Tags after the last URI belong to
// no segment, or to one that is being made.
func (r *mediaReader) finish() error {
	switch {
	case !r.begun:
		return &ParseError{Tag: "EXTM3U", Err: ErrNotPlaylist}
	case r.hasInfo:
		return &ParseError{Tag: "EXTINF", Err: fmt.Errorf("URI after the last one %w", ErrMissing)}
	case r.media.TargetDuration == 0:
		return &ParseError{Tag: "EXT-X-TARGETDURATION", Err: ErrMissing}
	case r.media.wraps():
		return &ParseError{Tag: "EXT-X-MEDIA-SEQUENCE", Err: errors.New("numbers of segments go beyond 64 bits")}
	}
	r.media.Trailer = r.next.Tags
	return nil
}
