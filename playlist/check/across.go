package check

import "time"

// acrossRules compare the media playlists of a presentation: A49, B16 to B19.
// They look at segments that both lists have shown at any time, so that it does
// not matter which list was asked for first.
func acrossRules() []rule {
	return []rule{
		{"A49", Must, anyMedia, "all media playlists have dates, or none", checkDatesAcross},
		{"B16", Must, anyMedia, "all media playlists have the same target duration", checkTargetAcross},
		{"B16", Must, liveMedia, "no media playlist is more than a target duration ahead of another", checkEdgeAcross},
		{"B17", Should, anyMedia, "segments begin at the same time in all variants", checkCutsAcross},
		{"B18", Ours, anyMedia, "a number stands for the same time in all media playlists", checkNumbersAcross},
		{"B19", Ours, anyMedia, "discontinuities have the same numbers in all media playlists", checkBreaksAcross},
	}
}

// others calls f for the other media playlists of the presentation.
func (v *view) others(f func(*list)) {
	for _, l := range v.checker.presentation(v.list) {
		if l != v.list && l.last != nil && l.last.media != nil {
			f(l)
		}
	}
}

func checkDatesAcross(v *view) {
	v.others(func(l *list) {
		if is, other := v.now.has(dateTag), l.last.has(dateTag); is != other {
			v.fault("PROGRAM-DATE-TIME stands in only one of this list and %s", l.url)
		}
	})
}

func checkTargetAcross(v *view) {
	v.others(func(l *list) {
		if is, other := v.now.media.TargetDuration, l.last.media.TargetDuration; is != other {
			v.fault("the target duration is %d s here, but %d s in %s", is, other, l.url)
		}
	})
}

// checkEdgeAcross allows the time that lies between the two answers.
func checkEdgeAcross(v *view) {
	end := v.now.endTime()
	v.others(func(l *list) {
		other := l.last.endTime()
		if end.IsZero() || other.IsZero() || l.last.media.End {
			return
		}
		apart := v.now.At.Sub(l.last.At).Abs()
		if ahead := end.Sub(other).Abs(); ahead > v.now.target()+v.now.target()/2+apart {
			v.fault("this list and %s end %v apart", l.url, ahead)
		}
	})
}

// endTime returns the date at which the last segment ends, zero if not known.
func (s *snapshot) endTime() (end time.Time) {
	for _, seg := range s.segments() {
		if end = seg.time; !end.IsZero() {
			end = end.Add(seg.duration.Std())
		}
	}
	return end
}

// common calls f for the segments that this list shows and others have shown,
// until f reports false.
func (v *view) common(f func(l *list, number uint64, here, there *seen) bool) {
	v.others(func(l *list) {
		for n, here := range v.now.segments() {
			if there := l.seen[n]; there != nil && !f(l, n, here, there) {
				return
			}
		}
	})
}

// cutSlack is the length of the longest audio frame, up to which an audio
// rendition begins later than its video: 2048 samples at 22.05 kHz.
const cutSlack = 100 * time.Millisecond

func checkCutsAcross(v *view) {
	v.common(func(l *list, n uint64, here, there *seen) bool {
		off := here.time.Sub(there.time).Abs()
		fine := here.time.IsZero() || there.time.IsZero() || off <= cutSlack || off > v.now.target()/2 // B18 is about more
		if !fine {
			v.fault("segment %d begins %v apart from that of %s", n, off, l.url)
		}
		return fine
	})
}

func checkNumbersAcross(v *view) {
	v.common(func(l *list, n uint64, here, there *seen) bool {
		off := here.time.Sub(there.time).Abs()
		fine := here.time.IsZero() || there.time.IsZero() || off <= v.now.target()/2
		if !fine {
			v.fault("segment %d is %v apart from the one of the same number in %s", n, off, l.url)
		}
		return fine
	})
}

func checkBreaksAcross(v *view) {
	v.common(func(l *list, n uint64, here, there *seen) bool {
		if here.dsn != there.dsn {
			v.fault("segment %d has the discontinuity sequence number %d, but %d in %s", n, here.dsn, there.dsn, l.url)
		}
		return here.dsn == there.dsn
	})
}
