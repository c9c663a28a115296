package origin_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// guard knows the passwords "admin" and, of stream one, "source".
type guard struct{}

func (guard) Admin(_ context.Context, user, password, _ string) bool {
	return user == "admin" && password == "admin"
}

func (guard) Source(_ context.Context, stream, _, password, _ string) bool {
	return stream == "one" && password == "source"
}

// openIcecast runs a server like the Icecast whose answers are in testdata.
func openIcecast(t *testing.T) *hall {
	h := open(t, origin.ServerConfig{Guard: guard{}}, origin.StreamConfig{Name: "one"}, origin.StreamConfig{Name: "two"}, origin.StreamConfig{Name: "three"})
	h.feeds[2].Close(nil, time.Now())
	for i, name := range []string{"one", "two"} {
		h.feeds[i].Close(nil, time.Now())
		feed, err := h.server.Streams()[map[string]int{"one": 0, "two": 2}[name]].Attach(mux.SourceInfo{
			ID: "test-2", Kind: "icecast", Remote: "127.0.0.1:1", Since: time.Now(), End: func() { h.ended = name },
			Station: mux.Station{Name: "Radio " + name, Description: "D & d", Genre: "Jazz", URL: "http://x.example"},
		}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		h.feeds[i] = feed
	}
	h.server.Streams()[0].SetTitle(mux.Title{Artist: "Art", Name: "Tit"}, time.Now())
	for _, feed := range h.feeds[:2] {
		feed.Write(second(), time.Now())
	}
	return h
}

// ask sends a request and returns the answer.
func (h *hall) ask(path, user, password string) (int, string) {
	r := httptest.NewRequest("GET", "http://radio.example:8000"+path, nil)
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	w := httptest.NewRecorder()
	h.server.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// elements returns the paths of all elements and attributes of some XML.
func elements(t *testing.T, text string) (paths []string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	at := ""
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			slices.Sort(paths)
			return slices.Compact(paths)
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		switch e := token.(type) {
		case xml.StartElement:
			at += "/" + e.Name.Local
			paths = append(paths, at)
			for _, a := range e.Attr {
				paths = append(paths, at+"@"+a.Name.Local)
			}
		case xml.EndElement:
			at = at[:strings.LastIndexByte(at, '/')]
		}
	}
}

// What Icecast answers has all its elements here, too, for all commands.
func TestIcecastElements(t *testing.T) {
	h := openIcecast(t)
	hear(t, h.listen("/one.mp3", "User-Agent: curl/x"))
	for _, c := range []struct{ name, query string }{
		{"stats", ""}, {"listmounts", ""}, {"listclients", "?mount=/one.mp3"},
		{"moveclients", "?mount=/one.mp3&destination=/two.mp3"}, {"killclient", "?mount=/two.mp3&id=99"}, {"killsource", "?mount=/two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden, err := os.ReadFile("testdata/icecast/" + c.name + ".xml")
			if err != nil {
				t.Fatal(err)
			}
			status, body := h.ask("/admin/"+c.name+c.query, "admin", "admin")
			if status != http.StatusOK {
				t.Fatalf("status %d: %s", status, body)
			}
			ours := elements(t, body)
			for _, e := range elements(t, string(golden)) {
				if !slices.Contains(ours, e) {
					t.Errorf("%s has no %s", body, e)
				}
			}
			if strings.Contains(string(golden), "<message>") && body != string(golden[:len(golden)-1]) {
				t.Errorf("the answer is %s, want %s", body, golden)
			}
		})
	}
	if h.ended != "two" {
		t.Errorf("killsource ended the source of %q, want two", h.ended)
	}
}

func TestIcecastJSON(t *testing.T) {
	type status struct {
		Stats map[string]any `json:"icestats"`
	}
	var golden status
	text, err := os.ReadFile("testdata/icecast/status.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	h := openIcecast(t)
	get := func() map[string]any {
		code, body := h.ask("/status-json.xsl", "", "")
		var out status
		if err := json.Unmarshal([]byte(body), &out); err != nil || code != http.StatusOK {
			t.Fatalf("status %d, %v: %s", code, err, body)
		}
		return out.Stats
	}
	ours := get()
	for key := range golden.Stats {
		if _, ok := ours[key]; !ok {
			t.Errorf("icestats has no %s", key)
		}
	}
	list, _ := ours["source"].([]any)
	if len(list) != 2 { // the third has no source
		t.Fatalf("source = %v, want a list of two", ours["source"])
	}
	first := list[0].(map[string]any)
	for key := range golden.Stats["source"].([]any)[0].(map[string]any) {
		if _, ok := first[key]; !ok {
			t.Errorf("a source has no %s", key)
		}
	}
	for key, want := range map[string]any{
		"title": "Art - Tit", "listenurl": "http://radio.example:8000/one.mp3", "server_name": "Radio one",
		"server_type": "audio/mpeg", "listeners": 0.0, "channels": 2.0,
	} {
		if first[key] != want {
			t.Errorf("%s = %v, want %v", key, first[key], want)
		}
	}
	h.feeds[0].Close(nil, time.Now())
	if _, ok := get()["source"].(map[string]any); !ok {
		t.Errorf("one source is %v, want an object", get()["source"])
	}
	h.feeds[1].Close(nil, time.Now())
	if s, ok := get()["source"]; ok {
		t.Errorf("no source is %v, want none", s)
	}
}

func TestIcecastAsksForPasswords(t *testing.T) {
	h := openIcecast(t)
	for _, c := range []struct {
		path, user, password string
		want                 int
	}{
		{"/status-json.xsl", "", "", 200},
		{"/admin/stats", "", "", 401},
		{"/admin/stats", "admin", "source", 401},
		{"/admin/stats", "source", "source", 401},
		{"/admin/stats", "admin", "admin", 200},
		{"/admin/stats?mount=/one", "admin", "admin", 200},
		{"/admin/stats?mount=/none", "admin", "admin", 400},
		{"/admin/streamlist.txt", "admin", "admin", 200},
		{"/admin/listclients?mount=/one", "source", "source", 200},
		{"/admin/listclients?mount=/two", "source", "source", 401},
		{"/admin/listclients?mount=/none", "source", "source", 401}, // which streams there are is no news for all
		{"/admin/listclients?mount=/none", "admin", "admin", 400},
		{"/admin/listclients", "admin", "admin", 400},
		{"/admin/killclient?mount=/one", "source", "source", 400},
		{"/admin/killclient?mount=/one&id=-1", "source", "source", 400},
		{"/admin/moveclients?mount=/one", "source", "source", 400},
		{"/admin/nothing", "admin", "admin", 404},
	} {
		if got, body := h.ask(c.path, c.user, c.password); got != c.want {
			t.Errorf("%s as %q: %d %s, want %d", c.path, c.user, got, body, c.want)
		}
	}
	if _, body := h.ask("/admin/streamlist.txt", "admin", "admin"); body != "/one.mp3\r\n/two.mp3\r\n" {
		t.Errorf("streamlist.txt is %q", body)
	}
	if _, body := h.ask("/admin/stats?mount=/two", "admin", "admin"); !strings.Contains(body, `mount="/two"`) || strings.Contains(body, "Radio one") {
		t.Errorf("stats of /two are %s", body)
	}
}

// Who may send to a stream ends its listeners, and none of other streams.
func TestIcecastKillsClients(t *testing.T) {
	h := openIcecast(t)
	one, two := h.listen("/one.mp3"), h.listen("/two.mp3")
	hear(t, one)
	hear(t, two)
	for _, l := range h.server.Listeners("") {
		h.ask("/admin/killclient?mount=/one.mp3&id="+itoa(l.ID), "source", "source")
	}
	io.Copy(io.Discard, one.Body) // comes to an end
	if l := h.server.Listeners(""); len(l) != 1 || l[0].Stream != "two" {
		t.Errorf("there are %+v, want the listener of stream two", l)
	}
}

// An operator's fallback is heard when the source has gone, by who listens
// already.
func TestIcecastSetsFallback(t *testing.T) {
	h := openIcecast(t)
	res := h.listen("/one.mp3")
	hear(t, res)
	for _, c := range []struct{ query, want string }{
		{"?mount=/one&fallback=/none", "there is no stream"},
		{"?mount=/one&fallback=/one.mp3", "its own"},
		{"?mount=/one.mp3&fallback=/two.mp3", "<message>Fallback configured</message><return>1</return>"},
		{"?mount=/two&fallback=/one", "circle"},
		{"?mount=/three&fallback=/one", "circle"},
	} {
		if _, body := h.ask("/admin/fallbacks"+c.query, "admin", "admin"); !strings.Contains(body, c.want) {
			t.Errorf("fallbacks%s answers %s, want %q", c.query, body, c.want)
		}
	}
	if _, body := h.ask("/admin/listmounts", "admin", "admin"); !strings.Contains(body, "<fallback>/two</fallback>") {
		t.Errorf("listmounts does not show the fallback: %s", body)
	}
	events := h.server.Events()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	units := muxtest.Audio(mux.CodecMP3).UnitsFor(10 * mux.ClockRate)[42:]
	for heard := false; !heard; {
		if len(units) < 4 {
			t.Fatal("the fallback was not heard in time")
		}
		select {
		case <-pace.C:
			h.feeds[1].Write(units[:4], time.Now())
			units = units[4:]
		case e := <-events.C:
			switch {
			case e.Stream != "one":
			case e.Kind == origin.EventSourceConnected: // the standby's
				h.feeds[0].Close(nil, time.Now())
			case e.Kind == origin.EventFallback:
				heard = true
			}
		}
	}
	hear(t, res)
	if _, body := h.ask("/admin/fallbacks?mount=/one&fallback=", "admin", "admin"); !strings.Contains(body, "<return>1</return>") {
		t.Errorf("the fallback does not end: %s", body)
	}
}
