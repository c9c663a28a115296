package web_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"headwater/web"
)

func get(path string, headers ...string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	web.Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	tests := []struct {
		path        string
		status      int
		contentType string
		holds       string
	}{
		{"/", 200, "text/html; charset=utf-8", `src="/web/index.js"`},
		{"/live", 200, "text/html; charset=utf-8", `src="/web/player.js"`},
		{"/radio/one", 200, "text/html; charset=utf-8", `data-state="loading"`},
		{"/web/player.js", 200, "text/javascript; charset=utf-8", "Hls"},
		{"/web/index.js", 200, "text/javascript; charset=utf-8", "/api/v1/streams"},
		{"/web/hls.min.js", 200, "text/javascript; charset=utf-8", `"1.7.4"`},
		{"/web/hls.LICENSE.txt", 200, "text/plain; charset=utf-8", "Apache License"},
		{"/web/style.css", 200, "text/css; charset=utf-8", "prefers-color-scheme"},
		{"/web/icon.svg", 200, "image/svg+xml", "<svg"},
		{"/web/nothing.js", 404, "text/plain; charset=utf-8", "no such file"},
		{"/web/../web.go", 404, "text/plain; charset=utf-8", "no such file"},
		{"/web/", 404, "text/plain; charset=utf-8", "no such file"},
	}
	for _, tt := range tests {
		res := get(tt.path)
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != tt.status || res.Header.Get("Content-Type") != tt.contentType || !strings.Contains(string(body), tt.holds) {
			t.Errorf("GET %s = %d %s, want %d %s with %q", tt.path, res.StatusCode, res.Header.Get("Content-Type"), tt.status, tt.contentType, tt.holds)
		}
		if res.Header.Get("Cache-Control") == "" {
			t.Errorf("GET %s has no Cache-Control", tt.path)
		}
		if tt.status != 200 {
			continue
		}
		if again := get(tt.path, "If-None-Match", res.Header.Get("ETag")); again.StatusCode != 304 {
			t.Errorf("GET %s again = %d, want 304", tt.path, again.StatusCode)
		}
	}
}

// The pages load nothing from elsewhere, and work under their own policy: no
// script or style stands in them.
func TestPagesAreSelfContained(t *testing.T) {
	inline := regexp.MustCompile(`<script(?:\s[^>]*)?>[^<]|<style|\sstyle=|\son[a-z]+=|javascript:`)
	foreign := regexp.MustCompile(`(?:src|href)="(?:https?:)?//`)
	for _, path := range []string{"/", "/live"} {
		res := get(path)
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if m := inline.Find(body); m != nil {
			t.Errorf("%s holds %q", path, m)
		}
		if m := foreign.Find(body); m != nil {
			t.Errorf("%s loads %q", path, m)
		}
		policy := res.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s has policy %q", path, policy)
		}
		for _, m := range regexp.MustCompile(`(?:src|href)="(/web/[^"]+)"`).FindAllSubmatch(body, -1) {
			if res := get(string(m[1])); res.StatusCode != 200 {
				t.Errorf("%s refers to %s, which answers %d", path, m[1], res.StatusCode)
			}
		}
	}
}
