package origin

import (
	"context"
	"fmt"
	"slices"
	"time"

	"headwater/mux"
)

// followed is how many deliveries may wait for a follower. More than that means
// that its sink is held up; it begins anew then.
const followed = 128

// Sink takes the media of one source at a time: a [Stream], or its [Standby].
type Sink interface {
	Attach(info mux.SourceInfo, now time.Time) (mux.Feed, error)
}

// Follower brings what is on air at one stream to the sink of another. Streams
// must not follow each other in a circle. Make it with [NewFollower].
type Follower struct {
	from *Stream
	to   Sink
}

// NewFollower returns a follower; it starts nothing.
func NewFollower(from *Stream, to Sink) *Follower { return &Follower{from, to} }

// Run brings media until ctx ends; it returns nil then, or why the sink does
// not take the source. While nothing is on air at the stream the sink has no
// source; another one there is another one here.
func (f *Follower) Run(ctx context.Context) error {
	t := f.from.tap()
	defer f.from.untap(t)
	var feed mux.Feed
	leave := func() {
		if feed != nil {
			feed.Close(context.Cause(ctx), time.Now())
			feed = nil
		}
	}
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return nil
		case d := <-t.deliveries:
			if d.begins {
				leave()
			}
			if len(d.units) == 0 {
				continue
			}
			if feed == nil {
				info := mux.SourceInfo{ID: "stream-" + f.from.Name(), Kind: "stream", Remote: f.from.Name(), Since: d.at}
				var err error
				if feed, err = f.to.Attach(info, d.at); err != nil {
					return fmt.Errorf("follow stream %s: %w", f.from.Name(), err)
				}
			}
			feed.Write(d.units, d.at)
		}
	}
}

// tap is where a follower takes from a stream.
type tap struct {
	deliveries chan delivery
	begins     bool // the next delivery follows on nothing. Guarded by the stream's lock.
}

// delivery is media that came at an instant.
type delivery struct {
	units  []*mux.Unit
	at     time.Time
	begins bool // it follows on nothing
}

// tap has units of what is on air go to a new tap, too.
func (s *Stream) tap() *tap {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &tap{deliveries: make(chan delivery, followed), begins: true}
	s.taps = append(s.taps, t)
	return t
}

// untap undoes tap.
func (s *Stream) untap(t *tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taps = slices.DeleteFunc(s.taps, func(o *tap) bool { return o == t })
}

// pour gives units to a tap, if it takes them. The stream's lock is held. said
// is the title of what is on air.
func (t *tap) pour(units []*mux.Unit, said mux.Title, now time.Time) {
	if len(units) == 0 {
		return
	}
	d := delivery{units: slices.Clone(units), at: now, begins: t.begins}
	if i := slices.IndexFunc(units, bears); t.begins && i >= 0 && units[i].Title == nil && said != (mux.Title{}) {
		d.units[i] = withTitle(units[i], &said)
	}
	t.send(d)
}

// part tells that what comes next is another source's, or that nothing does.
func (t *tap) part(now time.Time) {
	t.send(delivery{at: now, begins: true})
	t.begins = true
}

// send does not wait: what is not taken is lost, and the next begins anew.
func (t *tap) send(d delivery) {
	select {
	case t.deliveries <- d:
		t.begins = false
	default:
		t.begins = true
	}
}

// bears reports whether a unit is one of those that bear titles.
func bears(u *mux.Unit) bool { return !u.Untimed && u.Track == titled(u.Program) }
