package origin

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"headwater/mux"
)

// maxTitleBody bounds a title that is set in JSON.
const maxTitleBody = 16 << 10

// TitleState is what the API tells about a title. Text that a title lacks is empty.
type TitleState struct {
	Artist  string    `json:"artist"`
	Title   string    `json:"title"`
	URL     string    `json:"url"`
	Text    string    `json:"text"`    // artist and title as one
	Time    time.Time `json:"time"`    // UTC of its first sample, as playlists date it
	Arrived time.Time `json:"arrived"` // UTC at which that sample came
}

// state returns the newest title, or nil if there is none.
func (t *titles) state() *TitleState {
	if len(t.past) == 0 {
		return nil
	}
	last := titles{past: t.past[len(t.past)-1:]}
	out := titleState(last.list()[0])
	return &out
}

func titleState(p PlayedTitle) TitleState {
	return TitleState{Artist: p.Artist, Title: p.Name, URL: p.URL, Text: p.String(), Time: p.Time, Arrived: p.Arrived}
}

// listTitles tells what was played, the newest first.
func (s *Server) listTitles(w http.ResponseWriter, r *http.Request) {
	st := s.namedStream(w, r)
	if st == nil {
		return
	}
	list := struct {
		Name   string       `json:"name"`
		Titles []TitleState `json:"titles"`
	}{st.Name(), []TitleState{}}
	for _, p := range slices.Backward(st.Titles()) {
		list.Titles = append(list.Titles, titleState(p))
	}
	s.writeJSON(w, r, list)
}

// putTitle sets a title.
func (s *Server) putTitle(w http.ResponseWriter, r *http.Request) {
	if !s.maySource(w, r, chi.URLParam(r, "*")) {
		return
	}
	st := s.namedStream(w, r)
	if st == nil {
		return
	}
	now := time.Now()
	var t struct{ Artist, Title, URL string }
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxTitleBody))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		s.fail(w, r, http.StatusBadRequest, s.headers.noStore, `a title is JSON of at most 16 KiB, {"artist": "…", "title": "…", "url": "…"}`)
		return
	}
	title := mux.Title{Artist: t.Artist, Name: t.Title, URL: t.URL}
	st.SetTitle(title, now)
	w.Header()["Cache-Control"] = s.headers.noStore
	w.WriteHeader(http.StatusNoContent)
}

// namedStream returns the stream that the rest of a path names. If there is
// none it answers so, and returns nil.
func (s *Server) namedStream(w http.ResponseWriter, r *http.Request) *Stream {
	name := chi.URLParam(r, "*")
	st := s.lookup(name)
	if st == nil {
		s.fail(w, r, http.StatusNotFound, s.headers.noStore, "there is no stream "+quoted(name))
	}
	return st
}
