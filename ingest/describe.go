package ingest

import (
	"fmt"
	"strconv"
	"strings"

	"headwater/mux"
)

// Describe returns the tracks of p as a person would name them, in the order
// of the program: "H.264 1280x720 25 fps, AAC 48 kHz stereo (deu)". It returns
// "" for nil.
func Describe(p *mux.Program) string {
	if p == nil {
		return ""
	}
	words := make([]string, len(p.Tracks))
	for i := range p.Tracks {
		words[i] = describeTrack(&p.Tracks[i])
	}
	return strings.Join(words, ", ")
}

func describeTrack(t *mux.Track) string {
	var b strings.Builder
	b.WriteString(t.Codec.String())
	p := &t.Parameters
	if p.CodecString == "mp4a.40.5" || p.CodecString == "mp4a.40.29" {
		b.Reset() // people know these by other names
		b.WriteString("HE-AAC")
		if p.CodecString == "mp4a.40.29" {
			b.WriteString(" v2")
		}
	}
	if p.Width > 0 {
		fmt.Fprintf(&b, " %dx%d", p.Width, p.Height)
	}
	if p.FrameRateNum > 0 && p.FrameRateDen > 0 {
		rate := float64(p.FrameRateNum) / float64(p.FrameRateDen)
		fmt.Fprintf(&b, " %s fps", decimals(rate, 2))
	}
	if p.SampleRate > 0 {
		fmt.Fprintf(&b, " %s kHz", decimals(float64(p.SampleRate)/1000, 3))
	}
	switch p.Channels {
	case 0:
	case 1:
		b.WriteString(" mono")
	case 2:
		b.WriteString(" stereo")
	case 6:
		b.WriteString(" 5.1")
	default:
		fmt.Fprintf(&b, " %d channels", p.Channels)
	}
	if t.Language != "" {
		fmt.Fprintf(&b, " (%s)", t.Language)
	}
	return b.String()
}

// decimals formats v with at most n decimals and no needless zeros.
func decimals(v float64, n int) string {
	s := strconv.FormatFloat(v, 'f', n, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// known reports whether the headers of all tracks that have some were seen.
func known(p *mux.Program) bool {
	if p == nil {
		return false
	}
	for i := range p.Tracks {
		t := &p.Tracks[i]
		if (t.Codec == mux.CodecH264 || t.Codec == mux.CodecHEVC || t.Codec == mux.CodecMPEG2Video || t.Codec.Framed()) &&
			!t.Parameters.Known() {
			return false
		}
	}
	return true
}
