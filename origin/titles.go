package origin

import (
	"slices"
	"time"

	"headwater/mux"
)

const (
	// maxTitles is how many titles the history of a stream keeps.
	maxTitles = 50
	// maxAhead is how many titles may wait for their place in the media; of more
	// the newest replaces the last.
	maxAhead = 16
	// titleJump is how far the source's clock may run back before titles that
	// wait for a time on it are due at once.
	titleJump = mux.ClockRate
)

// PlayedTitle is a title that the media of a stream has reached.
type PlayedTitle struct {
	mux.Title
	Time    time.Time // UTC of the first sample, as playlists date it
	Arrived time.Time // UTC at which that sample came
}

// SetTitle says that t is played from now on: the media that comes at now is
// its first, within a frame. Without a source it is the next source's first
// title. The text is cleaned by [mux.Title.Clean].
func (s *Stream) SetTitle(t mux.Title, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.titles.set(t.Clean(), now)
}

// Titles returns the newest titles of the stream, at most 50, the oldest first.
func (s *Stream) Titles() []PlayedTitle {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.titles.list()
}

// titles puts titles that are set from outside on the units of the source, and
// remembers all that were played. The stream's lock guards it.
type titles struct {
	ahead []aheadTitle // in the order of their times
	past  []pastTitle  // the oldest first
	fresh bool         // nothing came of the present source yet
	// parked: the titles that wait are another source's than the one on air.
	parked bool
	said   mux.Title // by the present source, or for it

	end   mux.Ticks // of the newest unit, on the source's clock
	ended time.Time // when that unit came; zero if there is none
}

// aheadTitle waits for media.
type aheadTitle struct {
	title mux.Title
	at    mux.Ticks // on the source's clock
	now   bool      // at the next unit, whatever its time
}

// pastTitle is a title whose first unit has come. Its time is told by the
// segmenter, which may still be measuring then.
type pastTitle struct {
	title   mux.Title
	at      mux.Ticks // on the source's clock; on that of playlists once it is dated
	dated   bool
	arrived time.Time
}

// attach tells that another source has come: the standby, or the one whose
// titles are set from outside. Of those that wait only the newest means it. If
// it follows another one, listeners know the titles of that.
func (t *titles) attach(follows, standby bool) {
	t.settle()
	if n := len(t.ahead); n > 0 {
		t.ahead = append(t.ahead[:0], aheadTitle{title: t.ahead[n-1].title, now: true})
	}
	if !follows {
		t.said = mux.Title{}
	}
	t.fresh, t.parked, t.ended = !follows, standby, time.Time{}
}

// waiting reports whether the next unit has a title that was set from outside.
func (t *titles) waiting() bool { return !t.parked && len(t.ahead) > 0 }

// settle gives titles that cannot be dated any more the time of their arrival.
func (t *titles) settle() {
	for i := range t.past {
		if p := &t.past[i]; !p.dated {
			p.at, p.dated = mux.FromTime(p.arrived), true
		}
	}
}

// set has a title wait for the media that comes at now.
func (t *titles) set(title mux.Title, now time.Time) {
	next := aheadTitle{title: title, now: true}
	if !t.ended.IsZero() && !t.parked {
		next.at, next.now = t.end+mux.FromDuration(max(0, now.Sub(t.ended))), false
	}
	switch n := len(t.ahead); {
	case t.ended.IsZero() || t.parked:
		t.ahead = append(t.ahead[:0], next)
	case n == maxAhead:
		t.ahead[n-1] = next
	default:
		t.ahead = append(t.ahead, next)
	}
}

// stamp puts the titles that are due on units that came now, and notes those
// that the units bring. It returns units, or a copy if there are any: units are
// never changed.
func (t *titles) stamp(units []*mux.Unit, now time.Time) []*mux.Unit {
	own := false
	for i, u := range units {
		v := t.stampUnit(u, now)
		if v == u {
			continue
		}
		if !own {
			units, own = slices.Clone(units), true
		}
		units[i] = v
	}
	return units
}

// stampUnit returns u, or a copy with another title.
func (t *titles) stampUnit(u *mux.Unit, now time.Time) *mux.Unit {
	bears := !u.Untimed && u.Track == titled(u.Program)
	if u.Title == nil && !bears {
		return u
	}
	title, n := t.due(u)
	t.ahead = t.ahead[:copy(t.ahead, t.ahead[n:])]
	if bears {
		t.saw(u, now)
	}
	if title != nil && *title == t.said && (!t.fresh || *title == mux.Title{}) {
		title = nil // nothing changes
	}
	if title != nil {
		t.fresh, t.said = false, *title
		t.past = append(t.past, pastTitle{title: *title, at: u.PTS, arrived: now})
		if len(t.past) > maxTitles {
			t.past = t.past[:copy(t.past, t.past[1:])]
		}
	}
	return withTitle(u, title)
}

// preview returns u as stampUnit will once it has proved to be a unit.
func (t *titles) preview(u *mux.Unit, now time.Time) *mux.Unit {
	if u.Title != nil || u.Track != titled(u.Program) {
		return u
	}
	title, _ := t.due(u)
	t.saw(u, now) // a title that is set from now on belongs on the unit behind it
	return withTitle(u, title)
}

// due returns the title that u begins, nil if there is none, and how many of
// those that wait are behind then.
func (t *titles) due(u *mux.Unit) (title *mux.Title, n int) {
	if u.Title != nil {
		clean := u.Title.Clean()
		return &clean, 0
	}
	if t.parked {
		return nil, 0
	}
	back := !t.ended.IsZero() && u.PTS < t.end-titleJump
	for n < len(t.ahead) && (back || t.ahead[n].now || t.ahead[n].at <= u.PTS) {
		n++
	}
	if n == 0 {
		return nil, 0
	}
	last := t.ahead[n-1].title
	return &last, n
}

// saw notes how far the media has come.
func (t *titles) saw(u *mux.Unit, now time.Time) {
	t.end, t.ended = u.PTS, now
	if n := len(u.Frames); n > 0 {
		f := &u.Frames[n-1]
		t.end = f.PTS + mux.FromSamples(int64(f.Samples), f.Rate)
	}
}

// date gives titles their time once the segmenter can tell it.
func (t *titles) date(epoch func(mux.Ticks) (mux.Ticks, bool)) {
	for i := len(t.past) - 1; i >= 0 && !t.past[i].dated; i-- {
		p := &t.past[i]
		if at, ok := epoch(p.at); ok {
			p.at, p.dated = at, true
		}
	}
}

// list returns what was played.
func (t *titles) list() []PlayedTitle {
	out := make([]PlayedTitle, len(t.past))
	for i, p := range t.past {
		out[i] = PlayedTitle{Title: p.title, Time: p.arrived.UTC(), Arrived: p.arrived.UTC()}
		if p.dated {
			out[i].Time = p.at.Time()
		}
	}
	return out
}

// titled returns the index of the track whose units bear the titles: the one
// that the audio outputs carry, else the one that decides the cuts.
func titled(p *mux.Program) int {
	if i := firstFramed(p); i >= 0 {
		return i
	}
	return p.Reference()
}

// withTitle returns u if it has the title, else a copy that has it.
func withTitle(u *mux.Unit, title *mux.Title) *mux.Unit {
	if u.Title == title || u.Title != nil && title != nil && *u.Title == *title {
		return u
	}
	v := *u
	v.Title = title
	return &v
}
