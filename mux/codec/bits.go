package codec

import "math/bits"

// bitReader reads the bits of b from the most significant on. The first read
// past the end sets short; that read and all later ones yield 0, so a parser
// reads what it needs and checks once.
type bitReader struct {
	b     []byte
	next  int    // index of the first byte not yet in cache
	cache uint64 // unread bits, left aligned
	n     int    // how many of them
	short bool

	// nal makes the reader drop emulation_prevention_three_byte
	// (ITU-T H.264 §7.4.1.1, ITU-T H.265 §7.4.2.1).
	nal   bool
	zeros int // zero bytes just before next
}

// fill tops the cache up to more than 56 bits, if there are so many.
func (r *bitReader) fill() {
	for r.n <= 56 && r.next < len(r.b) {
		c := r.b[r.next]
		r.next++
		if r.nal {
			if r.zeros >= 2 && c == 3 {
				r.zeros = 0
				continue
			}
			if c == 0 {
				r.zeros++
			} else {
				r.zeros = 0
			}
		}
		r.cache |= uint64(c) << (56 - r.n)
		r.n += 8
	}
}

// peek returns the next n bits, at most 32, with zeros for those past the end.
func (r *bitReader) peek(n int) uint32 {
	if r.n < n {
		r.fill()
	}
	return uint32(r.cache >> (64 - n)) // a shift by 64 is 0
}

// read returns the next n bits, at most 32.
func (r *bitReader) read(n int) uint32 {
	v := r.peek(n)
	if r.n < n {
		r.fail()
		return 0
	}
	r.cache <<= n
	r.n -= n
	return v
}

// fail makes this read and all later ones yield 0, as the end of b does.
func (r *bitReader) fail() {
	r.short, r.cache, r.n, r.next = true, 0, 0, len(r.b)
}

// flag reads one bit.
func (r *bitReader) flag() bool { return r.read(1) == 1 }

// skip passes over n bits.
func (r *bitReader) skip(n int) {
	for ; n > 32 && !r.short; n -= 32 {
		r.read(32)
	}
	if n > 0 {
		r.read(min(n, 32))
	}
}

// ue reads an Exp-Golomb code, ue(v) (ITU-T H.264 §9.1).
func (r *bitReader) ue() uint32 {
	zeros := bits.LeadingZeros32(r.peek(32))
	if zeros > 31 {
		r.fail()
		return 0
	}
	r.read(zeros)
	return r.read(zeros+1) - 1
}

// se reads a signed Exp-Golomb code, se(v) (ITU-T H.264 §9.1.1).
func (r *bitReader) se() int32 {
	k := r.ue()
	if k&1 == 1 {
		return int32(k/2 + 1)
	}
	return -int32(k / 2)
}

// position returns how many bits were read. It counts bytes of b, so it is of
// use only where there is no emulation prevention.
func (r *bitReader) position() int { return r.next*8 - r.n }

// align skips to the next byte of b.
func (r *bitReader) align() { r.read(r.n & 7) }
