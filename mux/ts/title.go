package ts

import (
	"headwater/mux"
	"headwater/mux/id3"
)

// Bounds on titles in timed ID3.
const (
	maxTag    = 64 << 10 // bytes of a tag that are looked at
	maxTitles = 16       // that wait for their sound; of more the newest replaces the last
	// titleEarly is how much earlier than a tag the sound may be that it begins
	// with: times are rounded in many ways.
	titleEarly = mux.ClockRate / 1000
)

// titles are those in the source's timed ID3, on their way to the sound that
// they begin with (hls-rules C34, C35).
type titles struct {
	ahead []aheadTitle // in the order of their arrival
	last  mux.Title    // that was put on a unit
}

// aheadTitle waits for the sound of its time.
type aheadTitle struct {
	at    mux.Ticks
	title mux.Title
}

// readTitle takes the title in u, a unit of timed ID3, which is under way on t.
// Most tags are of other things, or repeat what was said.
func (d *Demuxer) readTitle(t *track, u *mux.Unit, h *pesHeader) {
	title, ok := id3.Parse(d.gather(t.runs, h.size, maxTag))
	if !ok || u.Damaged {
		return
	}
	at := u.PTS
	if u.Untimed {
		at = d.newest
	}
	w := &d.titles
	if len(w.ahead) == maxTitles {
		w.ahead = w.ahead[:maxTitles-1]
	}
	w.ahead = append(w.ahead, aheadTitle{at, title})
}

// playTitle puts on u, a unit of sound, the newest of the titles that are due.
// Sound that has got past a title before it came gets it at once, and so does
// that of another clock.
func (d *Demuxer) playTitle(t *track, u *mux.Unit) {
	w := &d.titles
	if len(w.ahead) == 0 || u.Untimed || t.index != d.firstSound() {
		return
	}
	due := 0
	for due < len(w.ahead) {
		if wait := w.ahead[due].at - u.PTS; wait > titleEarly && wait < maxSpacing {
			break
		}
		due++
	}
	if due == 0 {
		return
	}
	if title := w.ahead[due-1].title; title != w.last {
		u.Title, w.last = &title, title
	}
	w.ahead = w.ahead[:copy(w.ahead, w.ahead[due:])]
}

// firstSound returns the index of the first audio track, or -1.
func (d *Demuxer) firstSound() int {
	for i := range d.program.Tracks {
		if d.program.Tracks[i].Codec.Audio() {
			return i
		}
	}
	return -1
}
