package audio

import "bytes"

// view is a run of bytes in two pieces: what an earlier call left, and what
// the present one brought. Both are immutable.
type view struct{ old, new []byte }

func (v *view) len() int { return len(v.old) + len(v.new) }

// joined reports whether the second piece goes on where the first one ends.
func (v *view) joined() bool {
	rest := v.old[len(v.old):cap(v.old)]
	return len(v.new) > 0 && len(rest) >= len(v.new) && &rest[0] == &v.new[0]
}

// head returns up to tagHead bytes from i on. They are copied to scratch if
// they lie in both pieces.
func (v *view) head(i int, scratch *[tagHead]byte) []byte {
	switch {
	case i >= v.len():
		return nil
	case i >= len(v.old):
		b := v.new[i-len(v.old):]
		return b[:min(len(b), tagHead)]
	case i+tagHead <= len(v.old):
		return v.old[i : i+tagHead]
	}
	n := copy(scratch[:], v.old[i:])
	n += copy(scratch[n:], v.new)
	return scratch[:n]
}

// pieces returns v[i:j] as it lies: in one piece or two, either may be empty.
func (v *view) pieces(i, j int) (first, second []byte) {
	cut := len(v.old)
	return v.old[min(i, cut):min(j, cut)], v.new[max(i-cut, 0):max(j-cut, 0)]
}

// index returns the first place from i on where c stands, or the length of v.
func (v *view) index(i int, c byte) int {
	if i < len(v.old) {
		if j := bytes.IndexByte(v.old[i:], c); j >= 0 {
			return i + j
		}
		i = len(v.old)
	}
	if i >= v.len() {
		return v.len()
	}
	if j := bytes.IndexByte(v.new[i-len(v.old):], c); j >= 0 {
		return i + j
	}
	return v.len()
}

// arena hands out memory that is written once, in blocks, so that the frames
// and rests that lie across two writes cost few allocations.
type arena struct{ block []byte }

// arenaBlock is several times the most that a splitter carries over.
const arenaBlock = 64 << 10

// slice returns v[i:j]: aliasing it, or a copy if it lies in both pieces and
// these are not neighbours in memory. Its capacity reaches as far as that of
// the piece, by which its own neighbours can be told.
func (a *arena) slice(v *view, i, j int) []byte {
	cut := len(v.old)
	switch {
	case i >= cut:
		return v.new[i-cut : j-cut]
	case j <= cut, v.joined():
		return v.old[i:j]
	}
	return a.join(v.old[i:], v.new[:j-cut])
}

// join returns x and y in one piece. If x ends where the last call's result
// does, only y is copied: bytes that come one at a time cost one copy each.
func (a *arena) join(x, y []byte) []byte {
	end := len(a.block)
	if len(x) > 0 && len(x) <= end && &x[len(x)-1] == &a.block[end-1] && len(y) <= cap(a.block)-end {
		a.block = append(a.block, y...)
		return a.block[end-len(x) : len(a.block) : len(a.block)]
	}
	n := len(x) + len(y)
	if n > cap(a.block)-end {
		a.block = make([]byte, 0, max(n, arenaBlock))
		end = 0
	}
	a.block = append(append(a.block, x...), y...)
	return a.block[end : end+n : end+n]
}
