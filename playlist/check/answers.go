package check

import (
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answerRules are those of HTTP: D01 to D04, D08, D18, D20.
func answerRules() []rule {
	return []rule{
		{"D01", Must, anyText, "the type of playlists is application/vnd.apple.mpegurl", checkMIME},
		{"D02", Ours, anyMedia, "the URLs of segments end in the suffix of their container", checkSuffixes},
		{"D03", Must, anyText, "playlists are compressed if and only if asked for", checkGzip},
		{"D03", Ours, anyText, "Vary has Accept-Encoding", checkVary},
		{"D04", Must, anyAnswer, "playlists are not redirected", checkRedirect},
		{"D08", Must, anyAnswer, "every answer has Cache-Control", checkCacheControl},
		{"D08", Must, liveMedia, "live lists are not cached for longer than a target duration", checkMaxAge},
		{"D18", Ours, anyAnswer, "every answer may be read by pages of other sites", checkCORS},
		{"D20", Ours, anyAnswer, "every answer has Date", checkDate},
	}
}

func checkMIME(v *view) {
	value := v.now.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(value); err != nil || kind != "application/vnd.apple.mpegurl" {
		v.fault("Content-Type is %q, not application/vnd.apple.mpegurl", value)
	}
}

func checkSuffixes(v *view) {
	for i := range v.now.media.Segments {
		uri := v.now.media.Segments[i].URI
		u, err := url.Parse(uri)
		if err != nil {
			v.fault("the URI %q cannot be read: %v", uri, err)
			return
		}
		switch path.Ext(u.Path) {
		case ".ts", ".aac", ".mp3", ".ac3", ".ec3", ".m4s", ".mp4", ".m4a", ".m4v", ".cmfv", ".cmfa", ".vtt", ".webvtt":
		default:
			v.fault("the URL %s does not end in the suffix of a container: ffmpeg refuses it", uri)
			return
		}
	}
}

// words returns the words of a list-valued header, in lower case.
func words(h http.Header, name string) (list []string) {
	for _, value := range h.Values(name) {
		for word := range strings.SplitSeq(value, ",") {
			list = append(list, strings.ToLower(strings.TrimSpace(word)))
		}
	}
	return list
}

func checkGzip(v *view) {
	coded := slices.Contains(words(v.now.Header, "Content-Encoding"), "gzip")
	if v.now.Asked == nil {
		return
	}
	accepted, refused := false, true
	for _, word := range words(v.now.Asked, "Accept-Encoding") {
		name, params, _ := strings.Cut(word, ";")
		quality, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(params), "q="), 64)
		if name == "gzip" || name == "*" {
			accepted = params == "" || err == nil && quality > 0
			refused = !accepted
		}
	}
	switch {
	case coded && refused:
		v.fault("the playlist is compressed, which was not asked for")
	case !coded && accepted:
		v.fault("the playlist is not compressed, though gzip was accepted")
	}
}

func checkVary(v *view) {
	if vary := words(v.now.Header, "Vary"); !slices.Contains(vary, "accept-encoding") && !slices.Contains(vary, "*") {
		v.fault("Vary does not have Accept-Encoding: caches would mix up the two forms")
	}
}

func checkRedirect(v *view) {
	if v.now.Status/100 == 3 && v.now.Status != http.StatusNotModified {
		v.fault("the answer is a redirect (%d)", v.now.Status)
	}
}

func checkCacheControl(v *view) {
	if v.now.Header.Get("Cache-Control") == "" {
		v.fault("an answer of status %d has no Cache-Control: caches will guess", v.now.Status)
	}
}

func checkMaxAge(v *view) {
	for _, word := range words(v.now.Header, "Cache-Control") {
		name, value, _ := strings.Cut(word, "=")
		if name != "max-age" && name != "s-maxage" {
			continue
		}
		seconds, err := strconv.Atoi(strings.Trim(value, `"`))
		if err == nil && time.Duration(seconds)*time.Second > v.now.target() && !v.blocking() {
			v.fault("%s is %d s, more than the target duration of %v: players would see an old list", name, seconds, v.now.target())
		}
	}
}

// blocking reports whether the URL asks for one state of the list, which may be
// cached for long (hls-rules D07).
func (v *view) blocking() bool { return strings.Contains(v.now.URL, "_HLS_msn=") }

func checkCORS(v *view) {
	if v.now.Header.Get("Access-Control-Allow-Origin") == "" {
		v.fault("an answer of status %d has no Access-Control-Allow-Origin: pages of other sites cannot play it", v.now.Status)
		return
	}
	exposed := words(v.now.Header, "Access-Control-Expose-Headers")
	if !slices.Contains(exposed, "*") && (!slices.Contains(exposed, "date") || !slices.Contains(exposed, "age")) {
		v.fault("Access-Control-Expose-Headers lacks Date or Age, from which players know how old the list is")
	}
}

func checkDate(v *view) {
	if _, err := http.ParseTime(v.now.Header.Get("Date")); err != nil {
		v.fault("Date is %q, not a date", v.now.Header.Get("Date"))
	}
}
