// Package ingesttest helps to test sources: it has a sink that remembers what
// it was given, and a log to look into.
package ingesttest

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"headwater/mux"
)

// Sink is a stream that takes one source at a time and remembers what they
// brought. The zero value is ready. It is safe for concurrent use.
type Sink struct {
	// Patience is what its feeds answer, in nanoseconds.
	Patience atomic.Int64

	mu    sync.Mutex
	feeds []*Feed // guarded by mu
}

// Attach gives the sink to src, unless another source holds it.
func (s *Sink) Attach(src mux.SourceInfo, now time.Time) (mux.Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.feeds); n > 0 && !s.feeds[n-1].closed {
		return nil, &mux.BusyError{Stream: "live", Holder: s.feeds[n-1].Info}
	}
	f := &Feed{sink: s, Info: src, Since: now}
	s.feeds = append(s.feeds, f)
	return f, nil
}

// Feeds returns what all sources brought so far, the first source first.
func (s *Sink) Feeds() []*Feed {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.feeds)
}

// Feed is the hold of one source on a [Sink].
type Feed struct {
	Info  mux.SourceInfo
	Since time.Time // of Attach

	sink   *Sink
	units  []Arrival // guarded by sink.mu
	format string    // guarded by sink.mu
	stats  mux.Stats // guarded by sink.mu
	closed bool      // guarded by sink.mu
	cause  error     // guarded by sink.mu
}

// Arrival is a unit and when it came.
type Arrival struct {
	*mux.Unit
	At time.Time
}

// Write remembers units.
func (f *Feed) Write(units []*mux.Unit, now time.Time) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	for _, u := range units {
		f.units = append(f.units, Arrival{u, now})
	}
}

// Patience returns that of the sink.
func (f *Feed) Patience() time.Duration { return time.Duration(f.sink.Patience.Load()) }

// Preview does nothing.
func (f *Feed) Preview(*mux.Unit, time.Time) {}

// Report remembers what the source said last.
func (f *Feed) Report(format string, stats mux.Stats) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.format, f.stats = format, stats
}

// Close gives the sink back.
func (f *Feed) Close(cause error, _ time.Time) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	f.closed, f.cause = true, cause
}

// Units returns what came so far.
func (f *Feed) Units() []Arrival {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return slices.Clone(f.units)
}

// Titles returns the titles that came so far, as text.
func (f *Feed) Titles() []string {
	var titles []string
	for _, u := range f.Units() {
		if u.Title != nil {
			titles = append(titles, u.Title.String())
		}
	}
	return titles
}

// Bytes returns the sound of all units so far.
func (f *Feed) Bytes() []byte {
	var b []byte
	for _, u := range f.Units() {
		for i := range u.Frames {
			b = append(b, u.Frames[i].Data...)
		}
	}
	return b
}

// Reported returns what the source said last of itself.
func (f *Feed) Reported() (format string, stats mux.Stats) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.format, f.stats
}

// Closed reports whether the source is gone, and its cause.
func (f *Feed) Closed() (bool, error) {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.closed, f.cause
}
