package check_test

import (
	"net/http"
	"testing"

	"headwater/playlist/check"
)

// change is a test of a rule about headers.
type change struct {
	name   string
	rules  string
	change func(*check.Response)
}

func answerTests() []change {
	set := func(name, value string) func(*check.Response) {
		return func(r *check.Response) { r.Header.Set(name, value) }
	}
	status := func(code int) func(*check.Response) {
		return func(r *check.Response) {
			r.Status, r.Body = code, nil
			r.Header.Del("Cache-Control")
		}
	}
	asked := func(accept, coding string) func(*check.Response) {
		return func(r *check.Response) {
			r.Asked = http.Header{"Accept-Encoding": {accept}}
			r.Header.Set("Content-Encoding", coding)
		}
	}
	return []change{
		{"a path without suffix", "A03", func(r *check.Response) { r.URL = "https://example.com/live/main?x=.m3u8" }},
		{"stale Last-Modified", "A42", set("Last-Modified", epoch.Add(-22e9).Format(http.TimeFormat))},
		{"the old type", "D01", set("Content-Type", "application/x-mpegURL")},
		{"compressed unasked", "D03", asked("identity", "gzip")},
		{"compressed though refused", "D03", asked("gzip;q=0, identity", "gzip")},
		{"not compressed", "D03", asked("br, gzip", "")},
		{"no Vary", "D03", set("Vary", "")},
		{"a redirect", "D04 D08", status(http.StatusFound)},
		{"an error without Cache-Control", "D08", status(http.StatusNotFound)},
		{"no Cache-Control", "D08", func(r *check.Response) { r.Header.Del("Cache-Control") }},
		{"cached for a day", "D08", set("Cache-Control", "public, max-age=86400")},
		{"cached by proxies for a day", "D08", set("Cache-Control", "max-age=1, s-maxage=86400")},
		{"no CORS", "D18", func(r *check.Response) { r.Header.Del("Access-Control-Allow-Origin") }},
		{"Age is not exposed", "D18", set("Access-Control-Expose-Headers", "Date")},
		{"no Date", "D20", set("Date", "")},
	}
}

func TestAnswerRules(t *testing.T) {
	for _, tt := range answerTests() {
		t.Run(tt.name, func(t *testing.T) {
			r := answer(mainURL, media(100, 8), 0)
			tt.change(&r)
			if got := broken(t, r); !same(got, tt.rules) {
				t.Errorf("breaks %q, want %q", got, tt.rules)
			}
		})
	}
	for _, keep := range []func(*check.Response){
		func(r *check.Response) { r.URL += "?_HLS_msn=108"; r.Header.Set("Cache-Control", "max-age=42") },
		func(r *check.Response) {
			r.Asked = http.Header{"Accept-Encoding": {"gzip;q=0.5"}}
			r.Header.Set("Content-Encoding", "gzip")
		},
		func(r *check.Response) { r.Status, r.Body = http.StatusNotModified, nil },
	} {
		r := answer(mainURL, media(100, 8), 0)
		keep(&r)
		if got := broken(t, r); len(got) > 0 {
			t.Errorf("%s with %v breaks %q, want nothing", r.URL, r.Header, got)
		}
	}
}
