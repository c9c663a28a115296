package live

import "headwater/mux"

// Rate returns the bit rate of the media that is kept, in bits a second by its
// own time; 0 if less than a second of it is there. Of several sources it is
// the last one's.
func (t *Tail) Rate() int64 {
	if t.of != nil { // which keeps more
		return t.of.Rate()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == t.first {
		return 0
	}
	var bytes int64 // from the oldest batch of the source up to the newest, without that
	var length mux.Ticks
	newest := *t.at(t.next - 1)
	for n := t.next - 1; n > t.first && !(*t.at(n)).broke; n-- {
		b := *t.at(n - 1)
		bytes += int64(b.size)
		length = newest.time - b.time
	}
	if length < mux.ClockRate {
		return 0
	}
	return bytes * 8 * mux.ClockRate / int64(length)
}

// leastSpan is how much media there is at least in what LeastRate looks at:
// single frames say little.
const leastSpan = mux.ClockRate / 4

// LeastRate is Rate of the quarter of a second, or a little more, that has the
// fewest bytes; 0 if not so much is there.
func (t *Tail) LeastRate() (rate int64) {
	if t.of != nil {
		return t.of.LeastRate()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == t.first {
		return 0
	}
	var bytes int64 // from the batch that is looked at up to end, without that
	end := *t.at(t.next - 1)
	for n := t.next - 1; n > t.first && !(*t.at(n)).broke; n-- {
		b := *t.at(n - 1)
		bytes += int64(b.size)
		if length := end.time - b.time; length >= leastSpan {
			if here := bytes * 8 * mux.ClockRate / int64(length); rate == 0 || here < rate {
				rate = here
			}
			bytes, end = 0, b
		}
	}
	return rate
}

// Bytes returns how many bytes of media are kept. They may be those of the
// window, too.
func (t *Tail) Bytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bytes
}
