package check

import (
	"math"
	"slices"
	"strings"
	"time"

	"headwater/mux"
)

// Tolerances of the bit rates that a multivariant playlist declares, for live
// streams (Apple HLS Authoring Specification 1.28, 1.29).
const (
	peakTolerance    = 1.25
	averageTolerance = 1.10
	// averageOver is the media that a mean must be taken over to say anything.
	averageOver = 5 * time.Minute
)

// rates holds what the multivariant playlist declares to what was measured
// (hls-rules B01, B02, B04, B09).
func (w *watch) rates() {
	for _, v := range w.variants {
		subject := v.list.url.String()
		if peak, ok := v.list.peak(); ok && v.Bandwidth > 0 && float64(peak) > peakTolerance*float64(v.Bandwidth) {
			w.find("B01", subject, "its peak is %d kbit/s, BANDWIDTH says %d", peak/1000, v.Bandwidth/1000)
		}
		if mean, over := v.list.mean(); over >= averageOver && v.AverageBandwidth > 0 &&
			float64(mean) > averageTolerance*float64(v.AverageBandwidth) {
			w.find("B02", subject, "its mean is %d kbit/s, AVERAGE-BANDWIDTH says %d", mean/1000, v.AverageBandwidth/1000)
		}
		w.codecs(v)
		w.picture(v)
	}
}

// peak returns the highest bit rate of any run of neighbouring segments that
// is half to one and a half target durations long (RFC 8216 §4.1).
func (l *list) peak() (int64, bool) {
	var highest int64
	for i := range l.fetched {
		var bytes int
		var length time.Duration
		for _, e := range l.fetched[i:] {
			if e.segment == nil {
				break
			}
			bytes += e.size
			length += e.info.Duration.Std()
			if length > l.target*3/2 {
				break
			}
			if length >= l.target/2 && length > 0 {
				highest = max(highest, rate(bytes, length))
			}
		}
	}
	return highest, highest > 0
}

// mean returns the bit rate of all segments seen, and how much media they are.
func (l *list) mean() (int64, time.Duration) {
	var bytes int
	var length time.Duration
	for _, e := range l.fetched {
		if e.segment != nil {
			bytes += e.size
			length += e.info.Duration.Std()
		}
	}
	if length == 0 {
		return 0, 0
	}
	return rate(bytes, length), length
}

func rate(bytes int, length time.Duration) int64 {
	return int64(float64(bytes) * 8 / length.Seconds())
}

// tracks returns the tracks of the newest segment that has any.
func (l *list) tracks() []mux.Track {
	for _, e := range slices.Backward(l.fetched) {
		if e.segment != nil && len(e.segment.tracks) > 0 {
			return e.segment.tracks
		}
	}
	return nil
}

// codecs: CODECS names all that is in the segments and nothing else (hls-rules B04).
// With renditions in other lists it may name more.
func (w *watch) codecs(v variant) {
	tracks := v.list.tracks()
	if len(tracks) == 0 || v.Codecs == "" {
		return
	}
	subject := v.list.url.String()
	declared := strings.Split(strings.ReplaceAll(v.Codecs, " ", ""), ",")
	var found []string
	for _, t := range tracks {
		if c := t.Parameters.CodecString; c != "" && (t.Codec.Video() || t.Codec.Audio()) {
			found = append(found, c)
			if !slices.Contains(declared, c) {
				w.find("B04", subject, "its segments have %v, %s, which CODECS=%q does not name", t.Codec, c, v.Codecs)
			}
		}
	}
	if v.Audio != "" || v.Video != "" || v.Subtitles != "" || slices.ContainsFunc(tracks, func(t mux.Track) bool { return !t.Parameters.Known() }) {
		return
	}
	for _, c := range declared {
		if c != "" && !slices.Contains(found, c) {
			w.find("B04", subject, "CODECS names %s, which its segments do not have", c)
		}
	}
}

// picture: RESOLUTION and FRAME-RATE are those of the video (hls-rules B09).
func (w *watch) picture(v variant) {
	subject := v.list.url.String()
	for _, t := range v.list.tracks() {
		p := t.Parameters
		if !t.Codec.Video() || p.Width == 0 {
			continue
		}
		if v.Width > 0 && (v.Width != p.Width || v.Height != p.Height) {
			w.find("B09", subject, "RESOLUTION says %dx%d, its pictures are %dx%d", v.Width, v.Height, p.Width, p.Height)
		}
		measured := v.list.frameRate()
		if v.FrameRate > 0 && measured > 0 && math.Abs(v.FrameRate-measured) > 0.01*measured {
			w.find("B09", subject, "FRAME-RATE says %.3f, it has %.3f pictures a second", v.FrameRate, measured)
		}
		return
	}
}

// frameRate returns the pictures a second by the newest segment's timestamps, 0 if unknown.
func (l *list) frameRate() float64 {
	for _, e := range slices.Backward(l.fetched) {
		if s := e.segment; s != nil && s.frame > 0 {
			return mux.ClockRate / float64(s.frame)
		}
	}
	return 0
}
