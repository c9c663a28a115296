package origin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// newGuarded is newBed with a guard that knows two passwords.
func newGuarded(t *testing.T) *bed {
	b := newBed(t, origin.StreamConfig{})
	b.server = origin.NewServer(origin.ServerConfig{Guard: keys{}})
	if err := b.server.Add(b.stream); err != nil {
		t.Fatal(err)
	}
	return b
}

// hls-rules F14, F15
func TestMetadata(t *testing.T) {
	const answer = "<?xml version=\"1.0\"?>\n<iceresponse><message>Metadata update successful</message><return>1</return></iceresponse>"
	long := strings.Repeat("%FC", 100<<10)
	for _, tt := range []struct {
		name, method, target, body string
		user, password             string
		status                     int
		title                      mux.Title
	}{
		{"Icecast", "GET", "/admin/metadata?mode=updinfo&mount=/live&song=A+-+B%20C", "", "source", "hackme", 200, mux.Title{Artist: "A", Name: "B C"}},
		{"artist and title apart", "GET", "/admin/metadata?mount=/live.mp3&mode=updinfo&artist=A&title=B%26C&url=http://u", "", "source", "hackme", 200, mux.Title{Artist: "A", Name: "B&C", URL: "http://u"}},
		{"by the administrator", "GET", "/admin/metadata?mode=updinfo&mount=%2Flive&song=A", "", "admin", "king", 200, mux.Title{Name: "A"}},
		{"in Latin-1", "GET", "/admin/metadata?mode=updinfo&mount=/live&song=F%FCr", "", "source", "hackme", 200, mux.Title{Name: "Für"}},
		{"in UTF-8, said to be Latin-1", "GET", "/admin/metadata?mode=updinfo&mount=/live&song=F%C3%BCr&charset=ISO-8859-1", "", "source", "hackme", 200, mux.Title{Name: "Für"}},
		{"in UTF-16", "GET", "/admin/metadata?mode=updinfo&mount=/live&song=%00F%00%FC&charset=UTF-16", "", "source", "hackme", 200, mux.Title{Name: "Fü"}},
		{"escaped badly", "GET", "/admin/metadata?mode=updinfo&mount=/live&song=100%;%zz'%0a", "", "source", "hackme", 200, mux.Title{Name: "100%;%zz'"}},
		{"a mount that is posted", "POST", "/admin/metadata", "mode=updinfo&mount=/live&song=A", "source", "hackme", 401, mux.Title{}},
		{"a song that is posted", "POST", "/admin/metadata?mount=/live", "mode=updinfo&song=A", "source", "hackme", 200, mux.Title{Name: "A"}},
		{"300 KB", "POST", "/admin/metadata?mount=/live&mode=updinfo", "song=" + long, "source", "hackme", 200, mux.Title{Name: strings.Repeat("ü", 512)}},
		{"another mode", "GET", "/admin/metadata?mode=other&mount=/live&song=A", "", "source", "hackme", 400, mux.Title{}},
		{"no song", "GET", "/admin/metadata?mode=updinfo&mount=/live", "", "source", "hackme", 400, mux.Title{}},
		{"a wrong password", "GET", "/admin/metadata?mode=updinfo&mount=/live&song=A", "", "source", "guess", 401, mux.Title{}},
		{"SHOUTcast", "GET", "/admin.cgi?pass=hackme&mode=updinfo&song=A+-+B&url=", "", "", "", 200, mux.Title{Artist: "A", Name: "B"}},
		{"SHOUTcast, with a stream", "GET", "/admin.cgi?pass=king&mode=updinfo&song=A&mount=/live", "", "", "", 200, mux.Title{Name: "A"}},
		{"SHOUTcast, a wrong password", "GET", "/admin.cgi?pass=guess&mode=updinfo&song=A", "", "", "", 401, mux.Title{}},
		{"SHOUTcast, no password", "GET", "/admin.cgi?mode=updinfo&song=A", "", "", "", 401, mux.Title{}},
		{"SHOUTcast, no such stream", "GET", "/admin.cgi?pass=king&mode=updinfo&song=A&mount=/none", "", "", "", 400, mux.Title{}},
		{"SHOUTcast, something else", "GET", "/admin.cgi?pass=hackme&mode=viewxml", "", "", "", 400, mux.Title{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newGuarded(t)
				defer b.stop()
				source := b.play(muxtest.RawAudio(mux.CodecMP3))
				source.send(time.Second)
				r := httptest.NewRequest(tt.method, tt.target, strings.NewReader(tt.body))
				if tt.user != "" {
					r.SetBasicAuth(tt.user, tt.password)
				}
				w := httptest.NewRecorder()
				b.server.ServeHTTP(w, r)
				if w.Code != tt.status {
					t.Fatalf("%s %.100s = %d %q, want %d", tt.method, tt.target, w.Code, w.Body, tt.status)
				}
				if strings.Contains(tt.target, "/admin/") && w.Code == http.StatusOK && w.Body.String() != answer {
					t.Errorf("the answer is %q, want %q", w.Body, answer)
				}
				source.send(time.Second)
				var got mux.Title
				if played := b.stream.Titles(); len(played) > 0 {
					got = played[0].Title
				}
				if got != tt.title {
					t.Errorf("the title is %.80q, want %.80q", got, tt.title)
				}
			})
		})
	}
}
