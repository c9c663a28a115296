package segmenter

import "headwater/mux"

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
	Recovery       bool      `json:"recovery"` // cut at recovery points too: the source sends too few IDRs (C11)

	// Points are the breaks of the timeline, oldest first; those that no
	// window can reach any more are dropped. The last one is in force.
	Points []Point `json:"points"`

	// What the multivariant playlist says, fixed at the first publication
	// (hls-rules B03), by rendition name.
	Bandwidth map[string]Bandwidth `json:"bandwidth,omitempty"`
}

// Bandwidth is the measured rate of a rendition in bits per second.
type Bandwidth struct {
	Peak    int64 `json:"peak"`
	Average int64 `json:"average"`
}

// Point is where a clock begins: at the start of a stream and after each
// source reset. Epoch time = source timestamp + Offset (modulo 2^33).
type Point struct {
	First uint64    `json:"first"` // sequence number of the first segment on this clock
	DSN   uint64    `json:"dsn"`   // its discontinuity sequence number
	Start mux.Ticks `json:"start"` // epoch time of its first access unit
	Raw   mux.Ticks `json:"raw"`   // the same instant as sent: the 33-bit PTS by which others know it
	// Offset maps the source's clock to the epoch.
	Offset mux.Ticks `json:"offset"`
	// Base is added to floor(epoch/Target): how many numbers resets inside a
	// slot have used up.
	Base int64 `json:"base"`
}

// Registry keeps the record, perhaps with others. First writer wins.
type Registry interface {
	// Load returns the record in force, or a zero Record if there is none.
	Load() (Record, error)
	// Propose stores next if next.Revision is one more than the stored
	// record's, and returns the record in force afterwards: next, or what
	// another process wrote first. On an error the record in force is unknown;
	// the caller goes on with next and proposes again later.
	Propose(next Record) (Record, error)
}
