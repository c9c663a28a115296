package origin

import (
	"encoding/json"
	"encoding/xml"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
)

// icecast answers as Icecast 2.4 does, for the programs that watch and control
// one: the same paths, parameters and elements. A mount is a stream; where one
// is named the password of its source will do, else it takes that of the
// administrator.
type icecast struct{ *Server }

func (s icecast) routes(r chi.Router) {
	r.Get("/admin.cgi", s.adminCGI)
	r.Post("/admin.cgi", s.adminCGI)
	r.Get("/status-json.xsl", s.statusJSON)
	for command, handle := range map[string]http.HandlerFunc{
		"stats":          s.stats,
		"listmounts":     s.listMounts,
		"streamlist.txt": s.streamList,
	} {
		r.Get("/admin/"+command, func(w http.ResponseWriter, r *http.Request) {
			if s.mayAdminister(w, r) {
				handle(w, r)
			}
		})
	}
	for command, handle := range map[string]func(http.ResponseWriter, *http.Request, *Stream){
		"listclients": s.listClients,
		"moveclients": s.moveClients,
		"killclient":  s.killClient,
		"killsource":  s.killSource,
		"fallbacks":   s.setFallback, // as Icecast 2.4 calls it
		"fallback":    s.setFallback, // and Icecast-KH
		"metadata":    s.setMetadata,
	} {
		scoped := func(w http.ResponseWriter, r *http.Request) { s.withMount(w, r, handle) }
		r.Get("/admin/"+command, scoped)
		r.Post("/admin/"+command, scoped)
	}
}

// withMount calls handle with the stream that a request names, if whoever asks
// may control it.
func (s icecast) withMount(w http.ResponseWriter, r *http.Request, handle func(http.ResponseWriter, *http.Request, *Stream)) {
	mount := r.URL.Query().Get("mount")
	st := s.mountStream(mount)
	if st == nil {
		if s.mayAdminister(w, r) {
			sentence := "there is no mount " + quoted(mount)
			if mount == "" {
				sentence = "the parameter mount is missing"
			}
			s.fail(w, r, http.StatusBadRequest, s.headers.noStore, sentence)
		}
		return
	}
	if s.maySource(w, r, st.Name()) {
		handle(w, r, st)
	}
}

// serverStats is what Icecast tells of itself.
type serverStats struct {
	XMLName     xml.Name      `xml:"icestats"`
	Admin       string        `xml:"admin"`
	Asked       uint64        `xml:"client_connections"`
	Clients     int64         `xml:"clients"`
	Connections uint64        `xml:"connections"`
	Files       int           `xml:"file_connections"` // there are none
	Host        string        `xml:"host"`
	Listened    uint64        `xml:"listener_connections"`
	Listeners   int64         `xml:"listeners"`
	Location    string        `xml:"location"`
	ID          string        `xml:"server_id"`
	Start       string        `xml:"server_start"`
	StartISO    string        `xml:"server_start_iso8601"`
	SourceCame  uint64        `xml:"source_client_connections"`
	Relays      int           `xml:"source_relay_connections"` // not told apart
	SourceTotal uint64        `xml:"source_total_connections"`
	Sources     int           `xml:"sources"`
	Stats       int           `xml:"stats"` // there are none
	StatsCame   int           `xml:"stats_connections"`
	List        []*mountStats `xml:"source"`
}

// collect returns what there is to tell; of one mount only if only is not nil.
func (s icecast) collect(r *http.Request, only *Stream) serverStats {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	out := serverStats{
		Host: host, ID: strings.TrimSpace("headwater " + s.cfg.Version),
		Clients:   s.counts.listeners.Load() + s.counts.inFlight.Load(),
		Listeners: s.counts.listeners.Load(), Listened: s.listeners.came(),
		Start: s.started.UTC().Format(icecastTime), StartISO: s.started.UTC().Format(icecastTimeISO),
	}
	for k := range kinds {
		for i := range statuses {
			out.Asked += s.counts.requests[k][i].Load()
		}
	}
	sent := s.listeners.sent()
	for _, st := range s.Streams() {
		out.SourceTotal += st.audience.sources.Load()
		if m, ok := s.mount(st, r, sent[st]); ok {
			out.Sources++
			if only == nil || only == st {
				out.List = append(out.List, m)
			}
		}
	}
	out.SourceCame, out.Connections = out.SourceTotal, out.Asked+out.SourceTotal
	return out
}

func (s icecast) stats(w http.ResponseWriter, r *http.Request) {
	mount := r.URL.Query().Get("mount")
	only := s.mountStream(mount)
	if mount != "" && only == nil {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "there is no mount "+quoted(mount))
		return
	}
	out := s.collect(r, only)
	if only != nil {
		for _, m := range out.List {
			m.Mount = mount // as the program knows it
		}
	}
	s.writeXML(w, r, out)
}

// statusJSON tells everybody what Icecast does: one source is an object, and
// several are a list.
func (s icecast) statusJSON(w http.ResponseWriter, r *http.Request) {
	all := s.collect(r, nil)
	type public struct {
		Admin    string `json:"admin"`
		Host     string `json:"host"`
		Location string `json:"location"`
		ID       string `json:"server_id"`
		Start    string `json:"server_start"`
		StartISO string `json:"server_start_iso8601"`
		Source   any    `json:"source,omitempty"`
		Dummy    any    `json:"dummy"` // as Icecast has it: null
	}
	out := struct {
		Stats public `json:"icestats"`
	}{public{all.Admin, all.Host, all.Location, all.ID, all.Start, all.StartISO, nil, nil}}
	switch len(all.List) {
	case 0:
	case 1:
		out.Stats.Source = all.List[0]
	default:
		out.Stats.Source = all.List
	}
	s.writeJSON(w, r, out)
}

func (s icecast) listMounts(w http.ResponseWriter, r *http.Request) {
	type source struct {
		Mount     string `xml:"mount,attr"`
		Fallback  string `xml:"fallback"`
		Listeners int64  `xml:"listeners"`
		Connected int64  // seconds
		Type      string `xml:"content-type"`
	}
	out := struct {
		XMLName xml.Name `xml:"icestats"`
		Source  []source `xml:"source"`
	}{}
	for _, m := range s.collect(r, nil).List {
		since, _ := time.Parse(icecastTime, m.Start) // written by us
		out.Source = append(out.Source, source{m.Mount, m.fallback, m.Listeners, int64(time.Since(since).Seconds()), m.Type})
	}
	s.writeXML(w, r, out)
}

// streamList is what relays read: a mount a line.
func (s icecast) streamList(w http.ResponseWriter, r *http.Request) {
	var lines strings.Builder
	for _, m := range s.collect(r, nil).List {
		lines.WriteString(m.Mount + "\r\n")
	}
	s.write(w, r, s.headers.text, []byte(lines.String()))
}

func (s icecast) listClients(w http.ResponseWriter, r *http.Request, st *Stream) {
	type client struct {
		IP, UserAgent string
		Connected     int64  // seconds
		ID            uint64 `xml:"ID"`
	}
	type source struct {
		Mount     string `xml:"mount,attr"`
		Listeners int
		List      []client `xml:"listener"`
	}
	out := struct {
		XMLName xml.Name `xml:"icestats"`
		Source  source   `xml:"source"`
	}{Source: source{Mount: r.URL.Query().Get("mount")}}
	for _, l := range s.listeners.of(st) {
		out.Source.List = append(out.Source.List, client{l.remote.Addr().String(), l.agent.Value(), int64(time.Since(l.since).Seconds()), l.id})
	}
	out.Source.Listeners = len(out.Source.List)
	s.writeXML(w, r, out)
}

// mayOpen reports whether whoever asks may have listeners of another stream hear
// st: the password of that other one opens none that is not everybody's. If it
// does not, it has been answered.
func (s icecast) mayOpen(w http.ResponseWriter, r *http.Request, st *Stream) bool {
	return st.cfg.Gate == nil || s.maySource(w, r, st.Name())
}

func (s icecast) moveClients(w http.ResponseWriter, r *http.Request, st *Stream) {
	from, to := r.URL.Query().Get("mount"), r.URL.Query().Get("destination")
	if to == "" {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "the parameter destination is missing")
		return
	}
	name := to
	if b := s.mountStream(to); b != nil {
		if !s.mayOpen(w, r, b) {
			return
		}
		name = b.Name()
	}
	if _, err := s.MoveListeners(st.Name(), name); err != nil {
		s.respond(w, r, err.Error(), false)
		return
	}
	s.respond(w, r, "Clients moved from "+from+" to "+to, true)
}

func (s icecast) killClient(w http.ResponseWriter, r *http.Request, st *Stream) {
	id, err := strconv.ParseUint(r.URL.Query().Get("id"), 10, 64)
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, "the parameter id is missing, or no number")
		return
	}
	l := s.listeners.find(id)
	if l == nil || l.stream.Load() != st {
		s.respond(w, r, "Client "+strconv.FormatUint(id, 10)+" not found", false)
		return
	}
	l.End()
	s.respond(w, r, "Client "+strconv.FormatUint(id, 10)+" removed", true)
}

func (s icecast) killSource(w http.ResponseWriter, r *http.Request, st *Stream) {
	if !st.EndSource() {
		s.respond(w, r, "the mount has no source that can be ended", false)
		return
	}
	s.respond(w, r, "Source Removed", true)
}

func (s icecast) setFallback(w http.ResponseWriter, r *http.Request, st *Stream) {
	to := r.URL.Query().Get("fallback")
	name := to
	if b := s.mountStream(to); b != nil {
		if !s.mayOpen(w, r, b) {
			return
		}
		name = b.Name()
	}
	if err := s.SetFallback(st.Name(), name); err != nil {
		s.respond(w, r, err.Error(), false)
		return
	}
	s.respond(w, r, "Fallback configured", true)
}

// respond answers whether something was done.
func (s icecast) respond(w http.ResponseWriter, r *http.Request, message string, done bool) {
	out := struct {
		XMLName xml.Name `xml:"iceresponse"`
		Message string   `xml:"message"`
		Return  int      `xml:"return"`
	}{Message: message}
	if done {
		out.Return = 1
	}
	s.writeXML(w, r, out)
}

func (s icecast) writeXML(w http.ResponseWriter, r *http.Request, v any) {
	body, err := xml.Marshal(v)
	if err != nil { // only a type that XML cannot show; a fault of ours
		s.fail(w, r, http.StatusInternalServerError, s.headers.noStore, "the state cannot be written as XML")
		return
	}
	s.write(w, r, s.headers.xml, append([]byte("<?xml version=\"1.0\"?>\n"), body...))
}

// MarshalJSON adds the field that Icecast ends each source with.
func (m *mountStats) MarshalJSON() ([]byte, error) {
	type fields mountStats
	return json.Marshal(struct {
		*fields
		Dummy any `json:"dummy"`
	}{(*fields)(m), nil})
}
