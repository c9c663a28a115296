package load

import (
	"time"

	"headwater/playlist"
)

// playback is how far a player has come: what it has of the media, and when
// that runs out. Times are since any moment, media is counted from the first
// segment. The zero value has nothing.
type playback struct {
	started bool
	empty   time.Duration // when the last of what is there has been played
}

// add adds a segment of length d that was complete at now. The first one starts
// the playback. If what was there before has run out in the meantime, the
// picture stood still since: stall is for how long.
func (p *playback) add(now, d time.Duration) (stall time.Duration) {
	if !p.started {
		p.started, p.empty = true, now
	}
	stall = max(now-p.empty, 0)
	p.empty = max(p.empty, now) + d
	return stall
}

// standing returns for how long the picture has stood still at now.
func (p *playback) standing(now time.Duration) time.Duration {
	if !p.started {
		return 0
	}
	return max(now-p.empty, 0)
}

// follower says which segments of a media playlist to ask for, and when to
// read it again.
type follower struct {
	begun bool
	next  uint64 // media sequence number of the segment that comes next
}

// liveEdge is how many target durations before the end of a live playlist a
// player starts (RFC 8216 §6.3.3).
const liveEdge = 3

// take returns the segments of the list that are to be fetched now, oldest
// first, and how many were missed because they have left the list.
func (f *follower) take(list *playlist.Media) (wanted []playlist.Segment, missed uint64) {
	end := list.Sequence + uint64(len(list.Segments))
	switch {
	case !f.begun && len(list.Segments) == 0:
		return nil, 0
	case !f.begun:
		f.begun, f.next = true, firstToPlay(list)
	case f.next < list.Sequence:
		missed = list.Sequence - f.next
		f.next = firstToPlay(list)
	case f.next >= end:
		if f.next > end+uint64(len(list.Segments)) { // the numbers began anew
			f.next = firstToPlay(list)
			break
		}
		return nil, 0
	}
	wanted = list.Segments[f.next-list.Sequence:]
	f.next = end
	return wanted, missed
}

// firstToPlay returns the number of the segment that a player begins with: the
// newest that starts three target durations or more before the end, the first
// of a list that is complete.
func firstToPlay(list *playlist.Media) uint64 {
	if list.End {
		return list.Sequence
	}
	hold := time.Duration(liveEdge*list.TargetDuration) * time.Second
	var left time.Duration
	for i := len(list.Segments) - 1; i > 0; i-- {
		if left += list.Segments[i].Duration.Std(); left >= hold {
			return list.Sequence + uint64(i)
		}
	}
	return list.Sequence
}
