package segmenter

import "headwater/mux"

// grid numbers the slots of the epoch: slot n holds the times from edge(n) up
// to edge(n+1), and a segment is cut at the first random access point in it
// (hls-rules H.4). It has no memory, so all who hold the record agree.
type grid struct {
	target mux.Ticks // slot length D
	slack  mux.Ticks // half a frame: a timestamp rounded to just under an edge is on it
	base   int64     // numbers used up by resets inside a slot, see Point.Base
}

// slot returns the number of the slot that epoch time e lies in.
func (g grid) slot(e mux.Ticks) uint64 {
	return uint64(floorDiv(int64(e+g.slack), int64(g.target)) + g.base)
}

// edge returns the epoch time at which slot n begins.
func (g grid) edge(n uint64) mux.Ticks {
	return mux.Ticks(int64(n)-g.base) * g.target
}

// floorDiv divides rounding toward minus infinity; d is positive.
func floorDiv(n, d int64) int64 {
	q := n / d
	if n%d < 0 {
		q--
	}
	return q
}
