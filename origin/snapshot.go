package origin

import (
	"time"

	"headwater/playlist"
)

// snapshot is all that requests of one stream are answered from. It is
// immutable; the publisher makes a new one at each change.
type snapshot struct {
	gen          uint64
	multivariant *document // nil as long as publication is held (hls-rules A35)
	variants     []playlist.Variant
	target       time.Duration // of the segments, 0 until it is known
	renditions   []view        // main first
	edge         time.Time     // when the newest segment was published
	media        time.Time     // when the newest segment that is no gap was published
	stale        time.Time     // from when playlists are no longer true (hls-rules D22); zero: never
	ended        bool          // the playlists have an ENDLIST
	measured     int           // segments with media in the window: how far a held publication is
	changed      chan struct{}
}

// view is one rendition in a snapshot.
type view struct {
	name     string
	suffix   string
	playlist *document // nil as long as publication is held
	first    uint64    // sequence number of entries[0]
	listed   uint64    // sequence number of the first listed one
	entries  []*entry  // oldest first; the last one is the live edge
}

// rendition returns the view of a name, or nil.
func (s *snapshot) rendition(name string) *view {
	for i := range s.renditions {
		if s.renditions[i].name == name {
			return &s.renditions[i]
		}
	}
	return nil
}

// fresh reports whether the playlists may be served at now.
func (s *snapshot) fresh(now time.Time) bool {
	return s.multivariant != nil && (s.stale.IsZero() || now.Before(s.stale))
}

// found says what is known about a segment.
type found uint8

const (
	foundNothing found = iota // no such segment
	foundFuture               // beyond the live edge: not yet
	foundExpired              // it was there, and is no longer
	foundGap                  // there is no media for its time
	foundSegment
)

// find looks up a segment by its number.
func (v *view) find(sequence uint64, now time.Time) (*entry, found) {
	switch {
	case len(v.entries) == 0:
		return nil, foundNothing
	case sequence < v.first:
		return nil, foundExpired
	case sequence-v.first >= uint64(len(v.entries)):
		return nil, foundFuture
	}
	e := v.entries[sequence-v.first]
	switch {
	case e.seg.Gap:
		return e, foundGap
	case !e.gone.IsZero() && now.After(e.gone):
		return e, foundExpired
	}
	return e, foundSegment
}
