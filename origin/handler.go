package origin

import (
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"headwater/origin/http1"
)

// Answer answers a request for media: that is what is asked for all the time,
// and its answers are ready. It is for package http1.
func (s *Server) Answer(req *http1.Request, rep *http1.Reply) bool {
	rt := s.route(req.Path)
	if !s.answers(rt, req) {
		return false
	}
	rep.Tag = int(rt.kind)
	if !s.enter() {
		s.refuse(rep, http.StatusServiceUnavailable, s.headers.brief, busySentence)
		return true
	}
	if l := s.answer(req, rep, rt); l.tail != nil {
		s.fanOut(req, rep, l)
	}
	return true
}

// answers reports whether answer has the answer to a request.
func (s *Server) answers(rt route, req *http1.Request) bool {
	switch rt.kind {
	case kindMultivariant, kindMedia, kindSegment, kindContinuous:
		return true
	case kindStream: // a browser gets a page
		return s.cfg.Pages == nil || !strings.Contains(req.Get(http1.Accept), "text/html")
	}
	return false
}

// Sent counts what Answer answered.
func (s *Server) Sent(_ *http1.Request, rep *http1.Reply, n int64) {
	s.counts.inFlight.Add(-1)
	s.count(kind(rep.Tag), rep.Status, n)
}

// answer fills rep. If the body has no end it is the tail of what is returned.
func (s *Server) answer(req *http1.Request, rep *http1.Reply, rt route) listen {
	if rt.kind == kindMultivariant && rt.token == "" && strings.Contains(req.Query, "token=") {
		plain := *req
		plain.Fields[http1.AcceptEncoding] = ""
		l := s.answerAny(&plain, rep, rt)
		carryToken(rep, req.Path, req.Query)
		return l
	}
	return s.answerAny(req, rep, rt)
}

// answerAny fills rep. If the body has no end it is the tail of what is returned.
func (s *Server) answerAny(req *http1.Request, rep *http1.Reply, rt route) listen {
	st := s.lookup(rt.stream)
	if g := s.group(rt.stream); g != nil && rt.kind == kindMultivariant {
		s.answerGroup(req, rep, g)
		return listen{}
	}
	if st == nil {
		s.refuse(rep, http.StatusNotFound, s.headers.brief, "there is no stream "+quoted(rt.stream))
		return listen{}
	}
	if st.cfg.Gate != nil {
		hls := rt.kind == kindSegment || rt.kind == kindMultivariant || rt.kind == kindMedia
		ask := hls || req.Head && st.cfg.OnDemand // for a listener it is asked when that is counted
		if ask && !s.passes(req, rep, st, rt) {
			return listen{}
		}
		if hls {
			defer s.confine(rep, rt)
		}
	}
	if rt.kind == kindContinuous || rt.kind == kindStream {
		return s.answerContinuous(req, rep, st, rt)
	}
	st.share.asked.Add(1)
	if rt.kind == kindSegment {
		s.answerSegment(req, rep, st, rt)
	} else {
		s.answerPlaylist(req, rep, st, rt)
	}
	return listen{}
}

// ServeHTTP answers what package http1 does not: other resources, and requests
// of any kind over TLS and HTTP/2.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.headers.setCommon(w.Header())
	defer func() { s.recover(r.URL.Path, recover()) }()
	if r.ContentLength != 0 && r.ProtoMajor < 2 { // a stream of HTTP/2 ends with its answer
		s.refuseBody(w)
	}
	defer s.counts.inFlight.Add(-1)
	if !s.enter() {
		s.count(kindOther, s.fail(w, r, http.StatusServiceUnavailable, s.headers.brief, busySentence), 0)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		w.Header()["Allow"] = s.headers.allow
		w.Header()["Cache-Control"] = s.headers.noStore
		w.WriteHeader(http.StatusNoContent)
		s.count(kindOther, http.StatusNoContent, 0)
		return
	default:
		if reserved(r.URL.Path) { // a few resources there take more
			status, bytes := s.serveOther(w, r)
			s.count(kindOther, status, bytes)
			return
		}
		s.count(kindOther, s.failMethod(w, r), 0)
		return
	}
	rt, req := s.route(r.URL.Path), http1.From(r)
	if !s.answers(rt, &req) {
		status, bytes := s.serve(w, r, rt)
		s.count(rt.kind, status, bytes)
		return
	}
	var rep http1.Reply
	l := s.answer(&req, &rep, rt)
	if l.tail != nil && !l.tail.Packets() && r.ProtoMajor == 1 {
		w.Header()["Transfer-Encoding"] = s.headers.identity // radios break on chunks (hls-rules F07)
	}
	n := rep.WriteTo(w, req.Head)
	s.count(rt.kind, rep.Status, n)
	if l.tail != nil {
		s.copyTail(w, r, req.Conn, l)
	}
	if !req.Head && n < rep.Length() {
		panic(http.ErrAbortHandler) // the client must not take it for the whole (hls-rules D19)
	}
}

// enter counts a request that is in flight from now on, and reports whether it
// is within the limit. It is out of flight when inFlight is reduced.
func (s *Server) enter() bool {
	if s.counts.inFlight.Add(1) <= int64(s.cfg.MaxRequests) {
		return true
	}
	s.counts.refused.Add(1)
	return false
}

const busySentence = "the server has as many requests as it can take"

// refuseBody keeps net/http from waiting for a body, which no resource takes:
// it would do so before it answers, and as long as the client likes.
func (s *Server) refuseBody(w http.ResponseWriter) {
	w.Header()["Connection"] = s.headers.closing
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // only a test's writer cannot
}

// route says what a path names.
func (s *Server) route(path string) route {
	token, path := cutToken(path)
	if reserved(path) {
		return route{}
	}
	rt := parseRoute(path, s.known)
	rt.token = token
	return rt
}

// reserved reports whether the first segment of a path can be no stream's.
func reserved(path string) bool {
	head, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch head {
	case "", "api", "admin", "admin.cgi", "t", "metrics", "healthz", "web", "status-json.xsl":
		return true
	}
	return false
}

// serve answers what answer does not. It returns what was answered: the status,
// and how many bytes of body.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, rt route) (status int, bytes int64) {
	if rt.kind == kindOther {
		return s.serveOther(w, r)
	}
	st := s.lookup(rt.stream)
	if st == nil {
		return s.fail(w, r, http.StatusNotFound, s.headers.brief, "there is no stream "+quoted(rt.stream)), 0
	}
	switch rt.kind {
	case kindPointer:
		return s.servePointer(w, r, st, rt)
	case kindReady:
		return s.serveReady(w, r, st)
	}
	w.Header()["Vary"] = s.headers.varyAccept
	return s.servePage(w, r)
}

// refuse answers with a status and one plain sentence. Nothing that was said
// about the resource itself holds for the sentence.
func (s *Server) refuse(rep *http1.Reply, status int, cacheControl []string, sentence string) {
	rep.Delete("Etag")
	rep.Delete("Last-Modified")
	rep.Status = status
	rep.Set("Content-Type", s.headers.text)
	rep.Set("Cache-Control", cacheControl)
	rep.Set("Content-Length", []string{strconv.Itoa(len(sentence) + 1)})
	if status == http.StatusServiceUnavailable {
		rep.Set("Retry-After", s.headers.retry)
	}
	rep.SetText([]byte(sentence + "\n"))
}

// fail is refuse for net/http. It returns the status.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, cacheControl []string, sentence string) int {
	var rep http1.Reply
	s.refuse(&rep, status, cacheControl, sentence)
	rep.WriteTo(w, r.Method == http.MethodHead)
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

// failMethod answers a method that a resource does not take. It returns the status.
func (s *Server) failMethod(w http.ResponseWriter, r *http.Request) int {
	w.Header()["Allow"] = s.headers.allow
	return s.fail(w, r, http.StatusMethodNotAllowed, s.headers.noStore, "only GET, HEAD and OPTIONS are answered here")
}

func (s *Server) count(k kind, status int, bytes int64) {
	s.counts.requests[k][statusIndex(status)].Add(1)
	s.counts.bytes[k].Add(uint64(bytes))
}

// recover ends a request of net/http whose handler panicked: the client must
// not take a cut-off body for a whole one.
func (s *Server) recover(path string, fault any) {
	if fault == nil {
		return
	}
	if fault != http.ErrAbortHandler {
		s.panicked(path, fault)
	}
	panic(http.ErrAbortHandler)
}

func (s *Server) panicked(path string, fault any) {
	s.counts.panics.Add(1)
	s.log.Error("request failed by a fault in headwater: please report it", "path", path, "error", fault, "stack", string(debug.Stack()))
}
