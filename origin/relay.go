package origin

import (
	"time"

	"headwater/mux"
)

// side is one of the two ways into a stream.
type side uint8

const (
	sideMain side = iota
	sideStandby
	sides
	sideNone = sides
)

var sideNames = [sides + 1]string{"main", "standby", ""}

// String returns the name of the side in the API and the log.
func (x side) String() string { return sideNames[x] }

const (
	// defaultFallbackAfter is far above the jitter of a line, and short enough
	// for players not to notice.
	defaultFallbackAfter = 500 * time.Millisecond
	// lookEvery is how often it is decided who is on air, at least. Where it is
	// not, the process was held up, and with it what reads the sources.
	lookEvery = advanceInterval
	// steadyFor is how long the main source must bring media before it is on
	// air again. It doubles, up to maxSteady, each time that the source is lost
	// within lapse after that.
	steadyFor = 250 * time.Millisecond
	maxSteady = 4 * time.Second
	lapse     = 5 * time.Second
	// maxLead bounds how far ahead of its time a source is believed to be.
	maxLead = 5 * time.Second
	// maxLag is how late media may come and still be counted as having been due
	// before: it is jitter.
	maxLag = 100 * time.Millisecond
	// overlap is how far media may reach back where it takes over.
	overlap = 150 * time.Millisecond
)

// relay decides which of the two sources of a stream is on air: the standby
// only while the main source is away, or has brought no media for a time. It
// keeps the newest media of the source that is not on air, so that nothing is
// missing where it takes over. The times of its methods do not run back.
type relay struct {
	after time.Duration // how long the main source may bring no media
	ways  [sides]entrance
	ended bool // an operator has ended the stream: only a main source begins it again
	air   side // the side that is on air, or was until just now
	anew  bool // another source holds that side than is on air
	last  side // that was on air last, as long as nothing is; else as air

	looked time.Time     // when it was decided last
	back   time.Time     // when the main source took over from the standby last
	steady time.Duration // for how long it has to bring media before it does
}

// newRelay returns a relay of which nothing is on air. after 0 means the default.
func newRelay(after time.Duration, now time.Time) relay {
	if after == 0 {
		after = defaultFallbackAfter
	}
	r := relay{after: after, air: sideNone, last: sideNone, steady: steadyFor, looked: now}
	for x := range r.ways {
		r.ways[x].since = now
	}
	return r
}

// attach tells that a side has a source.
func (r *relay) attach(x side, now time.Time) {
	r.ways[x].attach(now)
	r.anew = r.anew || r.air == x
	r.ended = r.ended && x != sideMain
}

// end tells that nothing more is to be on air.
func (r *relay) end() {
	r.detach(sideMain, time.Time{})
	r.ended = true
}

// detach tells that a side has none any more.
func (r *relay) detach(x side, now time.Time) { r.ways[x].detach(now) }

// bring tells what the source of a side has brought, and reports whether that
// is on air. What is not is kept for a while.
func (r *relay) bring(x side, units []*mux.Unit, now time.Time) bool {
	w := &r.ways[x]
	w.bring(units, now, r.after)
	if r.air == x {
		return true
	}
	w.note(units)
	if r.shared() {
		w.hold(units, now, r.after+time.Second)
	}
	return false
}

// shared reports whether there is a standby.
func (r *relay) shared() bool { return r.ways[sideStandby].attached }

// move is what changes when another side is on air, or none.
type move struct {
	to      side
	follows bool       // another source than the one before is on air now
	units   []heldUnit // its media from where that of the other one ends
}

// decide puts on air what should be at an instant. It reports false if that is
// the source that was.
func (r *relay) decide(now time.Time) (move, bool) {
	if away := now.Sub(r.looked); away > 2*lookEvery { // what came meanwhile may not have been read yet
		for x := range r.ways {
			r.ways[x].pardon += away - lookEvery
		}
	}
	r.looked = now
	to := r.best(now)
	if to == r.air && !r.anew {
		return move{}, false
	}
	r.anew = false
	m := move{to: to}
	if to != sideNone {
		m.follows = r.last != sideNone && r.last != to
		w := &r.ways[to]
		m.units = w.take(r.cut(to))
		if m.follows {
			r.trust(to, now)
		}
		r.last = to
	}
	r.air = to
	return m, true
}

// trust has a main source that was lost soon after it was back bring more media
// before it is back again.
func (r *relay) trust(to side, now time.Time) {
	switch {
	case to == sideMain:
		r.back = now
	case !r.back.IsZero() && now.Sub(r.back) < lapse:
		r.steady = min(2*r.steady, maxSteady)
	default:
		r.steady = steadyFor
	}
}

// best returns the side that should be on air.
func (r *relay) best(now time.Time) side {
	main, standby := &r.ways[sideMain], &r.ways[sideStandby]
	alive := standby.attached && !standby.quiet(now, max(r.after, time.Second))
	switch {
	case r.ended:
		return sideNone
	case r.air == sideStandby && alive:
		if main.steady(now, r.steady, r.after) && main.ready(r.cut(sideMain)) {
			return sideMain
		}
		return sideStandby
	case r.air == sideStandby && standby.attached && (!main.attached || main.quiet(now, r.after)):
		return sideStandby // there is nothing better
	case alive && r.away(now) && standby.ready(r.cut(sideStandby)):
		return sideStandby
	case main.attached, alive && r.air == sideMain && !r.away(now):
		return sideMain
	}
	return sideNone
}

// away reports whether the standby is wanted. A source that goes has half the
// time to be back that one that is silent has; the first is waited for as long.
func (r *relay) away(now time.Time) bool {
	main := &r.ways[sideMain]
	switch {
	case r.last == sideNone && now.Sub(r.ways[sideStandby].since) < r.after:
		return false // both may have been started just now
	case r.last != sideNone && !main.attached:
		return now.Sub(main.since) >= r.after/2
	}
	return main.quiet(now, r.after)
}

// cut returns the instant from which on the media of a side is wanted: where
// that of the other one ends, if it was on air before.
func (r *relay) cut(to side) time.Time {
	if r.last == sideNone || r.last == to {
		return time.Time{}
	}
	return r.ways[r.last].ends()
}

// announced tells that the source that is on air has a title, which may have
// been set from outside.
func (r *relay) announced(t *mux.Title) { r.ways[r.air].title = t }
