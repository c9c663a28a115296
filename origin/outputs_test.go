package origin_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/origin/http1"
	"headwater/segmenter"
)

func TestModes(t *testing.T) {
	for _, tt := range []struct {
		name   string
		usual  origin.Mode
		query  string
		status int
		mode   string // X-Headwater-Mode
	}{
		{"a stream is sent whole", origin.ModeNormal, "", 200, ""},
		{"unless it is asked for live", origin.ModeNormal, "?mode=live", 200, "live"},
		{"also among other things", origin.ModeNormal, "?a=b&mode=live&c", 200, "live"},
		{"or configured so", origin.ModeLive, "", 200, "live"},
		{"and not asked for otherwise", origin.ModeLive, "?mode=normal", 200, ""},
		{"what a query says besides is not for us", origin.ModeLive, "?model=T&%zz", 200, "live"},
		{"there is no other mode", origin.ModeNormal, "?mode=fast", 400, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{Mode: tt.usual}, muxtest.RawAudio(mux.CodecMP3))
			for _, path := range []string{"/live.mp3", "/live.ts"} {
				res, err := http.Get("http://" + h.addr + path + tt.query)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if got := res.Header.Get("X-Headwater-Mode"); res.StatusCode != tt.status || got != tt.mode {
					t.Errorf("GET %s%s = %d in mode %q, want %d in %q", path, tt.query, res.StatusCode, got, tt.status, tt.mode)
				}
			}
		})
	}
}

// A listener in mode live hears a frame before the next one proves it whole,
// each once; sources are read without delay as long as there is such a one, and
// as often as others are sent to before.
func TestModeLiveHearsAtOnce(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{Flush: 50 * time.Millisecond}, muxtest.RawAudio(mux.CodecMP3))
	listen := func(path string, patience time.Duration) io.Reader {
		res, err := http.Get("http://" + h.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		for h.feed.Patience() != patience { // the answer is there a moment before the listener is
			runtime.Gosched()
		}
		return res.Body
	}
	listen("/live.mp3", 50*time.Millisecond)
	body := listen("/live.mp3?mode=live", 0)
	units := muxtest.RawAudio(mux.CodecMP3).UnitsFor(30 * mux.ClockRate)
	units = units[len(units)-20:]
	for i, u := range units {
		h.feed.Preview(u, time.Now())
		got := make([]byte, len(u.Frames[0].Data))
		if _, err := io.ReadFull(body, got); err != nil || !bytes.Equal(got, u.Frames[0].Data) {
			t.Fatalf("frame %d is not heard early: %v", i, err)
		}
		h.feed.Write(units[i:i+1], time.Now())
	}
	if n := h.stream.State(time.Now()).Missed; n != 0 {
		t.Errorf("%d frames were missed", n)
	}
}

// The answer in mode live does not wait for the media.
func TestModeLiveAnswersAtOnce(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.RawAudio(mux.CodecMP3))
	best := time.Hour
	for range 5 {
		began := time.Now()
		res, err := http.Get("http://" + h.addr + "/live.mp3?mode=live")
		if err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
		res.Body.Close()
	}
	if best > 100*time.Millisecond {
		t.Errorf("it came after %v", best)
	}
}

// Pictures are read often, for they are many bytes; sound that nobody listens to
// as seldom as segments allow.
func TestPatience(t *testing.T) {
	for _, tt := range []struct {
		name   string
		stream muxtest.Stream
		target time.Duration
		want   time.Duration
	}{
		{"pictures", muxtest.AV(), 6 * time.Second, 100 * time.Millisecond},
		{"sound", muxtest.Audio(mux.CodecAAC), 6 * time.Second, 500 * time.Millisecond},
		{"sound in short segments", muxtest.Audio(mux.CodecAAC), 2 * time.Second, 250 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, origin.StreamConfig{Segmenter: segmenter.Config{TargetDuration: tt.target}})
			defer b.stop()
			feed := b.attach()
			feed.Write(tt.stream.UnitsFor(mux.ClockRate), time.Now())
			if got := feed.Patience(); got != tt.want {
				t.Errorf("%s: Patience = %v, want %v", tt.name, got, tt.want)
			}
		})
	}
}

// Over TLS the socket is found where the server of it is told to remember the
// connection. Over HTTP/2 it is shared, and who listens is told so.
func TestModeLiveOverTLS(t *testing.T) {
	h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{}, muxtest.RawAudio(mux.CodecMP3))
	for _, tt := range []struct {
		name   string
		two    bool
		forget bool
		want   string
	}{
		{"HTTP/1.1", false, false, "live"},
		{"HTTP/1.1, by a server that does not remember", false, true, "live; unsent=unknown"},
		{"HTTP/2", true, false, "live; unsent=unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewUnstartedServer(h.server)
			s.EnableHTTP2 = tt.two
			if !tt.forget {
				s.Config.ConnContext = http1.WithConn
			}
			s.StartTLS()
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/live.mp3?mode=live", nil)
			if err != nil {
				t.Fatal(err)
			}
			client := s.Client()
			if !tt.two {
				client.Transport.(*http.Transport).TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
			}
			res, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if got := res.Header.Get("X-Headwater-Mode"); got != tt.want || (res.ProtoMajor == 2) != tt.two {
				t.Errorf("X-Headwater-Mode = %q over %s, want %q", got, res.Proto, tt.want)
			}
		})
	}
}
