package access_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"headwater/cmd/headwater/access"
	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/segmenter"
)

var secret = access.Secret("a secret")

// guarded is a server with a stream that not everybody may hear.
type guarded struct {
	t *testing.T
	*origin.Local
}

func guard(t *testing.T, l access.Listening) *guarded {
	t.Helper()
	gates := access.NewGates(secret, "10.0.0.1:8080", slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { gates.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	server, err := origin.Start(origin.ServerConfig{Drain: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	stream, err := origin.NewStream(origin.StreamConfig{
		Name: "radio/one", Gate: gates.Gate(l), PublishAfter: 1, Segmenter: segmenter.Config{TargetDuration: 2 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Add(stream); err != nil {
		t.Fatal(err)
	}
	feed, err := stream.Attach(mux.SourceInfo{ID: "test-1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	feed.Write(muxtest.RawAudio(mux.CodecMP3).UnitsFor(20*mux.ClockRate), time.Now())
	return &guarded{t, server}
}

// get returns the answer to a request, and the beginning of its body.
func (g *guarded) get(path, user, password string) (*http.Response, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.URL+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer res.Body.Close()
	body := make([]byte, 400)
	n, _ := io.ReadFull(res.Body, body)
	return res, string(body[:n])
}

// playlist waits until there is one.
func (g *guarded) playlist(path string) string {
	g.t.Helper()
	for {
		if res, body := g.get(path, "", ""); res.StatusCode != http.StatusServiceUnavailable {
			if res.StatusCode != http.StatusOK {
				g.t.Fatalf("%s: %d %s", path, res.StatusCode, body)
			}
			return body
		}
	}
}

// last returns the last URI of a playlist, as a path.
func last(t *testing.T, base, text string) string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for len(lines) > 0 && strings.HasPrefix(lines[len(lines)-1], "#") {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		t.Fatalf("no URI in %s", text)
	}
	from, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	to, err := from.Parse(lines[len(lines)-1])
	if err != nil {
		t.Fatal(err)
	}
	return to.Path
}

// A token in front of the path is in front of all that playlists name; one in
// the query gets there. What is expired or another's gets nothing.
func TestTokensOpenAll(t *testing.T) {
	g := guard(t, access.Listening{Tokens: true})
	token := secret.Token("radio/one", time.Now().Add(time.Hour))
	for _, start := range []string{"/t/" + token + "/radio/one.m3u8", "/radio/one.m3u8?token=" + token} {
		at := start
		for _, want := range []string{"#EXTM3U", "#EXTM3U", ""} {
			text := g.playlist(at)
			if !strings.HasPrefix(text, want) {
				t.Fatalf("%s is %q", at, text)
			}
			if want != "" {
				at = last(t, at, text)
			}
		}
		if !strings.HasPrefix(at, "/t/"+token+"/radio/one/") {
			t.Errorf("the segment is at %s", at)
		}
		if res, body := g.get(strings.TrimPrefix(at, "/t/"+token), "", ""); res.StatusCode != http.StatusForbidden {
			t.Errorf("a segment without token: %d %.60q, want 403", res.StatusCode, body)
		}
	}
	late := secret.Token("radio/one", time.Now().Add(-time.Second))
	other := secret.Token("radio/two", time.Now().Add(time.Hour))
	for path, want := range map[string]int{
		"/t/" + token + "/radio/one.mp3":    200,
		"/radio/one.mp3?token=" + token:     200,
		"/t/" + token + "/radio/one.m3u":    200,
		"/t/" + late + "/radio/one.mp3":     403,
		"/t/" + other + "/radio/one.mp3":    403,
		"/t/x/radio/one.m3u8":               403,
		"/radio/one.mp3":                    403,
		"/radio/one/main.m3u8":              403,
		"/t/" + token + "/admin/stats":      404,
		"/t/" + token + "/t/x/radio/one.ts": 404,
		"/t//radio/one.mp3":                 404,
	} {
		if res, body := g.get(path, "", ""); res.StatusCode != want {
			t.Errorf("%s: %d %.80q, want %d", path, res.StatusCode, body, want)
		}
	}
	if _, text := g.get("/t/"+token+"/radio/one.m3u", "", ""); !strings.Contains(text, "/t/"+token+"/radio/one.mp3") {
		t.Errorf("the pointer has no token: %s", text)
	}
}

func TestPasswordsOpenAll(t *testing.T) {
	anna, err := access.ParsePassword("secret: ü")
	if err != nil {
		t.Fatal(err)
	}
	g := guard(t, access.Listening{Users: map[string]access.Password{"anna": anna}})
	for _, c := range []struct {
		path, user, password string
		want                 int
	}{
		{"/radio/one.mp3", "anna", "secret: ü", 200},
		{"/radio/one.m3u8", "anna", "secret: ü", 200},
		{"/radio/one.mp3", "bert", "secret: ü", 401},
		{"/radio/one.mp3", "anna", "", 401},
		{"/radio/one.mp3", "", "", 401},
		{"/radio/one.m3u8", "", "", 401},
		{"/radio/one/main.m3u8", "", "", 401},
	} {
		for {
			res, body := g.get(c.path, c.user, c.password)
			if res.StatusCode == http.StatusServiceUnavailable {
				continue
			}
			if res.StatusCode != c.want {
				t.Errorf("%s as %s: %d %.60q, want %d", c.path, c.user, res.StatusCode, body, c.want)
			}
			if challenge := res.Header.Get("WWW-Authenticate"); (challenge != "") != (c.want == 401) {
				t.Errorf("%s as %s: WWW-Authenticate is %q", c.path, c.user, challenge)
			}
			if caching := res.Header.Get("Cache-Control"); strings.Contains(caching, "public") {
				t.Errorf("%s as %s: Cache-Control is %q: a shared cache would give it to all", c.path, c.user, caching)
			}
			break
		}
	}
}

// service is an operator's own, which is asked as Icecast asks.
func service(t *testing.T, answer func(w http.ResponseWriter, form url.Values)) (*url.URL, chan url.Values) {
	asked := make(chan url.Values, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.ParseForm() != nil {
			t.Errorf("the service was asked by %s %s", r.Method, r.URL)
		}
		answer(w, r.PostForm)
		asked <- r.PostForm
	}))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u, asked
}

func TestServiceSaysWhoListens(t *testing.T) {
	to, asked := service(t, func(w http.ResponseWriter, form url.Values) {
		switch form.Get("user") {
		case "anna":
			w.Header().Set("icecast-auth-user", "1")
		case "bert":
			w.Header().Set("icecast-auth-message", "pay\u00a0first")
		case "moved":
			w.Header().Set("Location", "http://other.example/")
		case "broken":
			w.Header().Set("icecast-auth-user", "1")
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	g := guard(t, access.Listening{Add: to, Remove: to})
	for _, c := range []struct {
		user string
		want int
		says string
	}{{"anna", 200, ""}, {"bert", 403, "pay"}, {"", 401, "not for everybody"}, {"moved", 302, ""}, {"broken", 403, ""}} {
		res, body := g.get("/radio/one.mp3?from=car", c.user, "pw")
		if res.StatusCode != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%q: %d %.60q, want %d and %q", c.user, res.StatusCode, body, c.want, c.says)
		}
		form := <-asked
		for key, want := range map[string]string{"action": "listener_add", "mount": "/radio/one.mp3?from=car", "user": c.user,
			"ip": "127.0.0.1", "server": "10.0.0.1", "port": "8080", "agent": "Go-http-client/1.1"} {
			if form.Get(key) != want {
				t.Errorf("%q: the service was told %s = %q, want %q", c.user, key, form.Get(key), want)
			}
		}
		if c.user != "anna" {
			continue
		}
		left := <-asked
		if left.Get("action") != "listener_remove" || left.Get("duration") == "" || left.Get("client") != form.Get("client") || left.Get("client") == "" {
			t.Errorf("of a listener that has gone the service was told %v", left)
		}
	}
	if n := g.Stats().Listeners; n != 0 {
		t.Errorf("there are %d listeners, want none", n)
	}
	if res, body := g.get("/radio/one.m3u8", "anna", "pw"); res.StatusCode != http.StatusForbidden || !strings.Contains(body, "HLS") {
		t.Errorf("HLS: %d %s, want 403", res.StatusCode, body)
	}
}

// A service may say how long somebody may listen, and one that does not answer
// lets nobody in.
func TestServiceLimitsTime(t *testing.T) {
	to, _ := service(t, func(w http.ResponseWriter, _ url.Values) {
		w.Header().Set("icecast-auth-user", "1")
		w.Header().Set("icecast-auth-timelimit", "1")
	})
	g := guard(t, access.Listening{Add: to})
	res, err := http.Get(g.URL + "/radio/one.mp3")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Error(err)
	}
	if n := g.Stats().Expired; n != 1 {
		t.Errorf("%d listeners were sent away for their time, want 1", n)
	}
	gone, err := url.Parse("http://127.0.0.1:1/")
	if err != nil {
		t.Fatal(err)
	}
	g = guard(t, access.Listening{Add: gone})
	if res, _ := g.get("/radio/one.mp3", "", ""); res.StatusCode != http.StatusForbidden {
		t.Errorf("without an answer of the service: %d, want 403", res.StatusCode)
	}
}
