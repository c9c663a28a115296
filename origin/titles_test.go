package origin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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

// texts returns the titles of a stream, the oldest first.
func texts(s *origin.Stream) string {
	var all []string
	for _, p := range s.Titles() {
		all = append(all, p.String())
	}
	return strings.Join(all, ", ")
}

// A title that is set lies within 100 ms of the media that came then, whatever
// the source is, and as soon as it is known where that lies, not before.
func TestTitleIsAtItsPlace(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream muxtest.Stream
	}{
		{"raw MP3", muxtest.RawAudio(mux.CodecMP3)},
		{"raw AAC", muxtest.RawAudio(mux.CodecAAC)},
		{"sound in a transport stream", muxtest.Audio(mux.CodecAAC)},
		{"with pictures", muxtest.AV()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{})
				defer b.stop()
				source := b.play(tt.stream)
				var set []time.Time
				for i := range 20 {
					source.send(time.Duration(1500+137*i) * time.Millisecond)
					set = append(set, time.Now())
					b.stream.SetTitle(mux.Title{Name: fmt.Sprint("title ", i)}, time.Now())
				}
				source.send(10 * time.Second)
				played := b.stream.Titles()
				if len(played) != len(set) {
					t.Fatalf("%d titles were played, want %d: %s", len(played), len(set), texts(b.stream))
				}
				for i, p := range played {
					if d := p.Time.Sub(set[i]); d.Abs() > 100*time.Millisecond {
						t.Errorf("%s is at %v, %v from where it was set", p, p.Time, d)
					}
				}
			})
		})
	}
}

func TestTitlesOfAStream(t *testing.T) {
	title := func(text string) mux.Title { return mux.ParseTitle(text) }
	for _, tt := range []struct {
		name string
		do   func(b *bed)
		want string
	}{
		{"one that waits for a source is its first", func(b *bed) {
			b.stream.SetTitle(title("old"), time.Now())
			b.stream.SetTitle(title("A - B"), time.Now())
			b.play(muxtest.RawAudio(mux.CodecMP3)).send(time.Second)
		}, "A - B"},
		{"one that repeats the last changes nothing", func(b *bed) {
			l := b.play(muxtest.RawAudio(mux.CodecMP3))
			for range 3 {
				l.send(time.Second)
				b.stream.SetTitle(title("same"), time.Now())
			}
			l.send(time.Second)
		}, "same"},
		{"none is played before its media comes", func(b *bed) {
			b.play(muxtest.RawAudio(mux.CodecMP3)).send(time.Second)
			b.stream.SetTitle(title("later"), time.Now())
		}, ""},
		{"the newest counts for a source that comes after the one it was set for", func(b *bed) {
			l := b.play(muxtest.RawAudio(mux.CodecMP3))
			l.send(time.Second)
			b.stream.SetTitle(title("one"), time.Now())
			b.stream.SetTitle(title("two"), time.Now())
			l.feed.Close(io.EOF, time.Now())
			b.play(muxtest.RawAudio(mux.CodecMP3)).send(time.Second)
		}, "two"},
		{"the media brings one by itself", func(b *bed) {
			l := b.play(muxtest.RawAudio(mux.CodecMP3))
			l.send(time.Second)
			u, _ := l.units()
			v := *u
			v.Title = &mux.Title{Artist: "A\x00\xff", Name: "B\r\n';"}
			l.feed.Write([]*mux.Unit{&v}, time.Now())
		}, "A \uFFFD - B  ';"},
		{"a clock that is set back delays none", func(b *bed) {
			l := b.play(muxtest.Audio(mux.CodecAAC))
			l.send(time.Minute)
			b.stream.SetTitle(title("here"), time.Now())
			u, _ := l.units()
			v := *u
			v.PTS, v.DTS = 0, 0
			l.feed.Write([]*mux.Unit{&v}, time.Now())
		}, "here"},
		{"only the newest are kept", func(b *bed) {
			l := b.play(muxtest.RawAudio(mux.CodecMP3))
			for i := range 60 {
				b.stream.SetTitle(title(fmt.Sprint(i)), time.Now())
				l.send(100 * time.Millisecond)
			}
			if n := len(b.stream.Titles()); n != 50 {
				b.t.Errorf("%d titles are kept, want 50", n)
			}
		}, "10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59"},
		{"of a thousand at once the last is played", func(b *bed) {
			l := b.play(muxtest.RawAudio(mux.CodecMP3))
			l.send(time.Second)
			for i := range 1000 {
				b.stream.SetTitle(title(fmt.Sprint(i)), time.Now())
			}
			l.send(time.Second)
		}, "999"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{})
				defer b.stop()
				tt.do(b)
				synctest.Wait()
				if got := texts(b.stream); got != tt.want {
					t.Errorf("Titles() = %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// keys is a guard that knows two passwords.
type keys struct{}

func (keys) Admin(_ context.Context, user, password, _ string) bool {
	return user == "admin" && password == "king"
}

func (keys) Source(_ context.Context, stream, _, password, _ string) bool {
	return stream == "live" && password == "hackme"
}

func TestTitlesAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		b.server = origin.NewServer(origin.ServerConfig{Guard: keys{}})
		if err := b.server.Add(b.stream); err != nil {
			t.Fatal(err)
		}
		source := b.play(muxtest.RawAudio(mux.CodecMP3))
		source.send(5 * time.Second)
		const good = `{"artist": "Nina Simone", "title": "Sinnerman", "url": "https://example.com/"}`
		for _, tt := range []struct {
			name                               string
			method, path, user, password, body string
			want                               int
		}{
			{"without a password", "PUT", "/api/v1/titles/live", "", "", good, 401},
			{"a wrong one", "PUT", "/api/v1/titles/live", "source", "guess", good, 401},
			{"the password of another stream", "PUT", "/api/v1/titles/other", "source", "hackme", good, 401},
			{"no such stream", "PUT", "/api/v1/titles/other", "admin", "king", good, 404},
			{"no JSON", "PUT", "/api/v1/titles/live", "source", "hackme", "title=x", 400},
			{"a word that means nothing", "PUT", "/api/v1/titles/live", "source", "hackme", `{"song": "x"}`, 400},
			{"far too much", "PUT", "/api/v1/titles/live", "source", "hackme", `{"title": "` + strings.Repeat("x", 100<<10) + `"}`, 400},
			{"another method", "DELETE", "/api/v1/titles/live", "source", "hackme", good, 405},
			{"another resource", "PUT", "/api/v1/streams/live", "source", "hackme", good, 405},
			{"of the source", "POST", "/api/v1/titles/live", "source", "hackme", `{"title": "first"}`, 204},
			{"of the administrator", "PUT", "/api/v1/titles/live", "admin", "king", good, 204},
		} {
			r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
			if tt.user != "" {
				r.SetBasicAuth(tt.user, tt.password)
			}
			w := httptest.NewRecorder()
			b.server.ServeHTTP(w, r)
			if w.Code != tt.want || w.Code == 401 && w.Header().Get("WWW-Authenticate") == "" {
				t.Errorf("%s: %d %q, want %d", tt.name, w.Code, w.Body, tt.want)
			}
			source.send(time.Second)
		}
		var list struct{ Titles []origin.TitleState }
		if err := json.Unmarshal([]byte(b.body("/api/v1/titles/live", http.StatusOK)), &list); err != nil {
			t.Fatal(err)
		}
		if len(list.Titles) != 2 || list.Titles[0].Text != "Nina Simone - Sinnerman" || list.Titles[1].Title != "first" {
			t.Errorf("titles are %+v", list.Titles)
		}
		if state := b.stream.State(time.Now()); state.Title == nil || state.Title.URL != "https://example.com/" {
			t.Errorf("state has title %+v", state.Title)
		}
		b.body("/api/v1/titles/none", http.StatusNotFound)
	})
}
