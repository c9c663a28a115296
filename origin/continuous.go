package origin

import (
	"net"
	"net/http"
	"time"

	"headwater/mux"
	"headwater/origin/http1"
	"headwater/origin/live"
)

// listen is what a request for a continuous output comes to.
type listen struct {
	tail    *live.Tail // that the body without end is; nil: there is none
	options live.Options
}

// answerContinuous answers for /{stream}.ts, .mp3, .aac, .ogg and the audio of
// /{stream}: a body without end, whose listener it has counted.
func (s *Server) answerContinuous(req *http1.Request, rep *http1.Reply, st *Stream, rt route) listen {
	wish, err := wishesOf(req.Query, &st.cfg)
	if err != nil {
		s.refuse(rep, http.StatusBadRequest, s.headers.noStore, err.Error())
		return listen{}
	}
	if st.cfg.Gate == nil || req.Head {
		st.share.asked.Add(1)
		return s.answerEndless(req, rep, st, rt, wish, nil)
	}
	tail := st.out.sound[wish.mode]
	if rt.suffix == ".ts" {
		tail = st.out.packets[wish.mode]
	}
	who := s.admit(req, rep, st, rt, tail)
	if who == nil { // a stranger starts no source, and hears nothing
		return listen{}
	}
	st.share.asked.Add(1)
	l := s.answerEndless(req, rep, st, rt, wish, who)
	if l.tail == nil {
		s.gone(&who.Handle, 0, nil)
	}
	return l
}

// answerEndless answers for a continuous output. who is its listener, nil if it
// is to be counted yet.
func (s *Server) answerEndless(req *http1.Request, rep *http1.Reply, st *Stream, rt route, wish wishes, who *listener) listen {
	program := st.awaitSource()
	suffix := rt.suffix
	if rt.kind == kindStream {
		rep.Set("Vary", s.headers.varyAccept)
		suffix = audioSuffix(program)
	}
	if program == nil {
		s.refuse(rep, http.StatusServiceUnavailable, s.headers.noStore, st.reason(time.Now()))
		return listen{}
	}
	l := listen{st.out.packets[wish.mode], live.Options{Burst: wish.burst}}
	if suffix != ".ts" || program.Headers != nil {
		if sentence := lacks(st.Name(), program, suffix); sentence != "" {
			s.refuse(rep, http.StatusNotFound, s.headers.noStore, sentence)
			return listen{}
		}
		l.tail = st.out.sound[wish.mode]
	}
	rep.Set("Content-Type", s.headers.media[suffix])
	rep.Set("Cache-Control", s.headers.noStore)
	if suffix != ".ts" && s.answerProbe(req, rep, l.tail) {
		return listen{}
	}
	if who == nil && !req.Head {
		if who = s.admit(req, rep, st, rt, l.tail); who == nil {
			return listen{}
		}
	}
	if who != nil {
		l.options.Handle = &who.Handle
	}
	s.setEndless(req, rep, l.tail)
	if suffix != ".ts" {
		l.options.Metaint = s.setICY(req, rep, st, l.tail, suffix)
	}
	if req.Head {
		return listen{}
	}
	return l
}

// setEndless makes rep the head of an answer whose body is a tail.
func (s *Server) setEndless(req *http1.Request, rep *http1.Reply, tail *live.Tail) {
	rep.Status = http.StatusOK
	rep.Set("Accept-Ranges", s.headers.acceptNone)
	rep.Set("X-Accel-Buffering", s.headers.buffering)
	if tail.Lossy() {
		rep.Set("X-Headwater-Mode", s.headers.lossy[live.Sees(req.Conn)])
	}
}

// fanOut has the fan send a tail over a connection of ours.
func (s *Server) fanOut(req *http1.Request, rep *http1.Reply, l listen) {
	l.options.Chunked = l.tail.Packets() && !req.HTTP10 // radios break on chunks (hls-rules F01, F07)
	soon := !l.tail.Lossy()                             // which begins with what comes next
	rep.SetEndless(l.options.Chunked, soon, func(c net.Conn) { s.fan.Serve(l.tail, c, l.options) })
}

// copyTail sends a tail by net/http.
func (s *Server) copyTail(w http.ResponseWriter, r *http.Request, c net.Conn, l listen) {
	s.counts.inFlight.Add(-1) // listeners have a limit of their own
	defer s.counts.inFlight.Add(1)
	n, err := l.tail.Copy(r.Context(), w, c, l.options)
	s.gone(l.options.Handle, n, err)
}

// source returns the program of the stream as long as the continuous outputs
// have something to say, else nil.
func (s *Stream) source() *mux.Program {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relay.air == sideNone && time.Since(s.absent) >= s.cfg.Linger {
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
	case mux.CodecVorbis, mux.CodecOpus, mux.CodecFLAC:
		return ".ogg"
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
