package origin

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"headwater/mux"
	"headwater/segmenter"
)

// StreamState is what the API tells about a stream.
type StreamState struct {
	Name string `json:"name"`
	// State is "waiting", "measuring", "starting", "live", "dead" or "ended", or
	// "continuous": there will be no playlists, but /{stream}.ogg plays.
	State          string           `json:"state"`
	Reason         string           `json:"reason,omitempty"` // why there are no playlists, in a sentence
	Ready          bool             `json:"ready"`            // the live edge is younger than 1.5 target durations
	TargetDuration int              `json:"target_duration"`  // seconds; 0 until it is measured
	Source         *SourceState     `json:"source,omitempty"`
	Standby        *SourceState     `json:"standby,omitempty"`
	OnAir          string           `json:"on_air,omitempty"` // "main" or "standby"
	Program        *ProgramState    `json:"program,omitempty"`
	Title          *TitleState      `json:"title,omitempty"` // the newest
	Notes          []string         `json:"notes"`           // plain sentences about the media
	Renditions     []RenditionState `json:"renditions"`
	Late           uint64           `json:"units_late"`    // too late for their segment
	Dropped        uint64           `json:"units_dropped"` // could not be placed
	Forced         uint64           `json:"forced_cuts"`   // without a keyframe
	Listeners      int64            `json:"listeners"`     // of continuous outputs, now
	Peak           int64            `json:"listener_peak"` // most there were at a time
	Moved          uint64           `json:"listeners_moved"`
	Memory         *StreamMemory    `json:"memory,omitempty"` // nil if memory has no limit
	Missed         uint64           `json:"frames_missed"`    // by listeners in mode live
}

// StreamMemory is what the windows of a stream take of a limited memory.
type StreamMemory struct {
	Held  int64 `json:"held"`            // bytes
	Full  int64 `json:"full"`            // bytes once the windows are as long as configured
	Bound int64 `json:"bound,omitempty"` // bytes that they may be now; 0: as long as configured
}

// SourceState is the source that holds a stream.
type SourceState struct {
	ID         string    `json:"id"`
	Kind       string    `json:"kind"`
	Remote     string    `json:"remote"`
	Since      time.Time `json:"since"`
	Format     string    `json:"format"` // e.g. "MPEG-TS"
	Bytes      uint64    `json:"bytes"`
	Continuity uint64    `json:"continuity_errors"`
	Transport  uint64    `json:"transport_errors"`
	Scrambled  uint64    `json:"scrambled_packets"`
	Skipped    uint64    `json:"skipped_bytes"`
	SyncLosses uint64    `json:"sync_losses"`
	Lead       float64   `json:"lead"` // seconds of sound that came ahead of their time; negative: it is behind
	LastError  string    `json:"last_error,omitempty"`
}

// ProgramState is what a source sends.
type ProgramState struct {
	Number int          `json:"number"`
	Tracks []TrackState `json:"tracks"`
}

// TrackState is one track of a program.
type TrackState struct {
	PID        int     `json:"pid"`
	Codec      string  `json:"codec"`
	Codecs     string  `json:"codecs,omitempty"` // RFC 6381
	Language   string  `json:"language,omitempty"`
	Width      int     `json:"width,omitempty"`
	Height     int     `json:"height,omitempty"`
	FrameRate  float64 `json:"frame_rate,omitempty"`
	SampleRate int     `json:"sample_rate,omitempty"`
	Channels   int     `json:"channels,omitempty"`
}

// RenditionState is one rendition and its window.
type RenditionState struct {
	Name     string              `json:"name"`
	URL      string              `json:"url"`       // of its media playlist, as a path
	First    uint64              `json:"first"`     // sequence number of the first listed segment
	Last     uint64              `json:"last"`      // and of the last; 0 if there is none
	Held     int                 `json:"held"`      // segments that may be asked for, listed or not
	Gaps     int                 `json:"gaps"`      // of the listed ones
	Bytes    int64               `json:"bytes"`     // of all held segments
	Edge     time.Time           `json:"edge"`      // UTC time at which the newest segment ends
	Duration float64             `json:"duration"`  // of the listed segments, in seconds
	Rate     segmenter.Bandwidth `json:"bandwidth"` // as the multivariant playlist says
}

// State returns what the API tells about the stream at now.
func (s *Stream) State(now time.Time) StreamState {
	snap := s.snapshot.Load()
	fresh := s.fresh(snap, now)
	out := StreamState{Name: s.cfg.Name, Listeners: s.audience.now.Load(), Peak: s.audience.peak.Load(), Ready: s.ready(now), Notes: []string{}, Renditions: []RenditionState{}, Moved: s.out.moved(), Missed: s.out.missed()}
	if !fresh {
		out.Reason = s.reason(now)
	}
	s.mu.Lock()
	status := s.seg.Status()
	if f := s.feeds[sideMain]; f != nil {
		out.Source = f.state()
	}
	if f := s.feeds[sideStandby]; f != nil {
		out.Standby = f.state()
	}
	out.OnAir = s.relay.air.String()
	out.Title = s.titles.state()
	s.mu.Unlock()
	out.State = stateName(status.Phase, snap, fresh)
	if !fresh && !snap.ended && out.Ready {
		out.State = "continuous"
	}
	out.TargetDuration = status.Record.TargetDuration
	out.Notes = append(out.Notes, status.Notes...)
	out.Late, out.Dropped, out.Forced = status.Late, status.Dropped, status.Forced
	if fresh && status.Uncut != "" { // else it is the reason
		out.Notes = append(out.Notes, status.Uncut)
	}
	if status.Program != nil {
		out.Program = programState(status.Program)
		out.Notes = append(out.Notes, status.Program.Notes...)
	}
	out.Memory = s.share.state()
	for i := range snap.renditions {
		r := snap.renditions[i].state()
		r.URL = "/" + s.cfg.Name + "/" + r.Name + ".m3u8"
		r.Rate = status.Record.Bandwidth[r.Name]
		out.Renditions = append(out.Renditions, r)
	}
	return out
}

func stateName(phase segmenter.Phase, snap *snapshot, fresh bool) string {
	switch {
	case snap.ended:
		return "ended"
	case fresh:
		return "live"
	case phase == segmenter.PhaseWaiting:
		return "waiting"
	case phase == segmenter.PhaseMeasuring:
		return "measuring"
	case phase == segmenter.PhaseLive && snap.multivariant == nil:
		return "starting"
	}
	return "dead"
}

// state describes the source; the caller holds stream.mu.
func (f *feed) state() *SourceState {
	out := &SourceState{
		ID: f.info.ID, Kind: f.info.Kind, Remote: f.info.Remote, Since: f.info.Since.UTC(), Format: f.format,
		Bytes: f.stats.Bytes, Continuity: f.stats.Continuity, Transport: f.stats.Transport,
		Scrambled: f.stats.Scrambled, Skipped: f.stats.Skipped, SyncLosses: f.stats.SyncLosses,
		Lead: f.stats.Lead.Seconds(),
	}
	if f.stats.LastError != nil {
		out.LastError = f.stats.LastError.Error()
	}
	return out
}

func programState(p *mux.Program) *ProgramState {
	out := &ProgramState{Number: int(p.Number), Tracks: []TrackState{}}
	for i := range p.Tracks {
		t := &p.Tracks[i]
		out.Tracks = append(out.Tracks, TrackState{
			PID: int(t.PID), Codec: t.Codec.String(), Codecs: t.Parameters.CodecString, Language: t.Language,
			Width: t.Parameters.Width, Height: t.Parameters.Height, FrameRate: frameRate(t.Parameters, 0),
			SampleRate: t.Parameters.SampleRate, Channels: t.Parameters.Channels,
		})
	}
	return out
}

func (v *view) state() RenditionState {
	out := RenditionState{Name: v.name, First: v.listed, Held: len(v.entries)}
	for _, e := range v.entries {
		out.Bytes += e.seg.Size
		if e.seg.Sequence < v.listed {
			continue
		}
		out.Last, out.Edge = e.seg.Sequence, e.seg.End.Time()
		out.Duration += e.seg.Duration().Seconds()
		if e.seg.Gap {
			out.Gaps++
		}
	}
	return out
}

// routes answers what is not asked for all the time.
func (s *Server) routes() http.Handler {
	r := chi.NewRouter()
	r.Get("/healthz", s.health)
	r.Get("/api/v1/streams", s.listStreams)
	r.Get("/api/v1/streams/*", s.showStream)
	r.Get("/api/v1/titles/*", s.listTitles)
	r.Put("/api/v1/titles/*", s.putTitle)
	r.Post("/api/v1/titles/*", s.putTitle)
	r.Get("/api/v1/events", s.serveEvents)
	r.Get("/api/v1/stats", func(w http.ResponseWriter, r *http.Request) { s.writeJSON(w, r, s.Stats()) })
	icecast{s}.routes(r)
	if s.cfg.Pages != nil {
		r.Get("/", s.cfg.Pages.ServeHTTP)
		r.Get("/web/*", s.cfg.Pages.ServeHTTP)
	}
	r.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) { s.failMethod(w, r) })
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, http.StatusNotFound, s.headers.brief, "there is nothing at "+quoted(r.URL.Path))
	})
	return r
}

// serveOther answers through the router. A HEAD takes the way of the GET:
// net/http drops the body.
func (s *Server) serveOther(w http.ResponseWriter, r *http.Request) (int, int64) {
	counted := &countingWriter{ResponseWriter: w}
	ctx := chi.NewRouteContext()
	ctx.RouteMethod, ctx.RoutePath = r.Method, r.URL.Path
	if r.Method == http.MethodHead {
		ctx.RouteMethod = http.MethodGet
	}
	s.other.ServeHTTP(counted, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, ctx)))
	return counted.status, int64(counted.bytes)
}

// servePage hands a request to the pages.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) (int, int64) {
	counted := &countingWriter{ResponseWriter: w}
	s.cfg.Pages.ServeHTTP(counted, r)
	return counted.status, int64(counted.bytes)
}

func (s *Server) listStreams(w http.ResponseWriter, r *http.Request) {
	list := struct {
		Version string        `json:"version"`
		Time    time.Time     `json:"time"` // the server's clock, UTC
		Streams []StreamState `json:"streams"`
	}{s.cfg.Version, time.Now().UTC(), []StreamState{}}
	for _, st := range s.Streams() {
		list.Streams = append(list.Streams, st.State(time.Now()))
	}
	s.writeJSON(w, r, list)
}

func (s *Server) showStream(w http.ResponseWriter, r *http.Request) {
	if st := s.namedStream(w, r); st != nil {
		s.writeJSON(w, r, st.State(time.Now()))
	}
}

func (s *Server) writeJSON(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil { // only a type that JSON cannot show; a fault of ours
		s.fail(w, r, http.StatusInternalServerError, s.headers.noStore, "the state cannot be written as JSON")
		return
	}
	s.write(w, r, s.headers.json, body)
}

// write answers 200 with what is true for the moment.
func (s *Server) write(w http.ResponseWriter, r *http.Request, contentType []string, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["Cache-Control"] = s.headers.noStore
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// health tells that the process answers.
func (s *Server) health(w http.ResponseWriter, r *http.Request) { s.say(w, r, "ok") }

// serveReady tells whether a stream's live edge is young.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request, st *Stream) (int, int64) {
	now := time.Now()
	if st.ready(now) {
		s.say(w, r, "ready")
		return http.StatusOK, 0
	}
	return s.fail(w, r, http.StatusServiceUnavailable, s.headers.noStore, st.reason(now)), 0
}

// say answers 200 with one word.
func (s *Server) say(w http.ResponseWriter, r *http.Request, word string) {
	s.fail(w, r, http.StatusOK, s.headers.noStore, word)
}
