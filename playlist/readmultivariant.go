package playlist

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/grafov/m3u8"
)

// ReadMultivariant reads a multivariant playlist of any server, as tolerant as
// [ReadMedia]; attributes that the model has no field for are dropped.
//
// The error is a [*ParseError]. It wraps [ErrNotPlaylist] if b is something
// else, [ErrMedia] if it has tags of a media playlist, and [ErrMissing] for a
// variant without URI or a URI without variant.
func ReadMultivariant(b []byte) (*Multivariant, error) {
	r := multivariantReader{list: &Multivariant{Version: 1}}
	for l := range lines(b) {
		if err := r.line(l); err != nil {
			return nil, fmt.Errorf("read multivariant playlist: %w", err)
		}
	}
	switch {
	case !r.begun:
		return nil, fmt.Errorf("read multivariant playlist: %w", &ParseError{Tag: "EXTM3U", Err: ErrNotPlaylist})
	case r.hasInfo:
		err := &ParseError{Tag: "EXT-X-STREAM-INF", Err: fmt.Errorf("URI after the last one %w", ErrMissing)}
		return nil, fmt.Errorf("read multivariant playlist: %w", err)
	}
	return r.list, nil
}

// multivariantReader holds the variant whose URI is to come.
type multivariantReader struct {
	list    *Multivariant
	begun   bool // #EXTM3U was seen
	next    Variant
	hasInfo bool // next has its EXT-X-STREAM-INF
}

func (r *multivariantReader) line(l line) error {
	if !r.begun {
		if r.begun = l.name == "EXTM3U"; !r.begun {
			return l.fail(ErrNotPlaylist)
		}
		return nil
	}
	switch l.name {
	case "EXTM3U":
	case "":
		if !r.hasInfo {
			return l.fail(fmt.Errorf("EXT-X-STREAM-INF of %q %w", l.text, ErrMissing))
		}
		r.next.URI = l.text
		r.list.Variants = append(r.list.Variants, r.next)
		r.hasInfo = false
	case "EXT-X-VERSION":
		n, err := l.uint(8)
		if err != nil {
			return err
		}
		r.list.Version = max(int(n), 1)
	case "EXT-X-INDEPENDENT-SEGMENTS":
		r.list.IndependentSegments = true
	case "EXT-X-STREAM-INF":
		v, err := readVariant(m3u8.DecodeAttributeList(l.value))
		if err != nil {
			return l.fail(err)
		}
		r.next, r.hasInfo = v, true
	case "EXT-X-MEDIA":
		rendition, err := readRendition(m3u8.DecodeAttributeList(l.value))
		if err != nil {
			return l.fail(err)
		}
		r.list.Renditions = append(r.list.Renditions, rendition)
	case "EXTINF", "EXT-X-TARGETDURATION", "EXT-X-MEDIA-SEQUENCE":
		return l.fail(ErrMedia)
	default:
		r.list.Tags = append(r.list.Tags, l.text)
	}
	return nil
}

// readVariant makes a variant of the attributes of EXT-X-STREAM-INF.
func readVariant(attributes map[string]string) (v Variant, err error) {
	v = Variant{
		Codecs:         attributes["CODECS"],
		VideoRange:     attributes["VIDEO-RANGE"],
		Audio:          attributes["AUDIO"],
		Video:          attributes["VIDEO"],
		Subtitles:      attributes["SUBTITLES"],
		ClosedCaptions: attributes["CLOSED-CAPTIONS"],
	}
	if v.ClosedCaptions == captionsNone {
		v.ClosedCaptions, v.ClosedCaptionsNone = "", true
	}
	if !isEnumerated(v.VideoRange) {
		return v, fmt.Errorf("VIDEO-RANGE %q is not an enumerated string", v.VideoRange)
	}
	if v.Bandwidth, err = readBandwidth(attributes, "BANDWIDTH"); err != nil {
		return v, err
	}
	if v.AverageBandwidth, err = readBandwidth(attributes, "AVERAGE-BANDWIDTH"); err != nil {
		return v, err
	}
	if s, ok := attributes["RESOLUTION"]; ok {
		if v.Width, v.Height, err = readResolution(s); err != nil {
			return v, err
		}
	}
	if s, ok := attributes["FRAME-RATE"]; ok {
		v.FrameRate, err = readFrameRate(s)
	}
	return v, err
}

// readBandwidth returns the bit rate called name, 0 if there is none.
func readBandwidth(attributes map[string]string, name string) (int64, error) {
	s, ok := attributes[name]
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a decimal integer of at most 32 bits", name, s)
	}
	return int64(n), nil
}

func readResolution(s string) (width, height int, err error) {
	w, h, ok := strings.Cut(s, "x")
	x, err1 := strconv.ParseUint(w, 10, 31)
	y, err2 := strconv.ParseUint(h, 10, 31)
	if !ok || errors.Join(err1, err2) != nil || x == 0 || y == 0 {
		return 0, 0, fmt.Errorf("RESOLUTION %q is not WIDTHxHEIGHT", s)
	}
	return int(x), int(y), nil
}

// readFrameRate rounds to the three decimals that are written.
func readFrameRate(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !isFrameRate(f) {
		return 0, fmt.Errorf("FRAME-RATE %q is not a frame rate", s)
	}
	return strconv.ParseFloat(strconv.FormatFloat(f, 'f', 3, 64), 64)
}

// readRendition makes a rendition of the attributes of EXT-X-MEDIA.
func readRendition(attributes map[string]string) (Rendition, error) {
	r := Rendition{
		Type:            attributes["TYPE"],
		GroupID:         attributes["GROUP-ID"],
		Name:            attributes["NAME"],
		Language:        attributes["LANGUAGE"],
		URI:             attributes["URI"],
		Default:         attributes["DEFAULT"] == "YES",
		Autoselect:      attributes["AUTOSELECT"] == "YES",
		Forced:          attributes["FORCED"] == "YES",
		InstreamID:      attributes["INSTREAM-ID"],
		Characteristics: attributes["CHARACTERISTICS"],
		Channels:        attributes["CHANNELS"],
	}
	if r.Type == "" || !isEnumerated(r.Type) || r.GroupID == "" || r.Name == "" {
		return r, fmt.Errorf("TYPE, GROUP-ID or NAME %w", ErrMissing)
	}
	return r, nil
}
