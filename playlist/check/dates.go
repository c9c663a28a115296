package check

import (
	"strings"
	"time"
)

// dateRules are those of PROGRAM-DATE-TIME: A43 to A47.
func dateRules() []rule {
	return []rule{
		{"A43", Must, liveMedia, "a live list has PROGRAM-DATE-TIME", checkDated},
		{"A43", Ours, liveMedia, "every segment has PROGRAM-DATE-TIME", checkAllDated},
		{"A44", Should, anyMedia, "PROGRAM-DATE-TIME has milliseconds and a time zone", checkDateForm},
		{"A44", Ours, anyMedia, "PROGRAM-DATE-TIME is of the form YYYY-MM-DDThh:mm:ss.mmmZ", checkDateOurs},
		{"A45", Must, anyMedia, "no two segments claim the same second", checkDateOrder},
		{"A45", Ours, anyMedia, "the distance of two dates is the duration between them", checkDateSteps},
		{"A47", Should, liveMedia, "a segment after a discontinuity has PROGRAM-DATE-TIME", checkDatedBreaks},
	}
}

const dateTag = "EXT-X-PROGRAM-DATE-TIME"

func checkDated(v *view) {
	if len(v.now.media.Segments) > 0 && !v.now.has(dateTag) {
		v.fault("there is no PROGRAM-DATE-TIME, without which Safari stops")
	}
}

func checkAllDated(v *view) {
	missing := 0
	for i := range v.now.media.Segments {
		if v.now.media.Segments[i].Time.IsZero() {
			missing++
		}
	}
	if missing > 0 && v.now.has(dateTag) {
		v.fault("%d of %d segments have no PROGRAM-DATE-TIME", missing, len(v.now.media.Segments))
	}
}

func checkDateForm(v *view) {
	for _, l := range v.now.lines {
		if l.name != dateTag {
			continue
		}
		_, clock, _ := strings.Cut(l.value, "T")
		end := strings.IndexAny(clock, "Z+-")
		if end < 0 {
			v.fault("line %d: the date %q has no time zone", l.number, l.value)
			return
		}
		if !strings.Contains(clock[:end], ".") {
			v.fault("line %d: the date %q has no milliseconds", l.number, l.value)
			return
		}
	}
}

func checkDateOurs(v *view) {
	const form = "2006-01-02T15:04:05.000Z"
	for _, l := range v.now.lines {
		if l.name != dateTag {
			continue
		}
		if t, err := time.Parse(form, l.value); err != nil || t.Format(form) != l.value {
			v.fault("line %d: the date %q is not of the form YYYY-MM-DDThh:mm:ss.mmmZ", l.number, l.value)
			return
		}
	}
}

// steps calls f for each pair of neighbours that both have a date and between
// which time runs on, with the time by which the second is later than the
// durations say.
func (v *view) steps(f func(number uint64, late time.Duration) bool) {
	segments := v.now.media.Segments
	for i := 1; i < len(segments); i++ {
		before, seg := &segments[i-1], &segments[i]
		if before.Time.IsZero() || seg.Time.IsZero() {
			continue
		}
		late := seg.Time.Sub(before.Time) - before.Duration.Std()
		if !f(v.now.media.Sequence+uint64(i), late) {
			return
		}
	}
}

func checkDateOrder(v *view) {
	v.steps(func(n uint64, late time.Duration) bool {
		if late < -time.Second {
			v.fault("segment %d begins %v before the end of the one before, by its date", n, -late)
		}
		return late >= -time.Second
	})
}

func checkDateSteps(v *view) {
	v.steps(func(n uint64, late time.Duration) bool {
		i := n - v.now.media.Sequence
		seg, before := &v.now.media.Segments[i], &v.now.media.Segments[i-1]
		off := late.Abs() > dateSlack && !seg.Discontinuity && !before.Gap
		if off {
			v.fault("the date of segment %d is %v off the end of the one before", n, late)
		}
		return !off
	})
}

func checkDatedBreaks(v *view) {
	for i := range v.now.media.Segments {
		if seg := &v.now.media.Segments[i]; seg.Discontinuity && seg.Time.IsZero() && v.now.has(dateTag) {
			v.fault("segment %d has EXT-X-DISCONTINUITY but no PROGRAM-DATE-TIME", v.now.media.Sequence+uint64(i))
			return
		}
	}
}
