package origin_test

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"headwater/origin"
)

func segmentPath(stream, rendition, suffix string, gen, sequence uint64) string {
	return fmt.Sprintf("/%s/%s/%d/%d%s", stream, rendition, gen, sequence, suffix)
}

// hls-rules D03
func TestAcceptsGzip(t *testing.T) {
	tests := []struct {
		name   string
		header string
		want   bool
	}{
		{"nothing", "", false},
		{"gzip", "gzip", true},
		{"browsers", "gzip, deflate, br, zstd", true},
		{"last of the list", "br;q=1.0, gzip;q=0.8", true},
		{"capitals and blanks", "deflate ,  GZIP ; Q=0.5", true},
		{"old name", "x-gzip", true},
		{"refused", "gzip;q=0", false},
		{"refused with decimals", "gzip;q=0.000, *", false},
		{"any", "*", true},
		{"any refused", "*;q=0", false},
		{"any refused but gzip", "gzip, *;q=0", true},
		{"identity only", "identity", false},
		{"identity liked more", "identity, gzip;q=0.5", false},
		{"gzip liked more", "identity;q=0.5, gzip", true},
		{"identity refused", "identity;q=0, gzip;q=0.1", true},
		{"two headers", "br, gzip", true},
		{"weight malformed", "gzip;q=high", false},
		{"weight too large", "gzip;q=1.5", true},
		{"other name that contains it", "notgzip", false},
		{"Chromium's media player", "identity;q=1, *;q=0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := origin.AcceptsGzip(tt.header); got != tt.want {
				t.Errorf("AcceptsGzip(%q) = %v, want %v", tt.header, got, tt.want)
			}
		})
	}
}

// hls-rules D14; RFC 9110 §14
func TestParseRange(t *testing.T) {
	tests := []struct {
		name, header  string
		size          int64
		start, length int64
		result        string
	}{
		{"first bytes", "bytes=0-1", 1000, 0, 2, "partial"},
		{"middle", "bytes=10-19", 1000, 10, 10, "partial"},
		{"open end", "bytes=990-", 1000, 990, 10, "partial"},
		{"all", "bytes=0-", 1000, 0, 1000, "partial"},
		{"end beyond the size", "bytes=990-5000", 1000, 990, 10, "partial"},
		{"end beyond 64 bits", "bytes=1-99999999999999999999999", 1000, 1, 999, "partial"},
		{"suffix", "bytes=-10", 1000, 990, 10, "partial"},
		{"suffix longer than all", "bytes=-5000", 1000, 0, 1000, "partial"},
		{"suffix of nothing", "bytes=-0", 1000, 0, 0, "unsatisfiable"},
		{"start at the size", "bytes=1000-", 1000, 0, 0, "unsatisfiable"},
		{"start beyond 64 bits", "bytes=99999999999999999999999-", 1000, 0, 0, "unsatisfiable"},
		{"empty representation", "bytes=0-", 0, 0, 0, "unsatisfiable"},
		{"capitals", "Bytes=0-1", 1000, 0, 2, "partial"},
		{"several", "bytes=0-1,5-6", 1000, 0, 0, "none"},
		{"backwards", "bytes=6-5", 1000, 0, 0, "none"},
		{"other unit", "items=0-1", 1000, 0, 0, "none"},
		{"no number", "bytes=-", 1000, 0, 0, "none"},
		{"sign", "bytes=+1-2", 1000, 0, 0, "none"},
		{"two dashes", "bytes=--2", 1000, 0, 0, "none"},
		{"no dash", "bytes=5", 1000, 0, 0, "none"},
		{"nothing", "bytes=", 1000, 0, 0, "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start, length, result := origin.ParseRange(tt.header, tt.size)
			if start != tt.start || length != tt.length || result != tt.result {
				t.Errorf("ParseRange(%q, %d) = %d+%d %s, want %d+%d %s", tt.header, tt.size, start, length, result, tt.start, tt.length, tt.result)
			}
		})
	}
}

// FuzzRange holds that a range lies inside the representation.
func FuzzRange(f *testing.F) {
	f.Add("bytes=0-1", int64(100))
	f.Add("bytes=-5", int64(3))
	f.Add("bytes=18446744073709551615-", int64(1))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		start, length, result := origin.ParseRange(header, size)
		if result == "partial" && (start < 0 || length < 1 || start+length > size) {
			t.Errorf("ParseRange(%q, %d) = %d+%d", header, size, start, length)
		}
	})
}

// hls-rules D13; RFC 9110 §13
func TestConditions(t *testing.T) {
	const (
		etag   = `"abc"`
		older  = "Sat, 21 Nov 2026 11:59:59 GMT"
		stamp  = "Sat, 21 Nov 2026 12:00:00 GMT"
		newer  = "Sat, 21 Nov 2026 12:00:01 GMT"
		ifNone = "If-None-Match"
		ifSome = "If-Match"
		ifMod  = "If-Modified-Since"
		ifUnm  = "If-Unmodified-Since"
	)
	tests := []struct {
		name    string
		headers []string // pairs
		want    int
	}{
		{"none", nil, 200},
		{"same tag", []string{ifNone, `"abc"`}, 304},
		{"weak tag", []string{ifNone, `W/"abc"`}, 304},
		{"other tag", []string{ifNone, `"abd"`}, 200},
		{"other form", []string{ifNone, `"abc-gz"`}, 200},
		{"list", []string{ifNone, `"x", W/"y" ,"abc"`}, 304},
		{"list with a comma in a tag", []string{ifNone, `"x,y", "abc"`}, 304},
		{"several headers", []string{ifNone, `"x"`, ifNone, `"abc"`}, 304},
		{"any", []string{ifNone, `*`}, 304},
		{"tag without quotes", []string{ifNone, `abc`}, 200},
		{"tag without end", []string{ifNone, `"abc`}, 200},
		{"not modified since", []string{ifMod, stamp}, 304},
		{"older since newer", []string{ifMod, newer}, 304},
		{"modified since", []string{ifMod, older}, 200},
		{"nonsense date", []string{ifMod, "yesterday"}, 200},
		{"tag goes before date", []string{ifNone, `"x"`, ifMod, newer}, 200},
		{"match", []string{ifSome, `"abc"`}, 200},
		{"match is strong", []string{ifSome, `W/"abc"`}, 412},
		{"no match", []string{ifSome, `"x"`}, 412},
		{"unmodified", []string{ifUnm, stamp}, 200},
		{"modified after", []string{ifUnm, older}, 412},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Add(tt.headers[i], tt.headers[i+1])
			}
			if got := origin.CheckConditions(etag, stamp, r); got != tt.want {
				t.Errorf("CheckConditions(%v) = %d, want %d", r.Header, got, tt.want)
			}
		})
	}
}
