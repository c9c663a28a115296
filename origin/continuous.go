package origin

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"time"

	"headwater/mux"
	"headwater/origin/live"
)

// serveContinuous answers for /{stream}.ts, .mp3 and .aac: a body without end.
func (s *Server) serveContinuous(w http.ResponseWriter, r *http.Request, st *Stream, suffix string) (int, int64) {
	program := st.source()
	if program == nil {
		return s.fail(w, r, http.StatusServiceUnavailable, s.headers.noStore, st.reason(time.Now())), 0
	}
	if suffix != ".ts" {
		if sentence := lacks(st.Name(), program, suffix); sentence != "" {
			return s.fail(w, r, http.StatusNotFound, s.headers.noStore, sentence), 0
		}
	}
	if n := s.counts.listeners.Add(1); n > int64(s.cfg.MaxListeners) {
		s.counts.listeners.Add(-1)
		s.counts.refused.Add(1)
		return s.fail(w, r, http.StatusServiceUnavailable, s.headers.noStore, "the server has as many listeners as it can take"), 0
	}
	defer s.counts.listeners.Add(-1)
	s.counts.inFlight.Add(-1) // listeners have a limit of their own
	defer s.counts.inFlight.Add(1)

	h := w.Header()
	h["Content-Type"] = s.headers.media[suffix]
	h["Cache-Control"] = s.headers.noStore
	h["Accept-Ranges"] = s.headers.acceptNone
	h["X-Accel-Buffering"] = s.headers.buffering
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return http.StatusOK, 0
	}
	var reader live.Reader
	if suffix == ".ts" {
		reader = live.NewTSReader(st.ts)
	} else {
		reader = live.NewAudioReader(st.sound)
	}
	n, err := live.Copy(r.Context(), w, reader)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.counts.dropped.Add(1)
	}
	return http.StatusOK, n
}

// source returns the program of the stream as long as the continuous outputs
// have something to say, else nil.
func (s *Stream) source() *mux.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.feed == nil && time.Since(s.absent) >= s.cfg.Linger {
		return nil
	}
	return s.seg.Status().Program
}

// suffixOf returns the suffix of the continuous output of a codec.
func suffixOf(c mux.Codec) string {
	switch c {
	case mux.CodecMP3:
		return ".mp3"
	case mux.CodecAAC:
		return ".aac"
	}
	return ""
}

// lacks says in a sentence why a stream has no continuous audio with a suffix;
// it returns nothing if it has.
func lacks(stream string, p *mux.Program, suffix string) string {
	if i := firstFramed(p); i >= 0 {
		has := suffixOf(p.Tracks[i].Codec)
		if has == suffix {
			return ""
		}
		return "the audio of stream " + stream + " is " + p.Tracks[i].Codec.String() + ": ask for /" + stream + has
	}
	for i := range p.Tracks {
		if c := p.Tracks[i].Codec; c.Audio() {
			return "the audio of stream " + stream + " is " + c.String() + ", which can only be had as /" + stream + ".ts"
		}
	}
	return "stream " + stream + " has no audio"
}

// serveStream answers for /{stream}: the player page for browsers, continuous
// audio for everybody else.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, st *Stream) (int, int64) {
	w.Header()["Vary"] = s.headers.varyAccept
	if s.cfg.Pages != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		return s.servePage(w, r)
	}
	suffix := ".mp3"
	if p := st.source(); p != nil {
		if i := firstFramed(p); i >= 0 {
			suffix = suffixOf(p.Tracks[i].Codec)
		}
	}
	return s.serveContinuous(w, r, st, suffix)
}
