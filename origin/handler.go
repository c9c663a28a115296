package origin

import (
	"io"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// ServeHTTP answers a request. Playlists and segments are found without the
// router: they are what is asked for all the time.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.headers.setCommon(w.Header())
	rt := route{}
	defer func() { s.recover(w, r, recover()) }()
	if r.ContentLength != 0 {
		s.refuseBody(w)
	}
	if n := s.counts.inFlight.Add(1); n > int64(s.cfg.MaxRequests) {
		s.counts.inFlight.Add(-1)
		s.counts.refused.Add(1)
		s.count(kindOther, s.fail(w, r, http.StatusServiceUnavailable, s.headers.brief, "the server has as many requests as it can take"), 0)
		return
	}
	defer s.counts.inFlight.Add(-1)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		w.Header()["Allow"] = s.headers.allow
		w.Header()["Cache-Control"] = s.headers.noStore
		w.WriteHeader(http.StatusNoContent)
		s.count(kindOther, http.StatusNoContent, 0)
		return
	default:
		w.Header()["Allow"] = s.headers.allow
		s.count(kindOther, s.fail(w, r, http.StatusMethodNotAllowed, s.headers.noStore, "only GET, HEAD and OPTIONS are answered here"), 0)
		return
	}
	if !reserved(r.URL.Path) {
		rt = parseRoute(r.URL.Path, s.known)
	}
	status, bytes := s.serve(w, r, rt)
	s.count(rt.kind, status, bytes)
}

// refuseBody keeps net/http from waiting for a body, which no resource takes:
// it would do so before it answers, and as long as the client likes.
func (s *Server) refuseBody(w http.ResponseWriter) {
	w.Header()["Connection"] = s.headers.closing
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(headerTimeout)) // only a test's writer cannot
}

// reserved reports whether the first segment of a path can be no stream's.
func reserved(path string) bool {
	head, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch head {
	case "", "api", "admin", "metrics", "healthz", "web", "status-json.xsl":
		return true
	}
	return false
}

// serve answers the request for a route, and returns what was answered: the
// status, and how many bytes of body.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) (status int, bytes int64) {
	if rt.kind == kindOther {
		return s.serveOther(w, r)
	}
	st := s.lookup(rt.stream)
	if st == nil {
		return s.fail(w, r, http.StatusNotFound, s.headers.brief, "there is no stream "+quoted(rt.stream)), 0
	}
	switch rt.kind {
	case kindMultivariant, kindMedia:
		return s.servePlaylist(w, r, st, rt)
	case kindSegment:
		return s.serveSegment(w, r, st, rt)
	case kindContinuous:
		return s.serveContinuous(w, r, st, rt.suffix)
	case kindPointer:
		return s.servePointer(w, r, st, rt.suffix)
	case kindReady:
		return s.serveReady(w, r, st)
	}
	return s.serveStream(w, r, st)
}

// fail answers with a status and one plain sentence, and returns the status.
// Nothing that was said about the resource itself holds for the sentence.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, cacheControl []string, sentence string) int {
	h := w.Header()
	delete(h, "Etag")
	delete(h, "Last-Modified")
	if status != http.StatusRequestedRangeNotSatisfiable {
		delete(h, "Content-Range")
	}
	h["Content-Type"] = s.headers.text
	h["Cache-Control"] = cacheControl
	h["Content-Length"] = []string{strconv.Itoa(len(sentence) + 1)}
	if status == http.StatusServiceUnavailable {
		h["Retry-After"] = s.headers.retry
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		io.WriteString(w, sentence+"\n") // a client that went away is no fault
	}
	return status
}

// quoted makes a name that a client sent safe to show in a sentence.
func quoted(name string) string {
	const most = 80
	if len(name) > most {
		name = name[:most] + "…"
	}
	return strconv.Quote(name)
}

func (s *Server) count(k kind, status int, bytes int64) {
	s.counts.requests[k][statusIndex(status)].Add(1)
	s.counts.bytes[k].Add(uint64(bytes))
}

// recover ends a request whose handler panicked: the client must not take a
// cut-off body for a whole one.
func (s *Server) recover(w http.ResponseWriter, r *http.Request, fault any) {
	if fault == nil {
		return
	}
	if fault != http.ErrAbortHandler {
		s.counts.panics.Add(1)
		s.log.Error("request failed by a fault in headwater: please report it", "path", r.URL.Path, "error", fault, "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}

// servePlaylist answers for a multivariant or media playlist.
func (s *Server) servePlaylist(w http.ResponseWriter, r *http.Request, st *Stream, rt route) (int, int64) {
	snap := st.snapshot.Load()
	if !st.fresh(snap, time.Now()) {
		return s.fail(w, r, http.StatusServiceUnavailable, s.headers.brief, st.reason(time.Now())), 0
	}
	d := snap.multivariant
	if rt.kind == kindMedia {
		v := snap.rendition(rt.rendition)
		if v == nil {
			return s.fail(w, r, http.StatusNotFound, s.headers.brief, "stream "+st.Name()+" has no rendition "+quoted(rt.rendition)), 0
		}
		d = v.playlist
	}
	return s.serveDocument(w, r, d)
}

// serveDocument sends a playlist in the form that the client can read. It
// allocates nothing.
func (s *Server) serveDocument(w http.ResponseWriter, r *http.Request, d *document) (int, int64) {
	f := &d.plain
	if acceptsGzip(r.Header["Accept-Encoding"]) {
		f = &d.zipped
	}
	h := w.Header()
	h["Cache-Control"] = d.cacheControl
	h["Etag"] = f.etag
	h["Last-Modified"] = d.lastModified
	h["Vary"] = s.headers.varyEncoding
	status := validator{f.etag[0], d.modified}.check(r.Header)
	switch status {
	case http.StatusNotModified:
		w.WriteHeader(status)
		return status, 0
	case http.StatusPreconditionFailed:
		return s.fail(w, r, status, s.headers.brief, "the playlist is another one by now"), 0
	}
	h["Content-Type"] = s.headers.playlist
	h["Content-Length"] = f.length
	if f.encoding != nil {
		h["Content-Encoding"] = f.encoding
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return status, 0
	}
	n, _ := w.Write(f.body) // a client that went away is no fault
	return status, int64(n)
}
