package ogg

import "bytes"

// maxDoubted is how many bytes more than in good pages may be looked at in pages
// with a wrong checksum until these are passed over whole: before that, the next
// is looked for inside each, as it may be longer than it was. Bytes that are all
// beginnings cost no more by that.
const maxDoubted = 1 << 20

// reader finds the pages in a stream of bytes. It keeps at most one page that
// has not ended yet.
type reader struct {
	rest    []byte // the beginning of a page, in memory of its own
	synced  bool   // the last page ended where the next was looked for
	doubted int    // bytes of pages with a wrong checksum, less those of good ones since
	skipped uint64 // bytes in no page
	losses  uint64
	bad     uint64 // pages with a wrong checksum
}

// write takes the next bytes of the stream and calls emit for each page that
// became complete. b must not be changed any more: pages alias it, except
// those that began in an earlier call.
func (r *reader) write(b []byte, emit func(page)) {
	for len(b) > 0 {
		if len(r.rest) > 0 {
			b = r.resume(b, emit)
			continue
		}
		if b = r.seek(b); len(b) == 0 {
			return
		}
		size, _ := measure(b)
		if len(b) < size {
			r.rest = append(make([]byte, 0, max(size, headSize+255)), b...)
			return
		}
		b = b[r.take(b[:size:size], emit):]
	}
}

// resume goes on with the page that an earlier call began. It returns what is
// to be looked at next.
func (r *reader) resume(b []byte, emit func(page)) []byte {
	size, ok := measure(r.rest)
	n := max(min(size-len(r.rest), len(b)), 0)
	if n > 0 {
		if cap(r.rest) < size {
			r.rest = append(make([]byte, 0, size), r.rest...)
		}
		r.rest = append(r.rest, b[:n]...)
		b = b[n:]
		size, ok = measure(r.rest)
	}
	switch {
	case ok && len(r.rest) < size:
		return b
	case ok:
		n = r.take(r.rest[:size:size], emit)
	default:
		n = 1
		r.skip(n)
	}
	left := r.rest[n:]
	r.rest = nil
	if len(left) == 0 {
		return b
	}
	return bytes.Join([][]byte{left, b}, nil)
}

// seek returns b from where a page begins, or may begin.
func (r *reader) seek(b []byte) []byte {
	for i := 0; i < len(b); i++ {
		j := bytes.IndexByte(b[i:], capture[0])
		if j < 0 {
			break
		}
		i += j
		if _, ok := measure(b[i:]); ok {
			r.skip(i)
			return b[i:]
		}
	}
	r.skip(len(b))
	return nil
}

// take emits the page that b is if its checksum is right. It returns how many
// bytes of b are done with.
func (r *reader) take(b []byte, emit func(page)) int {
	p, ok := parse(b)
	if ok {
		r.synced, r.doubted = true, max(0, r.doubted-len(b))
		emit(p)
		return len(b)
	}
	r.bad++
	n := 1
	if r.doubted += len(b); r.doubted > maxDoubted {
		r.doubted, n = maxDoubted, len(b)
	}
	r.skip(n)
	return n
}

// skip counts bytes that are in no page.
func (r *reader) skip(n int) {
	if n == 0 {
		return
	}
	if r.synced {
		r.synced = false
		r.losses++
	}
	r.skipped += uint64(n)
}

// flush tells that the stream has ended.
func (r *reader) flush() {
	r.skip(len(r.rest))
	r.rest = nil
}
