package check

import (
	"net/http"
	"slices"
	"time"
)

// changeRules are those of what may change in a list, and when: A29 to A33, A38, A42.
func changeRules() []rule {
	return []rule{
		{"A29", Must, anyMedia, "nothing that is listed changes", checkListed},
		{"A29", Must, anyMedia, "what is about the whole list does not change", checkHeader},
		{"A32", Must, liveMedia, "a segment is listed within 1.5 target durations of the one before", checkPace},
		{"A33", Must, liveMedia, "no segment is removed if less than 3 target durations stay", checkRemoval},
		{"A38", Must, anyMedia, "after ENDLIST nothing is added", checkEnded},
		{"A42", Must, liveMedia, "Last-Modified is not older than 3 target durations", checkLastModified},
	}
}

// checkListed compares the segments that were listed in the answer before, not
// their URIs and numbers, which A21 to A26 are about.
func checkListed(v *view) {
	if !v.comparable() || v.reset() {
		return
	}
	if _, ok := v.shifted(); ok {
		return
	}
	old := make(map[uint64]*seen)
	for n, s := range v.before.segments() {
		old[n] = s
	}
	for n, s := range v.now.segments() {
		was := old[n]
		if was == nil {
			continue
		}
		switch {
		case was.duration != s.duration:
			v.fault("the duration of segment %d was %v s and is %v s", n, was.duration, s.duration)
		case was.dated && s.dated && !was.time.Equal(s.time):
			v.fault("the date of segment %d was %v and is %v", n, was.time.Format(time.RFC3339Nano), s.time.Format(time.RFC3339Nano))
		case was.gap != s.gap:
			v.fault("segment %d has %s EXT-X-GAP", n, gotOrLost(s.gap))
		case !slices.Equal(was.lines, s.lines):
			v.fault("the tags of segment %d were %q and are %q", n, was.lines, s.lines)
		default:
			continue
		}
		return
	}
}

// checkHeader compares the tags about the whole list but for those with rules
// of their own and those that may change.
func checkHeader(v *view) {
	if !v.comparable() {
		return
	}
	if was, is := v.before.media.Tags, v.now.media.Tags; !slices.Equal(was, is) {
		v.fault("the tags of the list were %q and are %q", was, is)
	}
	if was, is := v.before.media.IndependentSegments, v.now.media.IndependentSegments; was != is {
		v.fault("the list has %s EXT-X-INDEPENDENT-SEGMENTS", gotOrLost(is))
	}
	if v.before.media.End && !v.now.media.End {
		v.fault("EXT-X-ENDLIST was taken back")
	}
}

func gotOrLost(has bool) string {
	if has {
		return "got"
	}
	return "lost"
}

// checkPace is about the time in which the same newest segment was answered:
// what lies before the first such answer is not known.
func checkPace(v *view) {
	if v.list.since.IsZero() || v.now.end() != v.list.edge {
		return
	}
	if limit, waited := v.now.target()*3/2, v.now.At.Sub(v.list.since); waited > limit {
		v.fault("no segment came after %d for more than 1.5 target durations (%v)", v.list.edge-1, limit)
	}
}

func checkRemoval(v *view) {
	if !v.comparable() || v.now.media.Sequence <= v.before.media.Sequence {
		return
	}
	if length := v.now.length().Std(); length < 3*v.now.target() {
		v.fault("segments were removed and %v stay, less than 3 target durations (%v)", length, 3*v.now.target())
	}
}

func checkEnded(v *view) {
	if v.comparable() && v.before.media.End && v.now.end() > v.before.end() {
		v.fault("%d segments were added after EXT-X-ENDLIST", v.now.end()-v.before.end())
	}
}

func checkLastModified(v *view) {
	modified, err1 := http.ParseTime(v.now.Header.Get("Last-Modified"))
	date, err2 := http.ParseTime(v.now.Header.Get("Date"))
	if err1 != nil || err2 != nil {
		return
	}
	if age := date.Sub(modified); age > 3*v.now.target() {
		v.fault("Last-Modified is more than 3 target durations (%v) older than Date: players take the list for stale", 3*v.now.target())
	}
}
