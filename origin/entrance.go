package origin

import (
	"time"

	"headwater/mux"
)

// What is kept of a source that is not on air.
const (
	maxHeldUnits = 4096
	maxHeldBytes = 8 << 20
)

// entrance is one side of a relay: a source, or none.
type entrance struct {
	attached bool
	since    time.Time     // when the source came, or went
	came     time.Time     // when it brought media last; zero if it has not
	due      time.Time     // until when that lasts, if the source sends in real time
	end      mux.Ticks     // of the newest media of the reference track, on the source's clock
	unit     mux.Ticks     // how long the newest of its units lasts: the next is as far away
	pardon   time.Duration // for how long since it came nobody looked
	title    *mux.Title    // of its newest media, if it has told one

	began   time.Time // when the source began to bring media without a pause
	brought mux.Ticks // media since then

	held  []heldUnit // newest last
	bytes int64      // of held
}

// heldUnit is a unit and when it would have come had the source sent it alone.
type heldUnit struct {
	unit *mux.Unit
	due  time.Time
}

// attach begins with a source that has brought nothing yet.
func (w *entrance) attach(now time.Time) { *w = entrance{attached: true, since: now} }

// detach ends with it. Where its media ends is still known.
func (w *entrance) detach(now time.Time) {
	*w = entrance{since: now, came: w.came, due: w.due}
}

// bring notes what came. A source that brought nothing for longer than after
// begins anew.
func (w *entrance) bring(units []*mux.Unit, now time.Time, after time.Duration) {
	again := w.came.IsZero() || w.quiet(now, after)
	if w.pardon = 0; again {
		w.began, w.brought, w.due = now, 0, time.Time{}
	}
	var length mux.Ticks
	for _, u := range units {
		if u.Untimed || u.Track != u.Program.Reference() {
			continue
		}
		end := u.DTS + soundOf(u)
		if step := end - w.end; step > 0 && step <= mux.FromDuration(maxLead) && !w.came.IsZero() {
			length += step
		}
		w.end, w.unit, w.came = end, min(soundOf(u), mux.FromDuration(maxLead)), now
	}
	w.brought += length
	if w.due.IsZero() {
		w.due = now
		return
	}
	w.due = w.due.Add(length.Duration())
	if ahead := now.Add(maxLead); w.due.After(ahead) {
		w.due = ahead
	}
	if behind := now.Add(-maxLag); w.due.Before(behind) {
		w.due = behind
	}
}

// soundOf returns how long the frames of a unit last; 0 if it has none.
func soundOf(u *mux.Unit) (length mux.Ticks) {
	for i := range u.Frames {
		length += mux.FromSamples(int64(u.Frames[i].Samples), u.Frames[i].Rate)
	}
	return length
}

// hold keeps units that came, and forgets those from before now-age.
func (w *entrance) hold(units []*mux.Unit, now time.Time, age time.Duration) {
	for _, u := range units {
		due := w.due
		if !u.Untimed {
			due = due.Add(-max(0, w.end-u.DTS).Duration())
		}
		if due.After(now) {
			due = now
		}
		if n := len(w.held); n > 0 && due.Before(w.held[n-1].due) {
			due = w.held[n-1].due
		}
		w.held = append(w.held, heldUnit{u, due})
		w.bytes += weight(u)
	}
	drop := 0
	for drop < len(w.held) && (w.held[drop].due.Before(now.Add(-age)) || len(w.held)-drop > maxHeldUnits || w.bytes > maxHeldBytes) {
		w.bytes -= weight(w.held[drop].unit)
		drop++
	}
	n := copy(w.held, w.held[drop:])
	clear(w.held[n:])
	w.held = w.held[:n]
}

// weight returns how many bytes a unit keeps.
func weight(u *mux.Unit) int64 {
	n := int64(u.Size)
	for i := range u.Frames {
		n += int64(len(u.Frames[i].Data))
	}
	return n
}

// ready reports whether there is media from cut on that a player can begin with.
func (w *entrance) ready(cut time.Time) bool { return w.start(cut) < len(w.held) }

// start returns the index of the first held unit, not before cut, that a player
// can begin with. One from just before will do if there is none: two sources
// that are read at the same instants never have any from behind each other's,
// and a unit that is long began long before it came.
func (w *entrance) start(cut time.Time) int {
	best := len(w.held)
	before := max(overlap, w.longUnit())
	for i, h := range w.held {
		switch {
		case h.due.Before(cut.Add(-before)) || h.unit.Access == mux.AccessNone || h.unit.Track != h.unit.Program.Reference():
		case h.due.Before(cut):
			best = i
		default:
			return i
		}
	}
	return best
}

// take returns the held units from cut on, from where a player can begin.
func (w *entrance) take(cut time.Time) []heldUnit {
	units := w.held[w.start(cut):]
	w.held, w.bytes = nil, 0
	return units
}

// quiet reports whether the source has brought nothing for longer than after,
// or than the next unit may take to come: a page of Ogg is a second long. Media
// that it sent ahead counts when it is due.
func (w *entrance) quiet(now time.Time, after time.Duration) bool {
	last := w.since
	if !w.came.IsZero() {
		last = w.came
		if w.due.After(last) {
			last = w.due
		}
	}
	return now.Sub(last)-w.pardon >= max(after, w.longUnit())
}

// longUnit returns the most time from one unit to the next.
func (w *entrance) longUnit() time.Duration { return w.unit.Duration() * 3 / 2 }

// steady reports whether the source has brought media for so long, and still does.
func (w *entrance) steady(now time.Time, long, after time.Duration) bool {
	return !w.came.IsZero() && !w.quiet(now, after) && now.Sub(w.began) >= long && w.brought.Duration() >= long
}

// ends returns the instant up to which the source's media lasts, at the latest
// that at which it came.
func (w *entrance) ends() time.Time {
	if w.due.After(w.came) {
		return w.came
	}
	return w.due
}

// note notes the titles of units.
func (w *entrance) note(units []*mux.Unit) {
	for _, u := range units {
		if u.Title != nil {
			w.title = u.Title
		}
	}
}

// announce has the first of units say what is played: listeners have heard the
// titles of another source. One that has told none says so.
func (w *entrance) announce(units []heldUnit) {
	for i, h := range units {
		if !bears(h.unit) {
			continue
		}
		if h.unit.Title == nil {
			title := w.title
			if title == nil {
				title = new(mux.Title)
			}
			units[i].unit = withTitle(h.unit, title)
		}
		return
	}
}
