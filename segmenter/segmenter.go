package segmenter

import (
	"time"

	"headwater/mux"
)

// Segmenter cuts one stream. It is not safe for concurrent use.
type Segmenter struct{}

// New returns a segmenter that goes on from the record in registry, or starts
// one. last is the newest slot that was ever published under it, nil if none.
func New(cfg Config, registry Registry, last *Slot) (*Segmenter, error) { return &Segmenter{}, nil }

// Attach tells that a source has connected: its clock is unrelated to earlier ones until proven equal.
func (s *Segmenter) Attach(now time.Time) {}

// Detach tells that the source has gone.
func (s *Segmenter) Detach(now time.Time) {}

// Write takes units in the order of the demuxer. now is when they arrived.
func (s *Segmenter) Write(units []*mux.Unit, now time.Time) {}

// Advance lets time pass: it closes what a dead source left open and fills its
// absence with gaps. Call it every 100 ms or so.
func (s *Segmenter) Advance(now time.Time) {}

// Take returns what became ready since the last call. The slices are the caller's.
func (s *Segmenter) Take() Output { return Output{} }

// Status returns the state of the stream as the segmenter sees it.
func (s *Segmenter) Status() Status { return Status{} }

// Phase is how far a stream has come.
type Phase uint8

const (
	PhaseWaiting   Phase = iota // no source yet
	PhaseMeasuring              // units arrive; the keyframe interval is being measured
	PhaseLive                   // slots are being closed
	PhaseDead                   // the source is gone for longer than GapMax slots
)

// Status describes a stream. It is a value; what it points to is immutable.
type Status struct {
	Phase   Phase
	Record  Record
	Program *mux.Program // the newest; nil before the first unit
	Notes   []string     // plain sentences for the log and the API: "segments are 8 s because …"
	Late    uint64       // units that came too late for their segment
	Dropped uint64       // units that could not be placed
	Forced  uint64       // cuts without a keyframe (hls-rules A20)
}
