package segmenter

import (
	"slices"
	"sync"
	"time"

	"headwater/mux"
)

// Record is what makes a stream's timeline: with it and the same bytes any
// process makes the same segments under the same names (hls-rules H07, H08).
// It is small, stored before it is used, and a value: a change makes a new one.
type Record struct {
	// Revision rises by one with each change; see [Registry].
	Revision uint64 `json:"revision"`
	// Gen stands in every segment's URL. It changes only if content under a
	// used name could differ (hls-rules D21): when there is no record to go on from.
	Gen uint64 `json:"gen"`

	// Target is the slot length D of the grid; TargetDuration is the
	// EXT-X-TARGETDURATION in seconds, fixed for the life of the URL
	// (hls-rules A13). Both are zero until the keyframe interval was measured.
	Target         mux.Ticks `json:"target"`
	TargetDuration int       `json:"target_duration"`
	GOP            mux.Ticks `json:"gop"`      // longest keyframe interval measured, 0 for audio only
	Frame          mux.Ticks `json:"frame"`    // shortest distance of two pictures, 0 for audio only
	Skew           mux.Ticks `json:"skew"`     // how long a closing segment waits for late audio, in media time
	Recovery       bool      `json:"recovery"` // cut at recovery points too: the source sends too few IDRs (C11)

	// Points are the breaks of the timeline, oldest first; those that no
	// window can reach any more are dropped. The last one is in force.
	Points []Point `json:"points"`

	// Listing is how long the playlists are. It tells a process that starts
	// with another configuration where they began; zero if that is not known.
	Listing Listing `json:"listing,omitzero"`

	// Bandwidth is what the multivariant playlist says, fixed at the first
	// publication (hls-rules B03), by rendition name.
	Bandwidth map[string]Bandwidth `json:"bandwidth,omitempty"`
}

// Bandwidth is the measured rate of a rendition in bits per second.
type Bandwidth struct {
	Peak    int64 `json:"peak"`
	Average int64 `json:"average"`
}

// Listing is the part of a [WindowConfig] that decides where a playlist begins.
// With the segments that are held it tells that again, as long as it does not change.
type Listing struct {
	Duration    time.Duration `json:"duration"` // nanoseconds
	MinSegments int           `json:"min_segments"`
	MaxBytes    int64         `json:"max_bytes,omitempty"`
	First       uint64        `json:"first,omitempty"` // no playlist begins before; set when the rest changes
}

// Window returns an empty window that lists as l says. least is
// [WindowConfig.Least].
func (l Listing) Window(least time.Duration) *Window {
	w := NewWindow(WindowConfig{Duration: l.Duration, MinSegments: l.MinSegments, MaxBytes: l.MaxBytes, Least: least})
	w.first = l.First
	return w
}

// Point is where a clock or a format begins: at the start of a stream, after
// each source reset and at each change of format.
type Point struct {
	First uint64    `json:"first"` // sequence number of the first segment from here
	DSN   uint64    `json:"dsn"`   // its discontinuity sequence number
	Start mux.Ticks `json:"start"` // epoch time of its first access unit
	Raw   mux.Ticks `json:"raw"`   // the same instant as sent: the 33-bit PTS by which others know it
	// Offset maps the source's clock to the epoch, modulo 2^33. It is 0 for a
	// source without timestamps, which is dated by its arrival.
	Offset mux.Ticks `json:"offset"`
	// Base is added to floor(epoch/Target): how many numbers have been used up
	// by resets inside a slot.
	Base   int64        `json:"base"`
	Tracks []trackShape `json:"tracks"` // the format from here on
}

// maxPoints bounds Record.Points: breaks older than the newest 64 are forgotten.
const maxPoints = 64

// last returns the point in force, or nil.
func (r *Record) last() *Point {
	if len(r.Points) == 0 {
		return nil
	}
	return &r.Points[len(r.Points)-1]
}

// with returns a copy of r with one more point and the next revision.
func (r Record) with(p Point) Record {
	r.Revision++
	keep := r.Points
	if len(keep) >= maxPoints {
		keep = keep[len(keep)-maxPoints+1:]
	}
	r.Points = append(slices.Clone(keep), p)
	return r
}

// target returns the target duration.
func (r *Record) target() mux.Ticks { return mux.Ticks(r.TargetDuration) * mux.ClockRate }

// spare returns how far into its slot a segment may begin so that it cannot be
// longer than the target duration, wherever in its own the one before it began.
func (r *Record) spare() mux.Ticks { return r.target() - r.Target }

// limit returns the length at which a segment's EXTINF would round to more than
// the target duration (hls-rules A12).
func (r *Record) limit() mux.Ticks {
	return r.target() + mux.ClockRate/2
}

// Registry keeps the record, perhaps with others. First writer wins.
type Registry interface {
	// Load returns the record in force, or a zero Record if there is none.
	Load() (Record, error)
	// Propose stores next if next.Revision is one more than the stored
	// record's, or if none is stored, and returns the record in force
	// afterwards: next, or what another process wrote first. On an error the record in force is unknown;
	// the caller goes on with next and proposes again later.
	Propose(next Record) (Record, error)
}

// MemoryRegistry is a [Registry] that lasts as long as the process. It is safe
// for concurrent use, so that two segmenters can share one.
type MemoryRegistry struct {
	mu     sync.Mutex
	record Record // guarded by mu
}

// Load returns the record in force.
func (m *MemoryRegistry) Load() (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record, nil
}

// Propose stores next if it follows the record in force.
func (m *MemoryRegistry) Propose(next Record) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.record.Revision == 0 || next.Revision == m.record.Revision+1 {
		m.record = next
	}
	return m.record, nil
}
