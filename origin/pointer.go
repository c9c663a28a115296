package origin

import (
	"net/http"
	"strconv"
	"time"

	"headwater/playlist"
)

// servePointer answers for the small files that players open to find the
// continuous audio. They hold a whole URL, which only the request can tell;
// so they are not for shared caches.
func (s *Server) servePointer(w http.ResponseWriter, r *http.Request, st *Stream, rt route) (int, int64) {
	program := st.source()
	if program == nil {
		return s.fail(w, r, http.StatusServiceUnavailable, s.headers.noStore, st.reason(time.Now())), 0
	}
	front := "/"
	if rt.token != "" {
		front = tokenPrefix + rt.token + "/"
	}
	target := mountURL(r, front+st.Name()+outputSuffix(program))
	if r.URL.RawQuery != "" { // a token, or how it is to be sent
		target += "?" + r.URL.RawQuery
	}
	p := playlist.Pointer{URL: target, Title: st.station.Load().name}
	form := s.headers.pointers[rt.suffix]
	body, err := form.write(p, nil)
	if err != nil {
		return s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "the request does not say by which host name it came"), 0
	}
	h := w.Header()
	h["Content-Type"] = form.contentType
	h["Cache-Control"] = s.headers.noStore
	h["Content-Disposition"] = form.disposition
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return http.StatusOK, 0
	}
	n, _ := w.Write(body)
	return http.StatusOK, int64(n)
}

// pointerForm is one of the formats of a pointer.
type pointerForm struct {
	contentType []string
	disposition []string
	write       func(playlist.Pointer, []byte) ([]byte, error)
}

func newPointerForms() map[string]pointerForm {
	form := func(contentType, file string, write func(playlist.Pointer, []byte) ([]byte, error)) pointerForm {
		return pointerForm{[]string{contentType}, []string{`attachment; filename="` + file + `"`}, write}
	}
	return map[string]pointerForm{
		".m3u":  form("audio/x-mpegurl", "listen.m3u", playlist.Pointer.AppendM3U),
		".pls":  form("audio/x-scpls", "listen.pls", playlist.Pointer.AppendPLS),
		".xspf": form("application/xspf+xml", "listen.xspf", playlist.Pointer.AppendXSPF),
	}
}
