package origin

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"headwater/origin/http1"
	"headwater/origin/live"
)

const (
	mostMetaint = 16000
	// metaintStep is what the bytes between notices are a multiple of: a bit rate
	// that is measured is a little off.
	metaintStep = 50
	// usualMetaint is for sound whose bit rate is not known yet.
	usualMetaint = 1600
	// noticesPerSecond is how often listeners are told of titles: as exactly as
	// titles are placed in the media.
	noticesPerSecond = 10
	// mostNotices is how many times as many there may be where sound of a
	// variable bit rate is dense.
	mostNotices = 4
)

// metaint returns how many bytes of audio there are from one ICY notice to the
// next, for sound of a bit rate that is sometimes least: 1600 at 128 kbit/s
// (hls-rules F05).
func metaint(rate, least int64) int {
	if rate == 0 {
		return usualMetaint
	}
	if least > 0 {
		rate = max(min(rate, least), rate/mostNotices)
	}
	n := min(rate/8/noticesPerSecond+metaintStep/5, mostMetaint)
	return int(max(n-n%metaintStep, metaintStep))
}

// setICY introduces the station on an answer with sound, and returns how often
// its listener is told of titles; 0 if it wants none (hls-rules F05, F08), or
// the sound is Ogg, whose titles are in the media.
func (s *Server) setICY(req *http1.Request, rep *http1.Reply, st *Stream, tail *live.Tail, suffix string) int {
	rate := tail.Rate()
	station := st.station.Load()
	rep.SetShared(station.fields)
	switch {
	case rate == 0: // it has just begun
		rate = station.bitrate
	case station.bitrate == 0:
		rep.Set("icy-br", []string{strconv.FormatInt((rate+500)/1000, 10)})
	}
	if wantsICY(req.Get(http1.UserAgent)) {
		rep.SetICY()
	}
	if strings.TrimSpace(req.Get(http1.IcyMetadata)) != "1" || suffix == ".ogg" {
		return 0
	}
	n := st.cfg.Metaint
	if n == 0 {
		least := tail.LeastRate()
		n = metaint(max(rate, least), least)
	}
	rep.Set("icy-metaint", []string{strconv.Itoa(n)})
	return n
}

// wantsICY reports whether a program plays nothing but what begins with
// "ICY 200 OK", as Icecast-KH has it.
func wantsICY(agent string) bool {
	for _, old := range [...]string{"shoutcastsource", "Windows-Media-Player", "RealMedia", "BlackBerry"} {
		if strings.Contains(agent, old) {
			return true
		}
	}
	return false
}

const (
	// endlessLength is told as that of sound without end to who asks for its
	// first bytes: players of iOS do so, and play nothing whose length is not
	// said. They ask for all of it then (hls-rules F09).
	endlessLength = 1<<30 - 1
	// mostProbe is up to how many bytes such a question asks for.
	mostProbe = 100
)

// answerProbe answers a request for so few bytes that it can only be meant to
// find out what there is. It reports false if the request is none of these.
func (s *Server) answerProbe(req *http1.Request, rep *http1.Reply, tail *live.Tail) bool {
	asked := req.Get(http1.Range)
	if asked == "" || req.Head || req.Get(http1.IcyMetadata) != "" {
		return false
	}
	r, result := parseRange(asked, endlessLength)
	if result != rangePartial || r.length > mostProbe || r.start+r.length >= endlessLength {
		return false
	}
	head := tail.Head(int(r.length))
	if int64(len(head)) < r.length {
		return false
	}
	rep.Status = http.StatusPartialContent
	rep.Set("Accept-Ranges", s.headers.acceptBytes)
	rep.Set("Content-Range", []string{fmt.Sprintf("bytes %d-%d/%d", r.start, r.start+r.length-1, endlessLength)})
	rep.Set("Content-Length", []string{strconv.Itoa(len(head))})
	rep.SetText(head)
	return true
}
