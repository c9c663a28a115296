package segmenter

import "time"

// MinListed is how many segments a playlist has at least, unless MaxBytes asks
// for fewer (hls-rules A34).
const MinListed = 6

// showing says how a segment was shown to players.
type showing struct {
	since   time.Time     // from when it was listed
	longest time.Duration // the longest playlist that it was in
}

// Shorten removes the oldest listed segment from the playlist, as if the window
// were shorter, unless that left fewer segments than least, or less than length
// (hls-rules A33: three target durations). It reports whether it did. The
// playlist gets longer again by what is added.
func (w *Window) Shorten(least int, length time.Duration, at time.Time) bool {
	n := len(w.held) - len(w.removed)
	if n <= least || n < 2 || w.listed-w.held[len(w.removed)].Duration() < length {
		return false
	}
	w.unlist(at)
	return true
}

// Release drops and returns the oldest segments, n at most, that have left the
// playlist and need not be fetchable any more by the least that players count
// on: their own duration and that of the longest playlist that they were in,
// since they were first listed (rfc8216bis §6.2.2, hls-rules A36). If early is
// set, they need not in any case.
func (w *Window) Release(n int, early bool, at time.Time) []*Segment {
	n = min(n, len(w.removed))
	if !early {
		for i := range n {
			if s := w.shown[i]; at.Before(s.since.Add(w.held[i].Duration() + s.longest)) {
				n = i
				break
			}
		}
	}
	return w.drop(n)
}
