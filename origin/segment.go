package origin

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"headwater/origin/http1"
)

// answerSegment answers for a segment: from memory as long as it is there, from
// the store by sendfile if that has it.
func (s *Server) answerSegment(req *http1.Request, rep *http1.Reply, st *Stream, rt route) {
	now := time.Now()
	snap := st.snapshot.Load()
	v := snap.rendition(rt.rendition)
	if v == nil || rt.gen != snap.gen {
		s.refuse(rep, http.StatusNotFound, s.headers.brief, "stream "+st.Name()+" has no such segment")
		return
	}
	e, found := v.find(rt.sequence, now)
	if e != nil && e.seg.Suffix != rt.suffix {
		found = foundNothing
	}
	if found != foundSegment {
		s.refuseSegment(rep, st, rt.sequence, found)
		return
	}
	rep.Set("Cache-Control", e.caching(now))
	rep.Set("Etag", e.etag)
	rep.Set("Last-Modified", e.lastModified)
	rep.Set("Accept-Ranges", s.headers.acceptBytes)
	rep.Status = e.check.check(req)
	switch rep.Status {
	case http.StatusNotModified:
		return
	case http.StatusPreconditionFailed:
		s.refuse(rep, rep.Status, s.headers.brief, "the segment is another one")
		return
	}
	if part, length, ok := s.cut(req, rep, e); ok {
		rep.Set("Content-Type", s.headers.media[e.seg.Suffix])
		rep.Set("Content-Length", length)
		s.fill(req, rep, st, snap.gen, e, part)
	}
}

// refuseSegment says why there is no segment.
func (s *Server) refuseSegment(rep *http1.Reply, st *Stream, sequence uint64, why found) {
	n := strconv.FormatUint(sequence, 10)
	switch why {
	case foundFuture:
		s.refuse(rep, http.StatusNotFound, s.headers.brief, "segment "+n+" is not there yet")
	case foundExpired:
		s.refuse(rep, http.StatusGone, s.headers.minute, "segment "+n+" has expired")
	case foundGap:
		s.refuse(rep, http.StatusNotFound, s.headers.minute, "there is no media for the time of segment "+n)
	default:
		s.refuse(rep, http.StatusNotFound, s.headers.brief, "stream "+st.Name()+" has no such segment")
	}
}

// cut says which part of a segment was asked for, and how long it is as a
// header value. It reports false if there is no such part, and says so.
func (s *Server) cut(req *http1.Request, rep *http1.Reply, e *entry) (part byteRange, length []string, ok bool) {
	whole := byteRange{0, e.seg.Size}
	asked := req.Get(http1.Range)
	if asked == "" || req.Head || !e.check.allowsRange(req) {
		return whole, e.length, true
	}
	part, result := parseRange(asked, e.seg.Size)
	switch result {
	case rangeUnsatisfiable:
		s.refuse(rep, http.StatusRequestedRangeNotSatisfiable, s.headers.brief, "the range lies outside of the segment")
		rep.Set("Content-Range", []string{fmt.Sprintf("bytes */%d", e.seg.Size)})
		return part, nil, false
	case rangePartial:
		rep.Status = http.StatusPartialContent
		rep.Set("Content-Range", []string{fmt.Sprintf("bytes %d-%d/%d", part.start, part.start+part.length-1, e.seg.Size)})
		return part, []string{strconv.FormatInt(part.length, 10)}, true
	}
	return whole, e.length, true
}

// fill makes a part of a segment the body.
func (s *Server) fill(req *http1.Request, rep *http1.Reply, st *Stream, gen uint64, e *entry, part byteRange) {
	if !req.Head && e.stored.Load() && st.cfg.Store != nil {
		if file := s.openSegment(st, gen, e, part.start); file != nil {
			rep.SetFile(file, part.length)
			return
		}
	}
	if !req.Head && e.data == nil {
		s.counts.lost.Add(1)
		rep.Delete("Content-Range")
		s.refuse(rep, http.StatusNotFound, s.headers.brief, "the segment cannot be read from the store")
		return
	}
	rep.SetSlices(e.data, part.start, part.length)
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
