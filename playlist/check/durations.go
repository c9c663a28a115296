package check

import (
	"strings"
	"time"

	"headwater/playlist"
)

// durationRules are those of EXTINF and TARGETDURATION: A12 to A19.
func durationRules() []rule {
	return []rule{
		{"A12", Must, anyMedia, "no EXTINF, rounded, is longer than TARGETDURATION", checkTargetDuration},
		{"A12", Must, anyMedia, "TARGETDURATION is a whole number of seconds", checkWholeSeconds},
		{"A13", Must, anyMedia, "TARGETDURATION never changes", checkTargetConstant},
		{"A14", Ours, anyMedia, "up to VERSION 5 no EXTINF is longer than TARGETDURATION by more than a piece of audio", checkOldTarget},
		{"A18", Ours, anyMedia, "the printed EXTINF do not drift away from the dates", checkDrift},
		{"A19", Must, anyMedia, "EXTINF is a duration and a comma", checkComma},
		{"A19", Ours, anyMedia, "EXTINF has five decimals and is not 0", checkDecimals},
	}
}

// firstSegment returns the number and segment of the first segment for which f holds.
func (s *snapshot) firstSegment(f func(*playlist.Segment) bool) (number uint64, seg *playlist.Segment, ok bool) {
	for i := range s.media.Segments {
		if f(&s.media.Segments[i]) {
			return s.media.Sequence + uint64(i), &s.media.Segments[i], true
		}
	}
	return 0, nil, false
}

func checkTargetDuration(v *view) {
	limit := playlist.Duration(v.now.media.TargetDuration)*playlist.Second + playlist.Second/2
	n, seg, ok := v.now.firstSegment(func(s *playlist.Segment) bool { return s.Duration >= limit })
	if ok {
		v.fault("segment %d lasts %v s, more than the target duration of %d s", n, seg.Duration, v.now.media.TargetDuration)
	}
}

func checkWholeSeconds(v *view) {
	if l := v.now.first("EXT-X-TARGETDURATION"); l != nil && !isDigits(l.value) {
		v.fault("TARGETDURATION %q is not a whole number of seconds", l.value)
	}
}

func checkTargetConstant(v *view) {
	if v.before != nil && v.before.media != nil && v.before.media.TargetDuration != v.now.media.TargetDuration {
		v.fault("the target duration changed from %d s to %d s", v.before.media.TargetDuration, v.now.media.TargetDuration)
	}
}

// audioSlack is what an audio segment may be longer than its target: sound is
// cut between frames, or between PES packets of a few, and its target duration
// is that of the grid (C25), which VERSION 6 and all players of today round to.
const audioSlack = playlist.Second / 4

func checkOldTarget(v *view) {
	limit := playlist.Duration(v.now.media.TargetDuration)*playlist.Second + audioSlack
	n, seg, ok := v.now.firstSegment(func(s *playlist.Segment) bool { return s.Duration > limit })
	if ok && v.now.version() <= 5 {
		v.fault("segment %d lasts %v s: up to VERSION 5 the target duration of %d s was the longest", n, seg.Duration, v.now.media.TargetDuration)
	}
}

// dateSlack is what rounding to milliseconds at both ends can make of a
// distance of dates.
const dateSlack = time.Millisecond

// checkDrift adds up the durations from each date that begins a run.
func checkDrift(v *view) {
	var origin time.Time
	var sum playlist.Duration
	for i := range v.now.media.Segments {
		seg := &v.now.media.Segments[i]
		if seg.Discontinuity || origin.IsZero() || i > 0 && v.now.media.Segments[i-1].Gap {
			origin, sum = seg.Time, 0
		}
		if !seg.Time.IsZero() && !origin.IsZero() {
			if off := seg.Time.Sub(origin) - sum.Std(); off.Abs() > dateSlack {
				v.fault("the durations up to segment %d add up to %v s, but the dates differ by %v",
					v.now.media.Sequence+uint64(i), sum, seg.Time.Sub(origin))
				return
			}
		}
		sum += seg.Duration
	}
}

func checkComma(v *view) {
	for _, l := range v.now.lines {
		if l.name == "EXTINF" && !strings.Contains(l.value, ",") {
			v.fault("line %d: EXTINF has no comma", l.number)
			return
		}
	}
}

func checkDecimals(v *view) {
	for _, l := range v.now.lines {
		if l.name != "EXTINF" {
			continue
		}
		number, _, _ := strings.Cut(l.value, ",")
		seconds, decimals, _ := strings.Cut(number, ".")
		if !isDigits(seconds) || !isDigits(decimals) || len(decimals) != 5 {
			v.fault("line %d: EXTINF %q has not five decimals", l.number, number)
			return
		}
	}
	if n, _, ok := v.now.firstSegment(func(s *playlist.Segment) bool { return s.Duration == 0 }); ok {
		v.fault("segment %d lasts 0 s", n)
	}
}
