package folder

import (
	"math/rand/v2"
	"slices"
)

// order picks which file is next.
type order struct {
	shuffle bool

	last   string          // what was picked last
	at     int             // its place in the list then, plus one
	played map[string]bool // in this round; of a shuffle
}

// next returns the file after the one that it returned last, of those that are
// fit: in the order of the list, which then begins again, or any that was not
// played in this round. ok is false if none is fit.
func (o *order) next(list []entry, fit func(entry) bool) (e entry, ok bool) {
	if o.shuffle {
		e, ok = o.draw(list, fit)
	} else {
		e, ok = o.follow(list, fit)
	}
	if ok {
		o.last = e.path
	}
	return e, ok
}

func (o *order) follow(list []entry, fit func(entry) bool) (entry, bool) {
	from := o.resume(list)
	for i := range list {
		at := (from + i) % len(list)
		if e := list[at]; fit(e) {
			o.at = at + 1
			return e, true
		}
	}
	return entry{}, false
}

// resume returns where the list goes on: behind the file that was played last,
// or where that was if it is gone.
func (o *order) resume(list []entry) int {
	if o.at > 0 && o.at <= len(list) && list[o.at-1].path == o.last {
		return o.at
	}
	if i := slices.IndexFunc(list, func(e entry) bool { return e.path == o.last }); i >= 0 {
		return i + 1
	}
	return max(0, o.at-1)
}

func (o *order) draw(list []entry, fit func(entry) bool) (entry, bool) {
	for _, fresh := range []bool{false, true} {
		if fresh {
			o.played = map[string]bool{}
		}
		var left []entry
		for _, e := range list {
			if !o.played[e.path] && fit(e) {
				left = append(left, e)
			}
		}
		if fresh && len(left) > 1 { // a round does not begin with what ended the last
			left = slices.DeleteFunc(left, func(e entry) bool { return e.path == o.last })
		}
		if len(left) > 0 {
			e := left[rand.IntN(len(left))]
			if o.played == nil {
				o.played = map[string]bool{}
			}
			o.played[e.path] = true
			return e, true
		}
	}
	return entry{}, false
}
