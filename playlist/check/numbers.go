package check

import (
	"math"
	"slices"
)

// numberRules are those of the numbers of segments: A21 to A26.
func numberRules() []rule {
	return []rule{
		{"A21", Must, anyMedia, "MEDIA-SEQUENCE rises by one for each segment removed", checkSequence},
		{"A22", Ours, anyMedia, "MEDIA-SEQUENCE is there, from 1 to 2^31-1", checkSequenceRange},
		{"A23", Must, anyMedia, "a number always stands for the same URI", checkURIs},
		{"A24", Must, anyMedia, "numbers do not start again", checkReset},
		{"A25", Must, anyMedia, "a list with DISCONTINUITY has DISCONTINUITY-SEQUENCE", checkDiscontinuitySequence},
		{"A25", Ours, anyMedia, "DISCONTINUITY-SEQUENCE is always there", checkDiscontinuitySequenceAlways},
		{"A26", Must, anyMedia, "the discontinuity sequence number of a segment never changes", checkDiscontinuityNumbers},
	}
}

// shifted reports whether the segments known before stand in the list under
// other numbers, all of them, and by how much those differ. A URI that is
// listed twice tells nothing.
func (v *view) shifted() (by int64, ok bool) {
	numbers := make(map[string][]uint64, len(v.before.media.Segments))
	for n, s := range v.before.segments() {
		numbers[s.uri+" "+s.byteRange] = append(numbers[s.uri+" "+s.byteRange], n)
	}
	for n, s := range v.now.segments() {
		before := numbers[s.uri+" "+s.byteRange]
		if slices.Contains(before, n) {
			return 0, false
		}
		if len(before) == 1 && !ok {
			by, ok = int64(n-before[0]), true
		}
	}
	return by, ok
}

// comparable reports whether there is an earlier media playlist to compare with.
func (v *view) comparable() bool { return v.before != nil && v.before.media != nil }

// reset reports whether the numbers have started again.
func (v *view) reset() bool { return v.list.restarted(v.now) }

func checkSequence(v *view) {
	if !v.comparable() || v.reset() {
		return
	}
	was, is := v.before.media.Sequence, v.now.media.Sequence
	if by, ok := v.shifted(); ok {
		v.fault("MEDIA-SEQUENCE went from %d to %d, which is %+d off what the segments that stayed say", was, is, by)
	} else if is < was {
		v.fault("MEDIA-SEQUENCE went back from %d to %d", was, is)
	}
}

func checkReset(v *view) {
	if v.reset() {
		v.fault("numbers started again: the list ended before segment %d, now at %d", v.before.end(), v.now.end())
	}
}

func checkSequenceRange(v *view) {
	switch n := v.now.media.Sequence; {
	case !v.now.has("EXT-X-MEDIA-SEQUENCE"):
		v.fault("there is no MEDIA-SEQUENCE")
	case n < 1:
		v.fault("MEDIA-SEQUENCE is 0, with which hls.js does not use blocking reloads")
	case n+uint64(len(v.now.media.Segments)) > math.MaxInt32:
		v.fault("MEDIA-SEQUENCE %d is too large for players with 32 bits", n)
	}
}

func checkURIs(v *view) {
	if !v.comparable() || v.reset() {
		return
	}
	if _, ok := v.shifted(); ok {
		return // told as A21
	}
	for n, s := range v.now.segments() {
		if old := v.list.seen[n]; old != nil && (old.uri != s.uri || old.byteRange != s.byteRange) {
			v.fault("segment %d was %s%s and is %s%s", n, old.uri, atRange(old.byteRange), s.uri, atRange(s.byteRange))
			return
		}
	}
}

func atRange(byteRange string) string {
	if byteRange == "" {
		return ""
	}
	return " bytes " + byteRange
}

func checkDiscontinuitySequence(v *view) {
	if v.now.live() && v.now.has("EXT-X-DISCONTINUITY") && !v.now.has("EXT-X-DISCONTINUITY-SEQUENCE") {
		v.fault("there is an EXT-X-DISCONTINUITY but no DISCONTINUITY-SEQUENCE")
	}
}

func checkDiscontinuitySequenceAlways(v *view) {
	if v.now.live() && !v.now.has("EXT-X-DISCONTINUITY") && !v.now.has("EXT-X-DISCONTINUITY-SEQUENCE") {
		v.fault("there is no DISCONTINUITY-SEQUENCE: it cannot be added when a discontinuity comes")
	}
}

func checkDiscontinuityNumbers(v *view) {
	if !v.comparable() || v.reset() {
		return
	}
	for n, s := range v.now.segments() {
		if old := v.list.seen[n]; old != nil && old.uri == s.uri && old.dsn != s.dsn {
			v.fault("the discontinuity sequence number of segment %d was %d and is %d", n, old.dsn, s.dsn)
			return
		}
	}
}
