package origin

import (
	"net/http"
	"time"

	"headwater/origin/http1"
)

// answerPlaylist answers for a multivariant or media playlist. It allocates
// nothing.
func (s *Server) answerPlaylist(req *http1.Request, rep *http1.Reply, st *Stream, rt route) {
	snap := st.snapshot.Load()
	if !st.fresh(snap, time.Now()) {
		status := http.StatusServiceUnavailable
		if st.continues(time.Now()) { // and will not be cut
			status = http.StatusNotFound
		}
		s.refuse(rep, status, s.headers.brief, st.reason(time.Now()))
		return
	}
	d := snap.multivariant
	if rt.kind == kindMedia {
		v := snap.rendition(rt.rendition)
		if v == nil {
			s.refuse(rep, http.StatusNotFound, s.headers.brief, "stream "+st.Name()+" has no rendition "+quoted(rt.rendition))
			return
		}
		d = v.playlist
	}
	s.answerDocument(req, rep, d)
}

// answerDocument answers with a playlist in the form that the client can read.
func (s *Server) answerDocument(req *http1.Request, rep *http1.Reply, d *document) {
	f := &d.plain
	if acceptsGzip(req.Get(http1.AcceptEncoding)) {
		f = d.zipped()
	}
	rep.Set("Cache-Control", d.cacheControl)
	rep.Set("Etag", f.etag)
	rep.Set("Last-Modified", d.lastModified)
	rep.Set("Vary", s.headers.varyEncoding)
	rep.Status = validator{f.etag[0], d.modified}.check(req)
	switch rep.Status {
	case http.StatusNotModified:
		return
	case http.StatusPreconditionFailed:
		s.refuse(rep, rep.Status, s.headers.brief, "the playlist is another one by now")
		return
	}
	rep.Set("Content-Type", s.headers.playlist)
	rep.Set("Content-Length", f.length)
	if f.encoding != nil {
		rep.Set("Content-Encoding", f.encoding)
	}
	rep.SetText(f.body)
}
