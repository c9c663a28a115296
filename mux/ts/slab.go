package ts

import "slices"

// slab hands out slices of memory that it allocates in lots. Lots begin small
// and grow to most elements. What was handed out is never taken back: a lot
// lives as long as something points into it.
type slab[T any] struct {
	free []T
	lot  int // size of the last lot
	most int
}

// take returns n zero elements with no spare capacity.
func (s *slab[T]) take(n int) []T { return slices.Clip(s.open(n)) }

// open returns n zero elements. Their capacity reaches to the end of the lot:
// who lists several can tell by it that they are neighbours. It is not to be used.
func (s *slab[T]) open(n int) []T {
	if n > len(s.free) {
		s.lot = min(max(8, 2*s.lot), s.most)
		if n > s.lot/2 {
			return make([]T, n)
		}
		s.free = make([]T, s.lot)
	}
	p := s.free[:n]
	s.free = s.free[n:]
	return p
}

// part leaves the rest of the lot unused, so that what is taken next does not
// keep alive what earlier elements point to. The next lot is as large as this
// one would have needed to be.
func (s *slab[T]) part() {
	s.lot = (s.lot - len(s.free)) / 2
	s.free = nil
}

// keep returns a copy of p.
func (s *slab[T]) keep(p []T) []T {
	if len(p) == 0 {
		return nil
	}
	q := s.take(len(p))
	copy(q, p)
	return q
}
