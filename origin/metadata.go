package origin

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"headwater/mux"
)

const (
	// maxMetadataBody bounds a form that sets a title. Longer titles than are
	// kept are cut, not refused.
	maxMetadataBody = 256 << 10
	// kindSHOUTcast is the kind of sources that speak SHOUTcast's own protocol.
	kindSHOUTcast = "shoutcast"
)

// setMetadata sets the title of a mount as Icecast does: song, or artist and
// title, with url beside them (hls-rules F14).
func (s icecast) setMetadata(w http.ResponseWriter, r *http.Request, st *Stream) {
	q := formOf(w, r)
	if mode := q.Get("mode"); mode != "updinfo" {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "there is no mode "+quoted(mode)+": titles are set by mode=updinfo")
		return
	}
	t, ok := titleOf(q)
	if !ok {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "the parameter song is missing, or artist and title")
		return
	}
	st.SetTitle(t, time.Now())
	s.respond(w, r, "Metadata update successful", true)
}

// adminCGI sets the title as SHOUTcast does, where the password is a parameter
// (hls-rules F15). No client looks at what it is told.
func (s icecast) adminCGI(w http.ResponseWriter, r *http.Request) {
	q := formOf(w, r)
	st := s.mountStream(q.Get("mount"))
	if st == nil && q.Get("mount") == "" {
		st = s.shoutcastStream(r.RemoteAddr)
	}
	password := q.Get("pass")
	name := ""
	if st != nil {
		name = st.Name()
	}
	g, ctx := s.cfg.Guard, r.Context()
	if g == nil || password == "" || !g.Source(ctx, name, "source", password, r.RemoteAddr) && !g.Admin(ctx, adminUser, password, r.RemoteAddr) {
		s.challenge(w, r)
		return
	}
	if st == nil {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "it cannot be told which stream is meant: add mount=/NAME")
		return
	}
	t, ok := titleOf(q)
	if !ok || q.Get("mode") != "updinfo" {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "titles are set by mode=updinfo&song=TITLE")
		return
	}
	st.SetTitle(t, time.Now())
	s.say(w, r, "OK")
}

// shoutcastStream returns the stream that somebody at remote means who names
// none: the one to which a SHOUTcast source at the same address sends, or the
// only one that there is; else nil.
func (s *Server) shoutcastStream(remote string) *Stream {
	streams := s.Streams()
	if len(streams) == 1 {
		return streams[0]
	}
	var found *Stream
	for _, st := range streams {
		info, held := st.Holder()
		if !held || info.Kind != kindSHOUTcast || !sameHost(info.Remote, remote) {
			continue
		}
		if found != nil {
			return nil
		}
		found = st
	}
	return found
}

// sameHost reports whether two addresses, host:port, are of one host.
func sameHost(a, b string) bool {
	x, errX := netip.ParseAddrPort(a)
	y, errY := netip.ParseAddrPort(b)
	return errX == nil && errY == nil && x.Addr().Unmap() == y.Addr().Unmap()
}

// titleOf returns the title that parameters hold, and false if they hold none.
// An empty one counts: nothing is played that has a name.
func titleOf(q url.Values) (t mux.Title, ok bool) {
	text := func(key string) string {
		return mux.CleanText(mux.DecodeText(q.Get("charset"), q.Get(key)))
	}
	t = mux.Title{Artist: text("artist"), Name: text("title")}
	if q.Has("song") && t == (mux.Title{}) {
		t = mux.ParseTitle(text("song"))
	}
	t.URL = text("url")
	return t, q.Has("song") || q.Has("title") || q.Has("artist")
}

// formOf returns the parameters of a request, in its URL or in the form that it
// posts. Unlike package net/url it takes what is not escaped as it should be:
// titles of old programs hold lone percent signs and semicolons.
func formOf(w http.ResponseWriter, r *http.Request) url.Values {
	q := url.Values{}
	addForm(q, r.URL.RawQuery)
	if r.Method == http.MethodPost {
		var body strings.Builder
		buf := make([]byte, 4096)
		for reader := http.MaxBytesReader(w, r.Body, maxMetadataBody); ; {
			n, err := reader.Read(buf)
			body.Write(buf[:n])
			if err != nil { // what came of a form that is too long will do
				break
			}
		}
		addForm(q, body.String())
	}
	return q
}

// addForm adds the parameters of a query.
func addForm(q url.Values, query string) {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if key = unescape(key); key != "" && len(q) < 64 {
			q.Add(key, unescape(value))
		}
	}
}

// unescape resolves the escapes of a query, and leaves what is none.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '+':
			b.WriteByte(' ')
		case c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]):
			b.WriteByte(fromHex(text[i+1])<<4 | fromHex(text[i+2]))
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func fromHex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
