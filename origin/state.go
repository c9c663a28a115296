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
// What is no matter for segments is ready as long as it comes.
func (s *Stream) ready(now time.Time) bool {
	snap := s.snapshot.Load()
	if !s.fresh(snap, now) || snap.ended {
		return s.continues(now)
	}
	targetDuration := snap.stale.Sub(snap.edge) / 2
	return now.Sub(snap.media) < targetDuration*3/2
}

// continues reports whether media comes that is in the continuous output only.
func (s *Stream) continues(now time.Time) bool {
	const pause = 5 * time.Second // pages of Ogg may be long
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.relay.air != sideNone && s.seg.Uncut() != "" && now.Sub(s.fed) < pause
}

// reason says in one plain sentence why there are no playlists.
func (s *Stream) reason(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	status, snap := s.seg.Status(), s.snapshot.Load()
	switch {
	case s.relay.air == sideNone && s.cfg.OnDemand:
		return "the source of stream " + s.cfg.Name + " is started on demand: it will be there soon, or the log tells why not"
	case s.relay.air == sideNone && snap.edge.IsZero():
		return "no source is connected to stream " + s.cfg.Name + s.advice()
	case s.relay.air == sideNone:
		return fmt.Sprintf("the source of stream %s has been away for %v%s", s.cfg.Name, now.Sub(s.absent).Round(time.Second), s.advice())
	case status.Uncut != "":
		return status.Uncut + "; /" + s.cfg.Name + audioSuffix(status.Program) + " has it"
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
	return "; send MPEG-TS, MP3, AAC or Ogg to " + s.cfg.SendTo
}
