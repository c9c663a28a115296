package origin

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// serveSegment answers for a segment: from memory as long as it is there, from
// the store by sendfile if that has it.
func (s *Server) serveSegment(w http.ResponseWriter, r *http.Request, st *Stream, rt route) (int, int64) {
	now := time.Now()
	snap := st.snapshot.Load()
	v := snap.rendition(rt.rendition)
	if v == nil || rt.gen != snap.gen {
		return s.fail(w, r, http.StatusNotFound, s.headers.brief, "stream "+st.Name()+" has no such segment"), 0
	}
	e, found := v.find(rt.sequence, now)
	if e != nil && e.seg.Suffix != rt.suffix {
		found = foundNothing
	}
	switch found {
	case foundFuture:
		return s.fail(w, r, http.StatusNotFound, s.headers.brief, "segment "+strconv.FormatUint(rt.sequence, 10)+" is not there yet"), 0
	case foundExpired:
		return s.fail(w, r, http.StatusGone, s.headers.minute, "segment "+strconv.FormatUint(rt.sequence, 10)+" has expired"), 0
	case foundGap:
		return s.fail(w, r, http.StatusNotFound, s.headers.minute, "there is no media for the time of segment "+strconv.FormatUint(rt.sequence, 10)), 0
	case foundNothing:
		return s.fail(w, r, http.StatusNotFound, s.headers.brief, "stream "+st.Name()+" has no such segment"), 0
	}
	h := w.Header()
	h["Cache-Control"] = e.caching(now)
	h["Etag"] = e.etag
	h["Last-Modified"] = e.lastModified
	h["Accept-Ranges"] = s.headers.acceptBytes
	switch status := e.check.check(r.Header); status {
	case http.StatusNotModified:
		w.WriteHeader(status)
		return status, 0
	case http.StatusPreconditionFailed:
		return s.fail(w, r, status, s.headers.brief, "the segment is another one"), 0
	}
	return s.sendSegment(w, r, st, snap.gen, e)
}

// sendSegment sends the part of a segment that was asked for.
func (s *Server) sendSegment(w http.ResponseWriter, r *http.Request, st *Stream, gen uint64, e *entry) (int, int64) {
	h := w.Header()
	part, status := byteRange{0, e.seg.Size}, http.StatusOK
	length := e.length
	if asked := first(r.Header["Range"]); asked != "" && r.Method == http.MethodGet && e.check.allowsRange(r.Header) {
		p, result := parseRange(asked, e.seg.Size)
		switch result {
		case rangeUnsatisfiable:
			h["Content-Range"] = []string{fmt.Sprintf("bytes */%d", e.seg.Size)}
			return s.fail(w, r, http.StatusRequestedRangeNotSatisfiable, s.headers.brief, "the range lies outside of the segment"), 0
		case rangePartial:
			part, status = p, http.StatusPartialContent
			h["Content-Range"] = []string{fmt.Sprintf("bytes %d-%d/%d", p.start, p.start+p.length-1, e.seg.Size)}
			length = []string{strconv.FormatInt(p.length, 10)}
		}
	}
	var file *os.File
	if r.Method == http.MethodGet && e.stored.Load() && st.cfg.Store != nil {
		file = s.openSegment(st, gen, e, part.start)
	}
	if file != nil {
		defer file.Close()
	} else if e.data == nil && r.Method == http.MethodGet {
		s.counts.lost.Add(1)
		return s.fail(w, r, http.StatusNotFound, s.headers.brief, "the segment cannot be read from the store"), 0
	}
	h["Content-Type"] = s.headers.media[e.seg.Suffix]
	h["Content-Length"] = length
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return status, 0
	}
	var n int64
	if file != nil {
		n, _ = sendTo(w, &io.LimitedReader{R: file, N: part.length})
	} else {
		n, _ = sendTo(w, newSliceReader(e.data, part))
	}
	if n < part.length {
		s.count(kindSegment, status, n)
		panic(http.ErrAbortHandler) // the client must not take it for the whole (hls-rules D19)
	}
	return status, n
}

// openSegment opens a stored segment at an offset, or returns nil if it is not
// what it should be.
func (s *Server) openSegment(st *Stream, gen uint64, e *entry, offset int64) *os.File {
	f, err := st.cfg.Store.Open(e.seg.Rendition, gen, e.seg.Sequence, e.seg.Suffix)
	if err != nil {
		s.log.Debug("stored segment cannot be opened", "stream", st.Name(), "sequence", e.seg.Sequence, "error", err)
		return nil
	}
	if info, err := f.Stat(); err != nil || info.Size() != e.seg.Size {
		f.Close()
		return nil
	}
	if offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			f.Close()
			return nil
		}
	}
	return f
}

// sendTo hands src over to the connection if w lets it.
func sendTo(w http.ResponseWriter, src io.Reader) (int64, error) {
	if to, ok := w.(io.ReaderFrom); ok {
		return to.ReadFrom(src)
	}
	return io.Copy(w, src)
}

// sliceReader reads a part of bytes that lie in slices. It gives them out
// whole to a connection that can take them so.
type sliceReader struct {
	slices  [][]byte // not changed
	offset  int      // in the first slice
	left    int64
	buffers net.Buffers // reused for each piece
}

func newSliceReader(slices [][]byte, part byteRange) *sliceReader {
	r := &sliceReader{slices: slices, left: part.length}
	r.skip(part.start)
	return r
}

// skip passes over n bytes.
func (r *sliceReader) skip(n int64) {
	for len(r.slices) > 0 {
		have := int64(len(r.slices[0]) - r.offset)
		if n < have {
			r.offset += int(n)
			return
		}
		n -= have
		r.slices, r.offset = r.slices[1:], 0
	}
}

// Read copies: it is for the first bytes of a response, and for connections
// that are not ours.
func (r *sliceReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.left > 0 && len(r.slices) > 0 {
		k := copy(p[n:], r.slices[0][r.offset:][:min(int64(len(r.slices[0])-r.offset), r.left)])
		n, r.left = n+k, r.left-int64(k)
		r.skip(int64(k))
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// maxBuffers is how many slices the kernel takes at a time (IOV_MAX).
const maxBuffers = 1024

// NextBuffers returns about limit bytes as they lie, or nothing at the end.
func (r *sliceReader) NextBuffers(limit int) net.Buffers {
	b := r.buffers[:0]
	for limit > 0 && r.left > 0 && len(r.slices) > 0 && len(b) < maxBuffers {
		piece := r.slices[0][r.offset:]
		piece = piece[:min(int64(len(piece)), r.left, int64(limit))]
		b = append(b, piece)
		r.left -= int64(len(piece))
		limit -= len(piece)
		r.skip(int64(len(piece)))
	}
	r.buffers = b
	return b
}
