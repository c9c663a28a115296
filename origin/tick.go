package origin

import (
	"context"
	"time"

	"headwater/origin/live"
	"headwater/segmenter"
)

const (
	advanceInterval = 100 * time.Millisecond // how often the segmenter learns the time while no media comes
	fedInterval     = 500 * time.Millisecond // and while it does: no shorter silence means anything
)

// tick lets the segmenter see time pass until ctx ends. All streams tick at the
// same instants, so that the process wakes up once for all of them.
func (s *Stream) tick(ctx context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			t.Reset(untilGrid(s.advance(time.Now())))
		case <-ctx.Done():
			return
		}
	}
}

// untilGrid returns how long it is until the next multiple of d.
func untilGrid(d time.Duration) time.Duration {
	now := time.Now()
	return now.Truncate(d).Add(d).Sub(now)
}

// advance does what time alone brings about, and returns when to do that next.
func (s *Stream) advance(now time.Time) time.Duration {
	s.step(now, func(now time.Time) {
		if !s.end { // what has ended gets no gaps (hls-rules A38)
			s.turn(now)
			s.seg.Advance(now)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if dead := s.seg.Phase() == segmenter.PhaseDead; s.dead.Swap(dead) != dead {
		switch {
		case dead && s.seg.Uncut() != "": // told below
		case dead:
			s.log.Warn("no media for longer than gaps may last; playlists answer 503 until it is back")
		default:
			s.log.Info("media is back")
		}
	}
	if uncut := s.seg.Uncut(); uncut != s.uncut {
		if s.uncut = uncut; uncut != "" {
			s.log.Warn("about the media", "note", uncut)
		}
	}
	for _, note := range s.seg.Notes(s.noted) {
		s.log.Info("about the media", "note", note)
		s.noted++
	}
	if s.relay.air != sideNone {
		if now.Sub(s.fed) < fedInterval/2 && !s.relay.shared() {
			return fedInterval
		}
		return advanceInterval
	}
	away := now.Sub(s.absent)
	if away >= s.cfg.Linger {
		s.out.each((*live.Tail).End)
	}
	if s.cfg.EndAfter > 0 && away >= s.cfg.EndAfter && !s.end {
		s.end = true
		s.signal()
	}
	return advanceInterval
}
