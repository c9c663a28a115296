package origin

import (
	"time"

	"headwater/mux"
)

// feed is the hold that one source has on a stream, or on its standby.
type feed struct {
	stream  *Stream
	side    side
	program *mux.Program // of the newest unit; nil before the first. Of the source's goroutine.
	info    mux.SourceInfo
	format  string    // what the source sends; guarded by stream.mu
	stats   mux.Stats // guarded by stream.mu
}

// Attach gives the stream to a source. The error is a [*mux.BusyError] if
// another one holds it.
func (s *Stream) Attach(info mux.SourceInfo, now time.Time) (mux.Feed, error) {
	return s.attach(sideMain, info, now)
}

func (s *Stream) attach(x side, info mux.SourceInfo, now time.Time) (mux.Feed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.feeds[x]; f != nil {
		return nil, &mux.BusyError{Stream: s.cfg.Name, Holder: f.info}
	}
	if err := s.share.refuses(); err != nil {
		return nil, err
	}
	f := &feed{stream: s, side: x, info: info}
	s.feeds[x] = f
	s.audience.sources.Add(1)
	s.end = s.end && x != sideMain
	if x == sideMain { // the station is the same on its standby
		s.introduce(info.Station)
	}
	s.emitSource(EventSourceConnected, f, now)
	s.relay.attach(x, now)
	s.turn(now)
	return f, nil
}

// EndSource ends the source that holds the stream, and reports whether that can
// be done. It may come again: raw TCP that is fetched does.
func (s *Stream) EndSource() bool {
	s.mu.Lock()
	f := s.feeds[sideMain]
	s.mu.Unlock()
	if f == nil || f.info.End == nil {
		return false
	}
	f.info.End()
	return true
}

// Holder returns the source that holds the stream, and false if none does.
func (s *Stream) Holder() (mux.SourceInfo, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.feeds[sideMain]; f != nil {
		return f.info, true
	}
	return mux.SourceInfo{}, false
}

// Used reports whether the stream has a source, or listeners of its continuous
// outputs.
func (s *Stream) Used() bool {
	_, held := s.Holder()
	return held || s.audience.now.Load() > 0
}

// Write passes units on. It waits while the disk takes less than the source sends.
func (f *feed) Write(units []*mux.Unit, now time.Time) {
	s := f.stream
	if n := len(units); n > 0 {
		f.program = units[n-1].Program
	}
	s.step(now, func(now time.Time) {
		if !f.holds() {
			return
		}
		if f.side == sideMain {
			s.listen(units)
		}
		if s.relay.bring(f.side, units, now) {
			s.pass(units, now)
		}
		s.turn(now)
	})
}

// Preview lets listeners have a unit early who want it so.
func (f *feed) Preview(u *mux.Unit, now time.Time) {
	f.stream.mu.Lock()
	defer f.stream.mu.Unlock()
	if f.holds() && f.stream.relay.air == f.side {
		f.stream.out.preview(f.stream.titles.preview(u, now), now)
	}
}

// Patience has the source read as seldom as the listeners allow, and often
// enough to see soon that it is silent, where that matters.
func (f *feed) Patience() time.Duration {
	s := f.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := s.out.waits(f.program)
	if s.relay.shared() || len(s.taps) > 0 {
		wait = min(wait, s.relay.after/4)
	}
	return wait
}

// Report keeps what the source says about itself for the API.
func (f *feed) Report(format string, stats mux.Stats) {
	f.stream.mu.Lock()
	defer f.stream.mu.Unlock()
	f.format, f.stats = format, stats
}

// Close gives the stream back.
func (f *feed) Close(_ error, now time.Time) {
	s := f.stream
	s.step(now, func(now time.Time) {
		if f.holds() {
			s.feeds[f.side] = nil
			s.audience.received.Add(f.stats.Bytes)
			s.emitSource(EventSourceDisconnected, f, now)
			s.relay.detach(f.side, now)
			s.turn(now)
		}
	})
}

// holds reports whether the source still has the stream: an operator may have
// ended it. The caller holds stream.mu.
func (f *feed) holds() bool { return f.stream.feeds[f.side] == f }
