package origin

import (
	"net/http"

	"headwater/origin/http1"
)

// headers are the header values that all responses share. They are slices
// that exist once and are never changed: setting them allocates nothing.
type headers struct {
	common []http1.Field // on each response, whatever its status (hls-rules D18, D26)

	varyEncoding []string
	varyAccept   []string
	acceptBytes  []string
	acceptNone   []string
	playlist     []string
	text         []string
	json         []string
	xml          []string
	brief        []string // Cache-Control of what may change at any moment
	minute       []string // Cache-Control of what is gone for good
	noStore      []string
	private      []string // Cache-Control of what only some may have
	retry        []string
	allow        []string
	buffering    []string
	closing      []string
	websocket    []string
	identity     []string               // Transfer-Encoding, for net/http: no chunks
	challenge    []string               // WWW-Authenticate
	lossy        map[bool][]string      // X-Headwater-Mode in ModeLive, by whether the kernel says what it has not sent
	media        map[string][]string    // Content-Type by suffix (hls-rules D01)
	pointers     map[string]pointerForm // by suffix (hls-rules F18-F20)
}

func newHeaders() headers {
	one := func(v string) []string { return []string{v} }
	return headers{
		common: []http1.Field{
			{Name: "Access-Control-Allow-Origin", Value: one("*")},
			{Name: "Access-Control-Allow-Methods", Value: one("GET, HEAD, OPTIONS")},
			{Name: "Access-Control-Allow-Headers", Value: one("Range, If-None-Match, If-Modified-Since, Content-Type, Authorization, Icy-MetaData")},
			{Name: "Access-Control-Expose-Headers", Value: one("Content-Length, Content-Range, Accept-Ranges, Date, Age, ETag, Last-Modified, X-Headwater-Mode, icy-metaint, icy-name, icy-description, icy-genre, icy-url, icy-pub, icy-br, ice-audio-info")},
			{Name: "Access-Control-Max-Age", Value: one("86400")},
			{Name: "Timing-Allow-Origin", Value: one("*")},
			{Name: "Cross-Origin-Resource-Policy", Value: one("cross-origin")},
			{Name: "X-Content-Type-Options", Value: one("nosniff")},
		},
		varyEncoding: one("Accept-Encoding"),
		varyAccept:   one("Accept"),
		acceptBytes:  one("bytes"),
		acceptNone:   one("none"),
		playlist:     one("application/vnd.apple.mpegurl"),
		text:         one("text/plain; charset=utf-8"),
		json:         one("application/json"),
		xml:          one("text/xml; charset=utf-8"),
		brief:        one("public, max-age=1"),
		minute:       one("public, max-age=60"),
		noStore:      one("no-store"),
		private:      one("private, max-age=1"),
		retry:        one("1"),
		allow:        one("GET, HEAD, OPTIONS"),
		buffering:    one("no"),
		closing:      one("close"),
		websocket:    one("websocket"),
		identity:     one("identity"),
		challenge:    one(`Basic realm="headwater", charset="UTF-8"`),
		lossy:        map[bool][]string{true: one("live"), false: one("live; unsent=unknown")},
		pointers:     newPointerForms(),
		media: map[string][]string{
			".ts":  one("video/mp2t"),
			".aac": one("audio/aac"),
			".mp3": one("audio/mpeg"),
			".ogg": one("audio/ogg"), // whatever is in it (RFC 5334 §4)
		},
	}
}

func (h *headers) setCommon(to http.Header) {
	for i := range h.common {
		to[h.common[i].Name] = h.common[i].Value
	}
}
