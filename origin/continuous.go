package origin

import (
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"headwater/mux"
	"headwater/origin/http1"
	"headwater/origin/live"
)

// answerContinuous answers for /{stream}.ts, .mp3, .aac and the audio of
// /{stream}: a body without end. It returns the tail that the body is, which
// it has counted a listener of, or nil if there is none to send.
func (s *Server) answerContinuous(req *http1.Request, rep *http1.Reply, st *Stream, rt route) *live.Tail {
	program := st.source()
	suffix := rt.suffix
	if rt.kind == kindStream {
		rep.Set("Vary", s.headers.varyAccept)
		suffix = audioSuffix(program)
	}
	if program == nil {
		s.refuse(rep, http.StatusServiceUnavailable, s.headers.noStore, st.reason(time.Now()))
		return nil
	}
	mode, err := modeOf(req.Query, st.cfg.Mode)
	if err != nil {
		s.refuse(rep, http.StatusBadRequest, s.headers.noStore, "mode "+err.Error())
		return nil
	}
	tail := st.out.packets[mode]
	if suffix != ".ts" {
		if sentence := lacks(st.Name(), program, suffix); sentence != "" {
			s.refuse(rep, http.StatusNotFound, s.headers.noStore, sentence)
			return nil
		}
		tail = st.out.sound[mode]
	}
	if !req.Head {
		if refusal := s.admit(tail); refusal != "" {
			s.refuse(rep, http.StatusServiceUnavailable, s.headers.noStore, refusal)
			return nil
		}
	}
	rep.Status = http.StatusOK
	rep.Set("Content-Type", s.headers.media[suffix])
	rep.Set("Cache-Control", s.headers.noStore)
	rep.Set("Accept-Ranges", s.headers.acceptNone)
	rep.Set("X-Accel-Buffering", s.headers.buffering)
	if tail.Lossy() {
		rep.Set("X-Headwater-Mode", s.headers.lossy[live.Sees(req.Conn)])
	}
	if req.Head {
		return nil
	}
	return tail
}

// fanOut has the fan send a tail over a connection of ours.
func (s *Server) fanOut(req *http1.Request, rep *http1.Reply, tail *live.Tail) {
	chunked := tail.Packets() && !req.HTTP10 // radios break on chunks (hls-rules F01, F07)
	soon := !tail.Lossy()                    // which begins with what comes next
	rep.SetEndless(chunked, soon, func(c net.Conn) { s.fan.Serve(tail, c, live.Options{Chunked: chunked, Burst: burst}) })
}

// copyTail sends a tail by net/http.
func (s *Server) copyTail(w http.ResponseWriter, r *http.Request, c net.Conn, tail *live.Tail) {
	s.counts.inFlight.Add(-1) // listeners have a limit of their own
	defer s.counts.inFlight.Add(1)
	s.gone(tail.Copy(r.Context(), w, c, live.Options{Burst: burst}))
}

// gone counts a listener that has gone.
func (s *Server) gone(n int64, err error) {
	s.counts.listeners.Add(-1)
	s.counts.bytes[kindContinuous].Add(uint64(n))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.counts.dropped.Add(1)
	}
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

// audioSuffix returns the suffix of the continuous audio of a program, or of
// what most have.
func audioSuffix(p *mux.Program) string {
	if p != nil {
		if i := firstFramed(p); i >= 0 {
			return suffixOf(p.Tracks[i].Codec)
		}
	}
	return ".mp3"
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
