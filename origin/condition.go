package origin

import (
	"net/http"
	"strings"
	"time"
)

// validator is what conditions of a request are compared with.
type validator struct {
	etag     string    // with its quotes; strong
	modified time.Time // whole seconds
}

// check evaluates the conditions of a GET or HEAD in the order of RFC 9110
// §13.2.2. It returns 200 to go on, 304 or 412.
func (v validator) check(h http.Header) int {
	if values := h["If-Match"]; len(values) > 0 {
		if !matches(values, v.etag, true) {
			return http.StatusPreconditionFailed
		}
	} else if since := first(h["If-Unmodified-Since"]); since != "" {
		if t, err := http.ParseTime(since); err == nil && v.modified.After(t) {
			return http.StatusPreconditionFailed
		}
	}
	if values := h["If-None-Match"]; len(values) > 0 {
		if matches(values, v.etag, false) {
			return http.StatusNotModified
		}
	} else if since := first(h["If-Modified-Since"]); since != "" {
		if t, err := http.ParseTime(since); err == nil && !v.modified.After(t) {
			return http.StatusNotModified
		}
	}
	return http.StatusOK
}

// allowsRange evaluates If-Range (RFC 9110 §13.1.5): a range of an older
// representation is not wanted. Only a strong match counts.
func (v validator) allowsRange(h http.Header) bool {
	value := first(h["If-Range"])
	if value == "" {
		return true
	}
	if value[0] == '"' {
		return value == v.etag
	}
	t, err := http.ParseTime(value)
	return err == nil && t.Equal(v.modified)
}

// matches reports whether one of the lists holds etag or is "*". The weak mark
// of a listed tag is looked over unless strong is set (RFC 9110 §8.8.3.2).
func matches(lists []string, etag string, strong bool) bool {
	for _, list := range lists {
		for {
			list = strings.TrimLeft(list, " \t,")
			if list == "" {
				break
			}
			if list[0] == '*' {
				return true
			}
			weak := strings.HasPrefix(list, "W/")
			if weak {
				list = list[2:]
			}
			if list == "" || list[0] != '"' {
				break // not a list of tags
			}
			end := strings.IndexByte(list[1:], '"')
			if end < 0 {
				break
			}
			if list[:end+2] == etag && !(weak && strong) {
				return true
			}
			list = list[end+2:]
		}
	}
	return false
}

// first returns the first of values, or nothing.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
