package playlist

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/grafov/m3u8"
)

// Multivariant is a Multivariant Playlist (RFC 8216 §4.3.4, there Master Playlist).
type Multivariant struct {
	// Version is EXT-X-VERSION, at most 255; 0 is written as 3. Reading gives 1 if there is none.
	Version             int
	IndependentSegments bool // of all segments of all its media playlists (hls-rules A61)
	Renditions          []Rendition
	// Variants are in the order written; a player starts with the first (hls-rules B21).
	Variants []Variant
	// Tags are further lines, with their '#', such as EXT-X-I-FRAME-STREAM-INF
	// and EXT-X-SESSION-DATA. They are written as they are before the variants.
	Tags []string
}

// Variant is one Variant Stream: EXT-X-STREAM-INF and its URI. An empty string
// or 0 means that the attribute is left out, except BANDWIDTH.
type Variant struct {
	URI              string // relative to the playlist (hls-rules B22)
	Bandwidth        int64  // peak bits per second, with container, below 2^32 (hls-rules B01)
	AverageBandwidth int64  // bits per second, below 2^32 (hls-rules B02)
	Codecs           string // RFC 6381 list, comma-separated (hls-rules B04)
	Width, Height    int    // pixels as displayed; 0 for audio only (hls-rules B09, B15)
	FrameRate        float64
	VideoRange       string // SDR, HLG or PQ
	Audio            string // GROUP-ID of its renditions of that type
	Video            string
	Subtitles        string
	ClosedCaptions   string
	// ClosedCaptionsNone writes CLOSED-CAPTIONS=NONE: players hide the menu
	// (hls-rules B12). ClosedCaptions must be empty then.
	ClosedCaptionsNone bool
}

// Rendition is one EXT-X-MEDIA. Type, GroupID and Name are needed; any other
// attribute is left out if empty, and DEFAULT, AUTOSELECT and FORCED if false.
type Rendition struct {
	Type            string // AUDIO, VIDEO, SUBTITLES or CLOSED-CAPTIONS
	GroupID         string
	Name            string // unique in its group (hls-rules B11)
	Language        string // RFC 5646
	URI             string // relative to the playlist
	Default         bool
	Autoselect      bool
	Forced          bool
	InstreamID      string
	Characteristics string
	Channels        string
}

// Append appends the playlist's text to dst and returns the extended slice. The
// error, with dst as it was, wraps [ErrValue]: an empty URI, a bit rate of more
// than 32 bits, a quotation mark or line break in an attribute.
func (m *Multivariant) Append(dst []byte) ([]byte, error) {
	master := m3u8.NewMasterPlaylist()
	if m.Version < 0 || m.Version > math.MaxUint8 {
		return dst, fmt.Errorf("write multivariant playlist: version %d: %w", m.Version, ErrValue)
	}
	if m.Version > 0 {
		master.SetVersion(uint8(m.Version))
	}
	master.SetIndependentSegments(m.IndependentSegments)
	var extra composite
	for i := range m.Renditions {
		text, err := m.Renditions[i].append(extra.text)
		if err != nil {
			return dst, fmt.Errorf("write multivariant playlist: rendition %q: %w", m.Renditions[i].Name, err)
		}
		extra.text = text
	}
	text, err := appendTags(extra.text, m.Tags, isMultivariantTag)
	if err != nil {
		return dst, fmt.Errorf("write multivariant playlist: %w", err)
	}
	if extra.text = text; len(text) > 0 {
		master.SetCustomTag(&extra)
	}
	for i := range m.Variants {
		params, err := m.Variants[i].params()
		if err != nil {
			return dst, fmt.Errorf("write multivariant playlist: variant %q: %w", m.Variants[i].URI, err)
		}
		master.Append(m.Variants[i].URI, nil, params)
	}
	return appendWithoutProgramID(dst, master.Encode().Bytes()), nil
}

// params returns v as grafov/m3u8 takes it.
func (v *Variant) params() (m3u8.VariantParams, error) {
	if !isURI(v.URI) {
		return m3u8.VariantParams{}, fmt.Errorf("URI %q: %w", v.URI, ErrValue)
	}
	for _, n := range []int64{v.Bandwidth, v.AverageBandwidth} {
		if n < 0 || n > math.MaxUint32 {
			return m3u8.VariantParams{}, fmt.Errorf("bandwidth %d: %w", n, ErrValue)
		}
	}
	for _, s := range []string{v.Codecs, v.Audio, v.Video, v.Subtitles, v.ClosedCaptions} {
		if !isQuotable(s) {
			return m3u8.VariantParams{}, fmt.Errorf("attribute %q: %w", s, ErrValue)
		}
	}
	if !isEnumerated(v.VideoRange) || v.Width < 0 || v.Height < 0 || (v.Width == 0) != (v.Height == 0) ||
		!isFrameRate(v.FrameRate) || v.ClosedCaptions == captionsNone || v.ClosedCaptionsNone && v.ClosedCaptions != "" {
		return m3u8.VariantParams{}, fmt.Errorf("picture %dx%d at %v, range %q, captions %q: %w",
			v.Width, v.Height, v.FrameRate, v.VideoRange, v.ClosedCaptions, ErrValue)
	}
	p := m3u8.VariantParams{
		Bandwidth:        uint32(v.Bandwidth),
		AverageBandwidth: uint32(v.AverageBandwidth),
		Codecs:           v.Codecs,
		FrameRate:        v.FrameRate,
		VideoRange:       v.VideoRange,
		Audio:            v.Audio,
		Video:            v.Video,
		Subtitles:        v.Subtitles,
		Captions:         v.ClosedCaptions,
	}
	if v.Width > 0 {
		p.Resolution = strconv.Itoa(v.Width) + "x" + strconv.Itoa(v.Height)
	}
	if v.ClosedCaptionsNone {
		p.Captions = captionsNone
	}
	return p, nil
}

// captionsNone is the one value of CLOSED-CAPTIONS that is not quoted.
const captionsNone = "NONE"

// append appends the EXT-X-MEDIA line.
func (r *Rendition) append(dst []byte) ([]byte, error) {
	if r.Type == "" || !isEnumerated(r.Type) || r.GroupID == "" || r.Name == "" {
		return dst, fmt.Errorf("type %q, group %q: %w", r.Type, r.GroupID, ErrValue)
	}
	dst = append(append(dst, "#EXT-X-MEDIA:TYPE="...), r.Type...)
	var err error
	quoted := func(name, value string) {
		if !isQuotable(value) {
			err = fmt.Errorf("%s %q: %w", name, value, ErrValue)
		} else if value != "" {
			dst = append(append(append(dst, ','), name...), `="`...)
			dst = append(append(dst, value...), '"')
		}
	}
	yes := func(name string, value bool) {
		if value {
			dst = append(append(append(dst, ','), name...), "=YES"...)
		}
	}
	quoted("GROUP-ID", r.GroupID)
	quoted("NAME", r.Name)
	quoted("LANGUAGE", r.Language)
	yes("DEFAULT", r.Default)
	yes("AUTOSELECT", r.Autoselect)
	yes("FORCED", r.Forced)
	quoted("INSTREAM-ID", r.InstreamID)
	quoted("CHARACTERISTICS", r.Characteristics)
	quoted("CHANNELS", r.Channels)
	quoted("URI", r.URI)
	return append(dst, '\n'), err
}

// composite is all that grafov/m3u8 cannot write, as one custom tag: it keeps
// several of them in a map, whose order changes.
type composite struct{ text []byte }

func (c *composite) TagName() string { return "#EXT-X-MEDIA:" }
func (c *composite) String() string  { return string(c.text) }
func (c *composite) Encode() *bytes.Buffer {
	return bytes.NewBuffer(bytes.TrimSuffix(c.text, []byte("\n")))
}

// appendWithoutProgramID appends text to dst without the PROGRAM-ID that
// grafov/m3u8 puts into each variant: removed from HLS in protocol version 6 (hls-rules A11).
func appendWithoutProgramID(dst, text []byte) []byte {
	for l := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(l, []byte("#EXT-X-STREAM-INF:PROGRAM-ID=0,")); ok {
			dst = append(append(dst, "#EXT-X-STREAM-INF:"...), rest...)
		} else {
			dst = append(dst, l...)
		}
	}
	return dst
}

// isMultivariantTag reports whether name is a tag that [Multivariant] keeps as it is.
func isMultivariantTag(name string) bool {
	switch name {
	case "EXTM3U", "EXTINF", "EXT-X-VERSION", "EXT-X-INDEPENDENT-SEGMENTS", "EXT-X-TARGETDURATION",
		"EXT-X-MEDIA-SEQUENCE", "EXT-X-STREAM-INF", "EXT-X-MEDIA":
		return false
	}
	return true
}

// isQuotable reports whether s can be a quoted-string and is read back as it is.
func isQuotable(s string) bool {
	return !strings.ContainsAny(s, "\"\r\n") && strings.Trim(s, " ") == s
}

// isEnumerated reports whether s can be an enumerated-string.
func isEnumerated(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// isFrameRate reports whether f can be written with three decimals and read back.
func isFrameRate(f float64) bool { return f >= 0 && f < 1e6 }
