package origin

import (
	"time"

	"headwater/mux"
)

const (
	// demandWait is how long a listener waits for the source that is started for it.
	demandWait = 10 * time.Second
	demandLook = 50 * time.Millisecond
)

// Demand tells whether somebody wants the stream: a number that grows with each
// request for its media, and how many listen to its continuous outputs or take
// it as their fallback now. It costs next to nothing.
func (s *Stream) Demand() (requests uint64, listeners int64) {
	s.mu.Lock()
	taps := len(s.taps)
	s.mu.Unlock()
	return s.share.asked.Load(), s.audience.now.Load() + int64(taps)
}

// awaitSource returns what source returns; of a stream whose source comes on
// demand, once that is there, or nil if it does not come in time.
func (s *Stream) awaitSource() *mux.Program {
	program := s.source()
	if program != nil || !s.cfg.OnDemand {
		return program
	}
	look := time.NewTicker(demandLook)
	defer look.Stop()
	for deadline := time.Now().Add(demandWait); program == nil && s.runs() && time.Now().Before(deadline); {
		<-look.C
		program = s.source()
	}
	return program
}

// runs reports whether Run does.
func (s *Stream) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}
