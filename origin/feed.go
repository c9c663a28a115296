package origin

import (
	"time"

	"headwater/mux"
)

// feed is the hold that one source has on a stream.
type feed struct {
	stream  *Stream
	program *mux.Program // of the newest unit; nil before the first. Of the source's goroutine.
	info    mux.SourceInfo
	format  string    // what the source sends; guarded by stream.mu
	stats   mux.Stats // guarded by stream.mu
}

// Attach gives the stream to a source. The error is a [*mux.BusyError] if
// another one holds it.
func (s *Stream) Attach(info mux.SourceInfo, now time.Time) (mux.Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feed != nil {
		return nil, &mux.BusyError{Stream: s.cfg.Name, Holder: s.feed.info}
	}
	if err := s.share.refuses(); err != nil {
		return nil, err
	}
	s.feed = &feed{stream: s, info: info}
	s.end = false
	s.seg.Attach(now)
	s.titles.attach()
	s.introduce(info.Station)
	s.out.part()
	return s.feed, nil
}

// Write passes units on. It waits while the disk takes less than the source sends.
func (f *feed) Write(units []*mux.Unit, now time.Time) {
	if n := len(units); n > 0 {
		f.program = units[n-1].Program
	}
	f.stream.step(now, func(now time.Time) {
		if f.holds() {
			units := f.stream.titles.stamp(units, now)
			f.stream.seg.Write(units, now)
			f.stream.out.hear(units, now)
			f.stream.titles.date(f.stream.seg.Epoch)
			f.stream.fed = now
		}
	})
}

// Preview lets listeners have a unit early who want it so.
func (f *feed) Preview(u *mux.Unit, now time.Time) {
	f.stream.mu.Lock()
	defer f.stream.mu.Unlock()
	if f.holds() {
		f.stream.out.preview(f.stream.titles.preview(u, now), now)
	}
}

// Patience has the source read as seldom as the listeners allow.
func (f *feed) Patience() time.Duration { return f.stream.out.waits(f.program) }

// Report keeps what the source says about itself for the API.
func (f *feed) Report(format string, stats mux.Stats) {
	f.stream.mu.Lock()
	defer f.stream.mu.Unlock()
	f.format, f.stats = format, stats
}

// Close gives the stream back.
func (f *feed) Close(_ error, now time.Time) {
	f.stream.step(now, func(now time.Time) {
		if f.holds() {
			f.stream.seg.Detach(now)
			f.stream.feed, f.stream.absent = nil, now
		}
	})
}

// holds reports whether the source still has the stream: an operator may have
// ended it. The caller holds stream.mu.
func (f *feed) holds() bool { return f.stream.feed == f }
