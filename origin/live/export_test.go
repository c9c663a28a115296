package live

import "time"

// Reader reads a tail as a listener does that is never too slow.
type Reader struct{ l listener }

// NewReader returns a reader that begins when it is read first.
func NewReader(t *Tail, chunked bool) *Reader {
	t.enter()
	return &Reader{listener{tail: t, chunked: chunked}}
}

// Drain reads what there is, and reports whether that was the end. The writer
// takes most bytes at a time.
func (r *Reader) Drain(most int) (all []byte, over bool) {
	var scratch [][]byte
	for {
		s, _ := r.l.send(func(slices [][]byte) (n int, whole bool, err error) {
			for _, b := range slices {
				k := min(len(b), most-n)
				all = append(all, b[:k]...)
				n += k
				if k < len(b) {
					return n, false, nil
				}
			}
			return n, true, nil
		}, &scratch, time.Now())
		if s == ended {
			r.l.tail.leave()
		}
		if s != blocked {
			return all, s == ended
		}
	}
}
