package segmenter

import (
	"slices"
	"time"
)

// WindowConfig bounds a [Window]. The zero value of a field means its default.
type WindowConfig struct {
	Duration    time.Duration // of the playlist; default 60 s
	MinSegments int           // in the playlist; default 10 (hls-rules A34)
	Grace       time.Duration // added to the time a removed segment stays fetchable; default 30 s (hls-rules A36)
	// MaxBytes bounds the bytes of the held segments. Beyond it, removed
	// segments stop being fetchable early, and then the playlist gets shorter,
	// down to four segments and to Least. 0 means no bound.
	MaxBytes int64
	// Least is how long a playlist from which something is removed stays,
	// whatever it weighs: three target durations or more (hls-rules A33).
	Least time.Duration
}

// withDefaults returns c with every zero field set but MaxBytes.
func (c WindowConfig) withDefaults() WindowConfig {
	if c.Duration <= 0 {
		c.Duration = time.Minute
	}
	if c.MinSegments <= 0 {
		c.MinSegments = 10
	}
	if c.Grace <= 0 {
		c.Grace = 30 * time.Second
	}
	return c
}

// Listing returns what the record keeps of c. first is the sequence number that
// the playlists begin with, or an earlier one.
func (c WindowConfig) Listing(first uint64) Listing {
	c = c.withDefaults()
	return Listing{Duration: c.Duration, MinSegments: c.MinSegments, MaxBytes: c.MaxBytes, First: first}
}

// Window holds the segments of one rendition that may be asked for: those in
// the playlist, and before them those that left it not long ago (RFC 8216
// §6.2.2). It has one owner and is not safe for concurrent use; the slices that
// it returns are immutable and may be shared.
type Window struct {
	cfg     WindowConfig
	first   uint64 // what lies before is not listed
	held    []*Segment
	shown   []showing     // of each of held
	removed []time.Time   // when each of the first len(removed) segments of held left the playlist
	listed  time.Duration // length of the playlist
	longest time.Duration // that it ever had
	bytes   int64         // of held
}

// leastListed is how many segments a playlist keeps whatever they weigh: with
// fewer, players stall.
const leastListed = 4

// NewWindow returns an empty window.
func NewWindow(cfg WindowConfig) *Window {
	return &Window{cfg: cfg.withDefaults()}
}

// Resume tells an empty window where its playlist began, and how long that was
// at most, before the process was started again: what lies before first has
// left it and never returns (hls-rules A21).
func (w *Window) Resume(first uint64, longest time.Duration) {
	w.first, w.longest = first, longest
}

// Add lists a segment from the instant on. Its sequence number must be one more
// than the last one's; if it is not, all that was held is dropped, for a
// playlist cannot show a hole in its numbers.
func (w *Window) Add(seg *Segment, at time.Time) {
	if n := len(w.held); n > 0 && seg.Sequence != w.held[n-1].Sequence+1 {
		w.held, w.shown, w.removed, w.listed, w.bytes = nil, nil, nil, 0, 0
	}
	w.held = append(w.held, seg)
	w.shown = append(w.shown, showing{since: at})
	w.bytes += seg.Size
	w.listed += seg.Duration()
	for w.shrinks() {
		w.unlist(at)
	}
	w.longest = max(w.longest, w.listed)
	for i := len(w.removed); i < len(w.shown); i++ {
		w.shown[i].longest = max(w.shown[i].longest, w.listed)
	}
}

// unlist removes the oldest listed segment from the playlist.
func (w *Window) unlist(at time.Time) {
	w.listed -= w.held[len(w.removed)].Duration()
	w.removed = append(w.removed, at)
}

// shrinks reports whether the oldest listed segment may go: what remains is
// still long enough and has enough segments (hls-rules A33, A34), or the
// listed ones alone are more than may be held.
func (w *Window) shrinks() bool {
	listed := w.held[len(w.removed):]
	if len(listed) > 0 && listed[0].Sequence < w.first {
		return true
	}
	if w.over() && len(listed) > leastListed && w.listed-listed[0].Duration() >= w.cfg.Least {
		var bytes int64
		for _, seg := range listed {
			bytes += seg.Size
		}
		if bytes > w.cfg.MaxBytes {
			return true
		}
	}
	return len(listed) > w.cfg.MinSegments && w.listed-listed[0].Duration() >= w.cfg.Duration
}

// over reports whether more is held than may be.
func (w *Window) over() bool { return w.cfg.MaxBytes > 0 && w.bytes > w.cfg.MaxBytes }

// Listed returns the segments that the playlist shows, oldest first.
func (w *Window) Listed() []*Segment { return slices.Clip(w.held[len(w.removed):]) }

// Held returns the listed segments and, before them, those still fetchable.
// Their sequence numbers have no hole.
func (w *Window) Held() []*Segment { return slices.Clip(w.held) }

// Longest returns how long the playlist was at most.
func (w *Window) Longest() time.Duration { return w.longest }

// Expiry returns when a removed segment stops being fetchable: its own
// duration and that of the longest playlist after its removal, and the grace
// (hls-rules A36). ok is false while it is listed, and if it is not held.
func (w *Window) Expiry(seg *Segment) (t time.Time, ok bool) {
	i, found := slices.BinarySearchFunc(w.held, seg.Sequence, func(s *Segment, n uint64) int {
		return int(int64(s.Sequence - n))
	})
	if !found || i >= len(w.removed) {
		return time.Time{}, false
	}
	return w.expiry(i), true
}

func (w *Window) expiry(i int) time.Time {
	return w.removed[i].Add(w.held[i].Duration() + w.longest + w.cfg.Grace)
}

// Expire drops and returns the segments that need not be fetchable any more.
func (w *Window) Expire(at time.Time) []*Segment {
	n := 0
	bytes := w.bytes
	for n < len(w.removed) && (w.cfg.MaxBytes > 0 && bytes > w.cfg.MaxBytes || !at.Before(w.expiry(n))) {
		bytes -= w.held[n].Size
		n++
	}
	return w.drop(n)
}

// drop drops and returns the oldest n segments.
func (w *Window) drop(n int) []*Segment {
	if n == 0 {
		return nil
	}
	gone := w.held[:n:n]
	for _, seg := range gone {
		w.bytes -= seg.Size
	}
	w.held = slices.Clone(w.held[n:])
	w.shown = slices.Clone(w.shown[n:])
	w.removed = slices.Clone(w.removed[n:])
	return gone
}
