package codec_test

import "math/bits"

// bitWriter writes what the parsers read.
type bitWriter struct {
	b []byte
	n int // bits used of the last byte
}

// bits appends the low n bits of v.
func (w *bitWriter) bits(n int, v uint64) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b, w.n = append(w.b, 0), 0
		}
		w.b[len(w.b)-1] |= byte(v>>i&1) << (7 - w.n)
		w.n++
	}
}

// bytes appends whole bytes.
func (w *bitWriter) bytes(b ...byte) {
	for _, c := range b {
		w.bits(8, uint64(c))
	}
}

// ue appends Exp-Golomb codes.
func (w *bitWriter) ue(values ...uint64) {
	for _, v := range values {
		n := bits.Len64(v + 1)
		w.bits(2*n-1, v+1)
	}
}

// nal returns what was written with emulation_prevention_three_bytes put in.
func (w *bitWriter) nal() []byte {
	var out []byte
	zeros := 0
	for _, c := range w.b {
		if zeros >= 2 && c <= 3 {
			out, zeros = append(out, 3), 0
		}
		out = append(out, c)
		if zeros++; c != 0 {
			zeros = 0
		}
	}
	return out
}
