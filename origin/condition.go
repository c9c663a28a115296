package origin

import (
	"net/http"
	"strings"
	"time"

	"headwater/origin/http1"
)

// validator is what conditions of a request are compared with.
type validator struct {
	etag     string    // with its quotes; strong
	modified time.Time // whole seconds
}

// check evaluates the conditions of a GET or HEAD in the order of RFC 9110
// §13.2.2. It returns 200 to go on, 304 or 412.
func (v validator) check(req *http1.Request) int {
	if tags := req.Get(http1.IfMatch); tags != "" {
		if !matches(tags, v.etag, true) {
			return http.StatusPreconditionFailed
		}
	} else if since := req.Get(http1.IfUnmodifiedSince); since != "" {
		if t, err := http.ParseTime(since); err == nil && v.modified.After(t) {
			return http.StatusPreconditionFailed
		}
	}
	if tags := req.Get(http1.IfNoneMatch); tags != "" {
		if matches(tags, v.etag, false) {
			return http.StatusNotModified
		}
	} else if since := req.Get(http1.IfModifiedSince); since != "" {
		if t, err := http.ParseTime(since); err == nil && !v.modified.After(t) {
			return http.StatusNotModified
		}
	}
	return http.StatusOK
}

// allowsRange evaluates If-Range (RFC 9110 §13.1.5): a range of an older
// representation is not wanted. Only a strong match counts.
func (v validator) allowsRange(req *http1.Request) bool {
	value := req.Get(http1.IfRange)
	if value == "" {
		return true
	}
	if value[0] == '"' {
		return value == v.etag
	}
	t, err := http.ParseTime(value)
	return err == nil && t.Equal(v.modified)
}

// matches reports whether a list of tags holds etag or is "*". The weak mark
// of a listed tag is looked over unless strong is set (RFC 9110 §8.8.3.2).
func matches(list, etag string, strong bool) bool {
	for {
		list = strings.TrimLeft(list, " \t,")
		if list == "" {
			return false
		}
		if list[0] == '*' {
			return true
		}
		weak := strings.HasPrefix(list, "W/")
		if weak {
			list = list[2:]
		}
		if list == "" || list[0] != '"' {
			return false // not a list of tags
		}
		end := strings.IndexByte(list[1:], '"')
		if end < 0 {
			return false
		}
		if list[:end+2] == etag && !(weak && strong) {
			return true
		}
		list = list[end+2:]
	}
}
