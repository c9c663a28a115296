package origin

import (
	"fmt"
	"time"

	"headwater/segmenter"
)

// fresh reports whether the playlists of a snapshot may be served: an origin
// that has lost its source must say so, for caches to turn to another one
// (hls-rules D22).
func (s *Stream) fresh(snap *snapshot, now time.Time) bool {
	return snap.fresh(now) && (snap.ended || !s.dead.Load())
}

// ready reports whether the live edge is younger than 1.5 target durations
// (hls-rules D23). Gaps do not count: they keep players waiting, not playing.
func (s *Stream) ready(now time.Time) bool {
	snap := s.snapshot.Load()
	if !s.fresh(snap, now) || snap.ended {
		return false
	}
	targetDuration := snap.stale.Sub(snap.edge) / 2
	return now.Sub(snap.media) < targetDuration*3/2
}

// reason says in one plain sentence why there are no playlists.
func (s *Stream) reason(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, snap := s.seg.Status(), s.snapshot.Load()
	switch {
	case s.relay.air == sideNone && snap.edge.IsZero():
		return "no source is connected to stream " + s.cfg.Name + s.advice()
	case s.relay.air == sideNone:
		return fmt.Sprintf("the source of stream %s has been away for %v%s", s.cfg.Name, now.Sub(s.absent).Round(time.Second), s.advice())
	case status.Phase == segmenter.PhaseWaiting:
		return "the source of stream " + s.cfg.Name + " has sent nothing that can be played yet"
	case status.Phase == segmenter.PhaseMeasuring:
		return "stream " + s.cfg.Name + " is measuring the keyframe interval"
	case snap.multivariant == nil:
		return fmt.Sprintf("stream %s has %d of the %d segments that it starts with", s.cfg.Name, snap.measured, s.cfg.PublishAfter)
	}
	return "the source of stream " + s.cfg.Name + " is connected but sends nothing new"
}

// advice says where media is taken, if that is known.
func (s *Stream) advice() string {
	if s.cfg.SendTo == "" {
		return ""
	}
	return "; send MPEG-TS, MP3 or AAC to " + s.cfg.SendTo
}
