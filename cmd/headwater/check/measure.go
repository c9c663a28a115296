package check

import (
	"mime"
	"net/http"
	"time"

	"headwater/mux"
)

// Tolerances of measured durations.
const (
	// maxOverrun is how much longer than the target duration a segment may be (hls-rules A15).
	maxOverrun = 500 * time.Millisecond
	// maxJump is more than bad rounding can explain: the timeline was broken (hls-rules C06, C16).
	maxJump = 2 * mux.ClockRate
	// rounding is what an EXTINF with three decimals may be off.
	rounding = mux.ClockRate / 1000
)

// measure holds the EXTINF of earlier segments to where the media of e begins
// (hls-rules A15-A17, C06, C22).
func (l *list) measure(w *watch, e *entry) {
	s := e.segment
	subject := e.url.String()
	if !s.timed {
		l.anchor = anchor{}
		return
	}
	own := s.last - s.start + s.frame
	if limit := l.target + maxOverrun; l.target > 0 && own.Duration() > limit {
		w.find("A15", subject, "it holds %.3f s of media; the target duration of %.0f s allows %.1f s",
			own.Duration().Seconds(), l.target.Seconds(), limit.Seconds())
	}
	if l.anchor.set {
		l.compare(w, subject, s)
	}
	if !l.anchor.set {
		l.anchor = anchor{set: true, start: s.start}
	}
	if s.samples > 0 && s.rate > 0 {
		frames := mux.FromSamples(s.samples, s.rate)
		if off := frames - mux.FromDuration(e.info.Duration.Std()); max(off, -off) > rounding {
			w.find("C23", subject, "EXTINF says %.5f s, its frames are %.5f s", e.info.Duration.Seconds(), frames.Duration().Seconds())
		}
	}
	l.anchor.sample += s.samples
	l.anchor.sum += e.info.Duration.Std()
}

// compare checks that s begins where the segments since the anchor end.
func (l *list) compare(w *watch, subject string, s *segment) {
	want := l.anchor.start + mux.FromDuration(l.anchor.sum)
	off := want.Nearest(s.start) - want
	tolerance := max(s.frame, rounding)
	switch {
	case max(off, -off) > maxJump:
		w.find("C06", subject, "its media begins %+.3f s off from where the segments before it end, without an EXT-X-DISCONTINUITY", seconds(off))
		l.anchor = anchor{}
	case max(off, -off) > tolerance:
		w.find("A16", subject, "its media begins %+.3f s off from what the EXTINF before it add up to", seconds(off))
		l.anchor = anchor{}
	case s.samples > 0 && s.rate > 0:
		exact := l.anchor.start + mux.FromSamples(l.anchor.sample, s.rate)
		if off := exact.Nearest(s.start) - exact; max(off, -off) > 1 {
			w.find("C22", subject, "its timestamp is %+d ticks of 90 kHz off from where the samples before it end", off)
			l.anchor = anchor{}
		}
	}
}

// seconds returns t for a message.
func seconds(t mux.Ticks) float64 { return float64(t) / mux.ClockRate }

// mediaType returns the Content-Type without parameters.
func mediaType(h http.Header) string {
	t, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return h.Get("Content-Type")
	}
	return t
}

// sameType reports whether a Content-Type says container c in one of the ways
// that players take.
func sameType(c container, t string) bool {
	switch c {
	case containerMP4:
		return t == "video/mp4" || t == "audio/mp4" || t == "video/iso.segment"
	case containerAAC:
		return t == "audio/aac" || t == "audio/aacp" || t == "audio/x-aac"
	}
	return t == c.mediaType()
}
