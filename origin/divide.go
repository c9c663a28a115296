package origin

import (
	"math"
	"slices"
)

// leastShort is how many segments a playlist keeps where memory is too small
// for any more: three target durations in any case (hls-rules A33).
const leastShort = 4

// growShare is up to how much of the budget windows grow again, in per cent:
// what is taken back must not be needed again at once.
const growShare = 90

// need is what a stream needs of the memory.
type need struct {
	load
	rank int   // the more it is watched the higher; 0: nobody does
	idle bool  // nobody can have a playlist of it
	last int64 // bytes it was bound to, 0 if it was not
}

// divide gives each stream a bound within budget bytes for all, or nil if it
// needs none. The streams of a rank have their full windows before those of a
// lower rank have more than the shortest; within a rank all give up the same part.
func divide(budget int64, needs []need, least int) []*bound {
	bounds := make([]*bound, len(needs))
	var floors, held int64
	for i := range needs {
		floors += needs[i].floor
		held += needs[i].held
	}
	most, grown := allot(budget, needs), allot(budget*growShare/100, needs)
	for i := range needs {
		n := &needs[i]
		bytes := n.full
		if n.last > 0 {
			bytes = n.last
		}
		bytes = max(min(bytes, most[i]), grown[i])
		if budget < floors {
			bytes = int64(float64(n.floor) * float64(max(0, budget)) / float64(max(1, floors)))
			bounds[i] = &bound{bytes: bytes, least: leastShort, early: n.idle}
		} else if bytes < n.full {
			bounds[i] = &bound{bytes: bytes, least: least, early: n.idle}
		}
	}
	hasten(held-budget, needs, bounds)
	return bounds
}

// allot returns how many bytes each stream gets of budget: the least that it
// can do with, and of the rest what those that are watched more leave.
func allot(budget int64, needs []need) []int64 {
	bytes := make([]int64, len(needs))
	rest := budget
	for i := range needs {
		bytes[i] = needs[i].floor
		rest -= needs[i].floor
	}
	order := byRank(needs)
	for len(order) > 0 && rest > 0 {
		n := 1
		for n < len(order) && needs[order[n]].rank == needs[order[0]].rank {
			n++
		}
		var wanted int64
		for _, i := range order[:n] {
			wanted += needs[i].full - needs[i].floor
		}
		part := min(1, float64(rest)/float64(max(1, wanted)))
		for _, i := range order[:n] {
			if part == 1 {
				bytes[i] = needs[i].full
			} else {
				bytes[i] += int64(part * float64(needs[i].full-needs[i].floor))
			}
		}
		rest -= wanted
		order = order[n:]
	}
	return bytes
}

// byRank returns the indices of needs, those of the highest rank first.
func byRank(needs []need) []int {
	order := make([]int, len(needs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return needs[b].rank - needs[a].rank })
	return order
}

// hasten has streams let go early of what they hold beyond their bounds, those
// that are watched least first, until so many bytes are free.
func hasten(bytes int64, needs []need, bounds []*bound) {
	for _, i := range slices.Backward(byRank(needs)) {
		if bytes <= 0 {
			return
		}
		if b := bounds[i]; b != nil && needs[i].held > b.bytes {
			b.early = true
			bytes -= needs[i].held - b.bytes
		}
	}
}

// rank returns how much a stream is watched, by its decayed number of requests:
// 0 for not at all, and one more for each four times as many. last is the rank
// before, which is kept while the number is near it: ranks must not flap.
func rank(score float64, last int) int {
	const slack = 1.25
	if now := exactRank(score); now != last && exactRank(score*slack) != last && exactRank(score/slack) != last {
		return now
	}
	return last
}

func exactRank(score float64) int {
	const least = 0.5 // a single request, 40 s ago
	if score < least {
		return 0
	}
	return 1 + int(math.Log2(score/least)/2)
}
