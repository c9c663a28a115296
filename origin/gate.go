package origin

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"headwater/origin/http1"
)

// Gate says who may listen to a stream. It is safe for concurrent use. A stream
// without one is everybody's.
type Gate interface {
	// Enter reports whether who asks may. It is asked for each playlist and
	// segment, and once for a listener of the continuous outputs.
	Enter(ctx context.Context, v *Visitor) Verdict
	// Leave tells that a listener of the continuous outputs, whom Enter let in,
	// has gone. It must not wait.
	Leave(v *Visitor, listened time.Duration)
}

// Visitor is who asks for a stream, or for a part of it.
type Visitor struct {
	Streams        []string // the stream, then the groups that it belongs to
	ID             uint64   // of a listener of the continuous outputs; 0: it is HLS
	Mount          string   // the path that was asked for, with its query, without a token in front
	User, Password string   // by Basic authentication (RFC 7617); empty: none
	Token          string   // in front of the path, or in the query; empty: none
	Remote         netip.AddrPort
	Agent          string
	Listeners      int64 // of the stream, with this one
}

// Verdict is the answer of a [Gate].
type Verdict struct {
	Allowed bool
	// Limit is how long a listener of the continuous outputs may stay; 0: as
	// long as it likes. Without Allowed it says nothing.
	Limit time.Duration

	Message   string // why it may not, a sentence
	Challenge bool   // a password would help
	Location  string // it is sent there instead, if that is not empty
}

// tokenPrefix is in front of the token in front of the path of a stream. Players
// keep what is there for all that a playlist names.
const tokenPrefix = "/t/"

// cutToken takes the token off a path that begins with one.
func cutToken(path string) (token, rest string) {
	if below, ok := strings.CutPrefix(path, tokenPrefix); ok {
		if i := strings.IndexByte(below, '/'); i > 0 {
			return below[:i], below[i:]
		}
	}
	return "", path
}

// visitor returns who asks for something of a stream.
func (s *Server) visitor(req *http1.Request, st *Stream, rt route) *Visitor {
	v := &Visitor{
		Streams: []string{st.Name()}, Token: rt.token, Remote: s.client(req),
		Agent: cut(req.Get(http1.UserAgent), maxAgent), Listeners: st.audience.now.Load(),
	}
	for name, g := range *s.groups.Load() {
		if slices.Contains(g.members, st) {
			v.Streams = append(v.Streams, name)
		}
	}
	_, v.Mount = cutToken(req.Path)
	if req.Query != "" {
		v.Mount += "?" + req.Query
		if q, err := url.ParseQuery(req.Query); err == nil && v.Token == "" {
			v.Token = q.Get("token")
		}
	}
	if text, ok := cutScheme(req.Get(http1.Authorization), "Basic"); ok {
		if plain, err := base64.StdEncoding.DecodeString(text); err == nil {
			v.User, v.Password, _ = strings.Cut(string(plain), ":")
		}
	}
	return v
}

// cutScheme returns what follows a scheme of authentication (RFC 9110 §11.4).
func cutScheme(field, scheme string) (rest string, ok bool) {
	if len(field) <= len(scheme) || !strings.EqualFold(field[:len(scheme)], scheme) || field[len(scheme)] != ' ' {
		return "", false
	}
	return strings.TrimSpace(field[len(scheme):]), true
}

// passes reports whether who asks for a playlist or a segment may have it. If
// not, it has been answered.
func (s *Server) passes(req *http1.Request, rep *http1.Reply, st *Stream, rt route) bool {
	verdict := st.cfg.Gate.Enter(context.Background(), s.visitor(req, st, rt))
	if !verdict.Allowed {
		s.counts.strangers.Add(1)
		s.turnAway(rep, &verdict)
	}
	return verdict.Allowed
}

// turnAway answers who may not listen.
func (s *Server) turnAway(rep *http1.Reply, v *Verdict) {
	status, sentence := http.StatusForbidden, v.Message
	switch {
	case v.Location != "":
		status, sentence = http.StatusFound, "this is at another address"
		rep.Set("Location", []string{v.Location})
	case v.Challenge:
		status = http.StatusUnauthorized
		rep.Set("Www-Authenticate", s.headers.challenge)
	}
	if sentence == "" {
		sentence = "this stream is not for everybody"
	}
	s.refuse(rep, status, s.headers.noStore, sentence)
}

// confine keeps what only some may have out of shared caches, unless its address
// is known to these alone.
func (s *Server) confine(rep *http1.Reply, rt route) {
	if rt.token != "" || rep.Status >= http.StatusBadRequest {
		return
	}
	rep.Set("Cache-Control", s.headers.private)
}

// carryToken has the URIs of a multivariant playlist carry the token of its
// query in front of their path, where they keep it for all that is below.
func carryToken(rep *http1.Reply, path, query string) {
	q, err := url.ParseQuery(query)
	token := q.Get("token")
	if err != nil || token == "" || rep.Status != http.StatusOK || strings.ContainsFunc(token, notInToken) {
		return
	}
	front := tokenPrefix + token + path[:strings.LastIndexByte(path, '/')+1]
	lines := strings.SplitAfter(string(rep.Text()), "\n")
	for i, line := range lines {
		if tag, uri, ok := strings.Cut(line, `URI="`); ok && line[0] == '#' {
			lines[i] = tag + `URI="` + front + uri
		} else if strings.TrimSpace(line) != "" && line[0] != '#' {
			lines[i] = front + line
		}
	}
	text := []byte(strings.Join(lines, ""))
	rep.Set("Content-Length", []string{strconv.Itoa(len(text))})
	rep.SetText(text)
}

// notInToken reports whether a character is in no token that headwater makes.
func notInToken(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
}
