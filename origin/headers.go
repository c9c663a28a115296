package origin

import "net/http"

// headers are the header values that all responses share. They are slices
// that exist once and are never changed: setting them allocates nothing.
type headers struct {
	common []field // on each response, whatever its status (hls-rules D18, D26)

	varyEncoding []string
	varyAccept   []string
	acceptBytes  []string
	acceptNone   []string
	playlist     []string
	text         []string
	json         []string
	brief        []string // Cache-Control of what may change at any moment
	minute       []string // Cache-Control of what is gone for good
	noStore      []string
	retry        []string
	allow        []string
	buffering    []string
	closing      []string
	media        map[string][]string    // Content-Type by suffix (hls-rules D01)
	pointers     map[string]pointerForm // by suffix (hls-rules F18-F20)
}

type field struct {
	name  string // in canonical form
	value []string
}

func newHeaders() headers {
	one := func(v string) []string { return []string{v} }
	return headers{
		common: []field{
			{"Access-Control-Allow-Origin", one("*")},
			{"Access-Control-Allow-Methods", one("GET, HEAD, OPTIONS")},
			{"Access-Control-Allow-Headers", one("Range, If-None-Match, If-Modified-Since, Content-Type, Authorization")},
			{"Access-Control-Expose-Headers", one("Content-Length, Content-Range, Accept-Ranges, Date, Age, ETag, Last-Modified")},
			{"Access-Control-Max-Age", one("86400")},
			{"Timing-Allow-Origin", one("*")},
			{"Cross-Origin-Resource-Policy", one("cross-origin")},
			{"X-Content-Type-Options", one("nosniff")},
		},
		varyEncoding: one("Accept-Encoding"),
		varyAccept:   one("Accept"),
		acceptBytes:  one("bytes"),
		acceptNone:   one("none"),
		playlist:     one("application/vnd.apple.mpegurl"),
		text:         one("text/plain; charset=utf-8"),
		json:         one("application/json"),
		brief:        one("public, max-age=1"),
		minute:       one("public, max-age=60"),
		noStore:      one("no-store"),
		retry:        one("1"),
		allow:        one("GET, HEAD, OPTIONS"),
		buffering:    one("no"),
		closing:      one("close"),
		pointers:     newPointerForms(),
		media: map[string][]string{
			".ts":  one("video/mp2t"),
			".aac": one("audio/aac"),
			".mp3": one("audio/mpeg"),
		},
	}
}

func (h *headers) setCommon(to http.Header) {
	for i := range h.common {
		to[h.common[i].name] = h.common[i].value
	}
}
