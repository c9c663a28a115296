package origin

import (
	"strconv"
	"strings"
)

// kind says what a path names.
type kind uint8

const (
	kindOther        kind = iota // API, health, pages, and what nobody knows
	kindMultivariant             // /{stream}.m3u8
	kindMedia                    // /{stream}/{rendition}.m3u8
	kindSegment                  // /{stream}/{rendition}/{gen}/{N}.ts
	kindContinuous               // /{stream}.ts, .mp3, .aac, .ogg
	kindPointer                  // /{stream}.m3u, .pls, .xspf
	kindStream                   // /{stream}: page or continuous audio
	kindReady                    // /{stream}/ready
	kinds
)

var kindNames = [kinds]string{"other", "multivariant", "media", "segment", "continuous", "pointer", "stream", "ready"}

// route is a path taken apart. Its strings are parts of the path.
type route struct {
	kind      kind
	stream    string
	rendition string // of a media playlist or segment
	suffix    string // with its dot
	token     string // that was in front of the path; empty: none
	gen       uint64
	sequence  uint64
}

// maxPath bounds what is looked at: no resource has a longer path.
const maxPath = 512

// parseRoute takes path apart by its shape alone; known tells whether a stream
// of a name exists. Names have several segments, so a path can be read in more
// than one way: the longest name that exists wins. A path that no reading fits
// a stream of is returned by its first reading, so that the answer can say
// what was asked for.
func parseRoute(path string, known func(string) bool) route {
	if len(path) < 2 || len(path) > maxPath || path[0] != '/' {
		return route{}
	}
	path = path[1:]
	slash := strings.LastIndexByte(path, '/')
	dot := strings.LastIndexByte(path, '.')
	if dot > slash {
		name, suffix := path[:dot], path[dot:]
		switch suffix {
		case ".m3u8":
			return parsePlaylist(name, slash, known)
		case ".ts", ".mp3", ".aac":
			if !known(name) {
				if r, ok := parseSegment(name, slash); ok {
					r.suffix = suffix
					return r
				}
			}
			return route{kind: kindContinuous, stream: name, suffix: suffix}
		case ".ogg":
			return route{kind: kindContinuous, stream: name, suffix: suffix}
		case ".m3u", ".pls", ".xspf":
			return route{kind: kindPointer, stream: name, suffix: suffix}
		}
	}
	if !known(path) && slash > 0 && path[slash+1:] == "ready" {
		return route{kind: kindReady, stream: path[:slash]}
	}
	return route{kind: kindStream, stream: path}
}

// parsePlaylist reads name, a path without its .m3u8; slash is its last slash.
func parsePlaylist(name string, slash int, known func(string) bool) route {
	if slash > 0 && !known(name) && known(name[:slash]) {
		return route{kind: kindMedia, stream: name[:slash], rendition: name[slash+1:]}
	}
	return route{kind: kindMultivariant, stream: name}
}

// parseSegment reads name as {stream}/{rendition}/{gen}/{N}; slash is its last slash.
func parseSegment(name string, slash int) (r route, ok bool) {
	if slash <= 0 {
		return r, false
	}
	rest, number := name[:slash], name[slash+1:]
	i := strings.LastIndexByte(rest, '/')
	if i <= 0 {
		return r, false
	}
	rest, gen := rest[:i], rest[i+1:]
	i = strings.LastIndexByte(rest, '/')
	if i <= 0 {
		return r, false
	}
	r = route{kind: kindSegment, stream: rest[:i], rendition: rest[i+1:]}
	if r.sequence, ok = parseNumber(number); !ok {
		return r, false
	}
	r.gen, ok = parseNumber(gen)
	return r, ok
}

// parseNumber reads a decimal number that has one spelling only, so that a
// segment has one URL only.
func parseNumber(s string) (n uint64, ok bool) {
	if s == "" || s[0] < '0' || s[0] > '9' || s[0] == '0' && len(s) > 1 || len(s) > 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}
