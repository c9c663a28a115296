package origin

import (
	"cmp"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"headwater/mux"
)

// How Icecast writes times.
const (
	icecastTime    = time.RFC1123Z
	icecastTimeISO = "2006-01-02T15:04:05-0700"
)

// mountStats is a stream as Icecast tells of a mount, its elements in the order
// in which Icecast has them: all as administrators see it, and for everybody
// those with a name in JSON.
type mountStats struct {
	Mount string `xml:"mount,attr" json:"-"`

	fallback string // mount that an operator has set; or empty

	Artist          string `xml:"artist,omitempty" json:"artist,omitempty"`
	AudioInfo       string `xml:"audio_info,omitempty" json:"audio_info,omitempty"`
	Bitrate         int    `xml:"bitrate,omitempty" json:"bitrate,omitempty"` // kbit/s
	Channels        int    `xml:"channels,omitempty" json:"channels,omitempty"`
	Genre           string `xml:"genre,omitempty" json:"genre,omitempty"`
	ListenerPeak    int64  `xml:"listener_peak" json:"listener_peak"`
	Listeners       int64  `xml:"listeners" json:"listeners"`
	ListenURL       string `xml:"listenurl" json:"listenurl"`
	MaxListeners    string `xml:"max_listeners" json:"-"`
	MetadataUpdated string `xml:"metadata_updated,omitempty" json:"-"`
	Public          int    `xml:"public" json:"-"`
	SampleRate      int    `xml:"samplerate,omitempty" json:"samplerate,omitempty"`
	Description     string `xml:"server_description" json:"server_description"`
	Name            string `xml:"server_name,omitempty" json:"server_name,omitempty"`
	Type            string `xml:"server_type" json:"server_type"`
	URL             string `xml:"server_url,omitempty" json:"server_url,omitempty"`
	Slow            uint64 `xml:"slow_listeners" json:"-"`
	SourceIP        string `xml:"source_ip" json:"-"`
	Start           string `xml:"stream_start" json:"stream_start"`
	StartISO        string `xml:"stream_start_iso8601" json:"stream_start_iso8601"`
	Title           string `xml:"title,omitempty" json:"title,omitempty"`
	Read            uint64 `xml:"total_bytes_read" json:"-"`
	Sent            uint64 `xml:"total_bytes_sent" json:"-"`
	Agent           string `xml:"user_agent" json:"-"`
}

// mountURL returns where a request finds a mount.
func mountURL(r *http.Request, mount string) string {
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host + mount
}

// mount returns a stream as a mount of Icecast. It reports false if there is no
// source: Icecast has no mount then. sent is what its listeners have been sent
// who are there.
func (s *Server) mount(st *Stream, r *http.Request, sent int64) (*mountStats, bool) {
	st.mu.Lock()
	f, program := st.feeds[sideMain], st.seg.Status().Program
	if f == nil {
		f = st.feeds[sideStandby]
	}
	if f == nil || program == nil {
		st.mu.Unlock()
		return nil, false
	}
	info, list, in := f.info, st.titles.list(), st.received()
	st.mu.Unlock()

	suffix := outputSuffix(program)
	station := info.Station
	m := &mountStats{
		Mount:     "/" + st.Name() + suffix,
		AudioInfo: station.AudioInfo, Bitrate: station.Bitrate, Genre: station.Genre,
		ListenerPeak: st.audience.peak.Load(), Listeners: st.audience.now.Load(),
		MaxListeners: "unlimited", Description: cmp.Or(station.Description, "Unspecified description"), Name: st.station.Load().name,
		Type: s.headers.media[suffix][0], URL: station.URL, Slow: st.out.moved(), SourceIP: hostOf(info.Remote),
		Start: info.Since.UTC().Format(icecastTime), StartISO: info.Since.UTC().Format(icecastTimeISO),
		Read: in, Sent: uint64(st.audience.sent.Load() + sent), Agent: info.Kind,
	}
	if to := s.fallbackOf(st.Name()); to != "" {
		m.fallback = "/" + to
	}
	m.ListenURL = mountURL(r, m.Mount)
	if station.Public {
		m.Public = 1
	}
	if st.cfg.MaxListeners > 0 {
		m.MaxListeners = strconv.Itoa(st.cfg.MaxListeners)
	}
	if i := firstFramed(program); i >= 0 {
		p := program.Tracks[i].Parameters
		m.Channels, m.SampleRate = p.Channels, p.SampleRate
		m.Bitrate = cmp.Or(m.Bitrate, int((st.out.sound[ModeNormal].Rate()+500)/1000))
	}
	if n := len(list); n > 0 {
		m.setTitle(&list[n-1], suffix)
	}
	return m, true
}

// setTitle says what is played. As with Icecast the artist stands apart where
// the format has it apart, in Ogg; else the title is the whole text.
func (m *mountStats) setTitle(t *PlayedTitle, suffix string) {
	m.MetadataUpdated = t.Arrived.UTC().Format(icecastTime)
	if suffix == ".ogg" {
		m.Artist, m.Title = t.Artist, t.Name
		return
	}
	m.Title = t.String()
}

// outputSuffix returns the suffix of the continuous output that most players
// ask for: its sound, else all of it.
func outputSuffix(p *mux.Program) string {
	if i := firstFramed(p); i >= 0 {
		return cmp.Or(suffixOf(p.Tracks[i].Codec), ".ts")
	}
	return ".ts"
}

// Bytes returns how many bytes the sources of a stream have sent so far, which
// is exact once they have gone and a second old before, and how many the
// listeners of its continuous outputs were sent.
func (s *Server) Bytes(st *Stream) (in uint64, out int64) {
	out = st.audience.sent.Load()
	for _, l := range s.listeners.of(st) {
		out += l.Sent()
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.received(), out
}

// received returns how many bytes the sources have sent. The caller holds s.mu.
func (s *Stream) received() uint64 {
	n := s.audience.received.Load()
	for _, f := range s.feeds {
		if f != nil {
			n += f.stats.Bytes
		}
	}
	return n
}

// hostOf returns the address in host:port.
func hostOf(remote string) string {
	if addr, err := netip.ParseAddrPort(remote); err == nil {
		return addr.Addr().Unmap().String()
	}
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

// mountStream returns the stream of a mount: its name, with a slash in front
// and a suffix behind it or without. It returns nil if there is none.
func (s *Server) mountStream(mount string) *Stream {
	name := strings.TrimPrefix(mount, "/")
	if st := s.lookup(name); st != nil {
		return st
	}
	if dot := strings.LastIndexByte(name, '.'); dot > 0 && s.headers.media[name[dot:]] != nil {
		return s.lookup(name[:dot])
	}
	return nil
}
