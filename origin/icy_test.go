package origin_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/origin/http1"
)

// newRadio serves 20 s of MP3 of 128 kbit/s as "live", of a source that says
// something of its station. The last title begins 3 s before the end.
func newRadio(t *testing.T, cfg origin.StreamConfig, says mux.Station) (h *host, sound []byte) {
	t.Helper()
	h = newHost(t, origin.ServerConfig{}, cfg, muxtest.RawAudio(mux.CodecMP3))
	h.feed.Close(nil, time.Now())
	var err error
	if h.feed, err = h.stream.Attach(mux.SourceInfo{ID: "test-2", Since: time.Now(), Station: says}, time.Now()); err != nil {
		t.Fatal(err)
	}
	units := muxtest.RawAudio(mux.CodecMP3).UnitsFor(20 * mux.ClockRate)
	for i, u := range units {
		if left := units[len(units)-1].PTS - u.PTS; left < 3*mux.ClockRate {
			v := *u
			v.Title = &mux.Title{Artist: "Künstler", Name: "Stück", URL: "http://station.example/stueck"}
			units[i] = &v
			break
		}
	}
	h.feed.Write(units, time.Now())
	for _, u := range units {
		for _, f := range u.Frames {
			sound = append(sound, f.Data...)
		}
	}
	return h, sound
}

// raw sends a request as it is, and returns the head of the answer and what
// follows, which ends after a while.
func (h *host) raw(request string) (status string, head textproto.MIMEHeader, lines string, body io.Reader) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, strings.ReplaceAll(request, "\n", "\r\n")+"\r\n\r\n"); err != nil {
		h.t.Fatal(err)
	}
	var seen bytes.Buffer
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			h.t.Fatalf("%q is answered %q, then %v", request, seen.String(), err)
		}
		if line == "\r\n" {
			break
		}
		seen.WriteString(line)
	}
	lines = seen.String()
	status, rest, _ := strings.Cut(lines, "\r\n")
	head, err = textproto.NewReader(bufio.NewReader(strings.NewReader(rest + "\r\n"))).ReadMIMEHeader()
	if err != nil {
		h.t.Fatalf("the head %q: %v", lines, err)
	}
	return status, head, lines, r
}

// hls-rules F05, F07: who asks for titles is told them, without chunks.
func TestICY(t *testing.T) {
	h, sound := newRadio(t, origin.StreamConfig{}, mux.Station{})
	configured, _ := newRadio(t, origin.StreamConfig{Metaint: 8192}, mux.Station{})
	for _, tt := range []struct {
		name    string
		host    *host
		request string
		metaint int
	}{
		{"nobody asked", h, "GET /live.mp3 HTTP/1.1\nHost: x", 0},
		{"not with 1", h, "GET /live.mp3 HTTP/1.1\nHost: x\nIcy-MetaData: 0", 0},
		{"as all write it", h, "GET /live.mp3 HTTP/1.1\nHost: x\nIcy-MetaData: 1", 1600},
		{"in another case", h, "GET /live.mp3 HTTP/1.1\nHost: x\nicy-metadata:1", 1600},
		{"of the stream itself", h, "GET /live HTTP/1.1\nHost: x\nICY-METADATA: 1", 1600},
		{"in HTTP/1.0", h, "GET /live.mp3 HTTP/1.0\nIcy-MetaData: 1", 1600},
		{"in HTTP/1.0 without titles", h, "GET /live.mp3 HTTP/1.0", 0},
		{"by net/http", h, "GET /li%76e.mp3 HTTP/1.1\nHost: x\nIcy-MetaData: 1", 1600},
		{"by net/http without titles", h, "GET /li%76e.mp3 HTTP/1.1\nHost: x", 0},
		{"in mode live", h, "GET /live.mp3?mode=live HTTP/1.1\nHost: x\nIcy-MetaData: 1", 1600},
		{"as configured", configured, "GET /live.mp3 HTTP/1.1\nHost: x\nIcy-MetaData: 1", 8192},
		{"a transport stream has none", h, "GET /live.ts HTTP/1.0\nIcy-MetaData: 1", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, head, _, body := tt.host.raw(tt.request)
			want := ""
			if tt.metaint > 0 {
				want = strconv.Itoa(tt.metaint)
			}
			if got := head.Get("Icy-Metaint"); status != "HTTP/1.1 200 OK" || got != want || head.Get("Transfer-Encoding") != "" || head.Get("Content-Length") != "" {
				t.Errorf("the answer is %q with %v, want icy-metaint %q and a body up to the end", status, head, want)
			}
			if tt.metaint == 0 || strings.Contains(tt.request, "mode=live") {
				return
			}
			got := make([]byte, tt.metaint+1)
			if _, err := io.ReadFull(body, got); err != nil {
				t.Fatal(err)
			}
			notice := make([]byte, 16*int(got[tt.metaint]))
			if _, err := io.ReadFull(body, notice); err != nil {
				t.Fatal(err)
			}
			const text = "StreamTitle='Künstler - Stück';StreamUrl='http://station.example/stueck';"
			if !bytes.Contains(sound, got[:tt.metaint]) || strings.TrimRight(string(notice), "\x00") != text {
				t.Errorf("after %d bytes comes %q, want %q after %d of the source", len(got)-1, notice, text, tt.metaint)
			}
		})
	}
}

// Titles of a stream that has just begun come as often as its source makes
// one believe they have to.
func TestICYAtOnce(t *testing.T) {
	units := muxtest.RawAudio(mux.CodecMP3).UnitsFor(mux.ClockRate) // of 24 ms
	for _, tt := range []struct {
		name    string
		units   int
		bitrate int // as announced
		want    string
	}{
		{"nothing is known", 5, 0, "1600"},
		{"but for what is announced", 5, 24, "300"},
		{"a little is there", 33, 0, "1600"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, origin.StreamConfig{})
			defer b.stop()
			station := mux.Station{Bitrate: tt.bitrate}
			feed, err := b.stream.Attach(mux.SourceInfo{ID: "test-1", Since: time.Now(), Station: station}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			feed.Write(units[:tt.units], time.Now())
			head := map[string][]string(b.request("HEAD", "/live.mp3", "Icy-MetaData", "1").Header) // as they are sent
			if got := head["icy-metaint"]; len(got) != 1 || got[0] != tt.want {
				t.Errorf("%s: icy-metaint %q, want %q", tt.name, got, tt.want)
			}
		})
	}
}

func TestMetaint(t *testing.T) {
	for _, tt := range []struct {
		name        string
		rate, least int64
		want        int
	}{
		{"not known", 0, 0, 1600},
		{"128 kbit/s", 128_000, 128_000, 1600},
		{"as it is measured", 128_130, 127_700, 1600},
		{"24 kbit/s", 24_000, 23_900, 300},
		{"320 kbit/s", 320_000, 320_000, 4000},
		{"almost nothing", 10, 10, 50},
		{"FLAC", 1_500_000, 1_400_000, 16000},
		{"sometimes half", 128_000, 64_000, 800},
		{"sometimes nothing", 128_000, 100, 400},
		{"no quarter of a second yet", 128_000, 0, 1600},
	} {
		if got := origin.Metaint(tt.rate, tt.least); got != tt.want {
			t.Errorf("%s: metaint(%d, %d) = %d, want %d", tt.name, tt.rate, tt.least, got, tt.want)
		}
	}
}

// hls-rules F08
func TestStationHeaders(t *testing.T) {
	h, _ := newRadio(t, origin.StreamConfig{Title: "The configured one"}, mux.Station{
		Name: "Radio Ü\r\nSet-Cookie: a=b", Description: "All day", Genre: "Various", URL: "http://station.example/",
		Bitrate: 96, AudioInfo: "samplerate=48000;channels=2", Public: true,
	})
	bare, _ := newRadio(t, origin.StreamConfig{}, mux.Station{Genre: strings.Repeat("ü", 1000)})
	titled, _ := newRadio(t, origin.StreamConfig{Title: "The configured one"}, mux.Station{})
	for _, tt := range []struct {
		name    string
		host    *host
		request string
		want    string // lines of the head
	}{
		{"as the source says", h, "GET /live.mp3 HTTP/1.1\nHost: x", `icy-name: Radio Ü  Set-Cookie: a=b
icy-description: All day
icy-genre: Various
icy-url: http://station.example/
ice-audio-info: samplerate=48000;channels=2
icy-pub: 1
icy-br: 96
`},
		{"HEAD", h, "HEAD /live.mp3 HTTP/1.1\nHost: x\nIcy-MetaData: 1", "icy-metaint: 1600\n"},
		{"by net/http", h, "GET /li%76e.mp3 HTTP/1.1\nHost: x", "icy-name: Radio Ü  Set-Cookie: a=b\n"},
		{"the source says nothing", bare, "GET /live.mp3 HTTP/1.1\nHost: x", "icy-name: live\nicy-pub: 0\nicy-br: 128\n"},
		{"the source says too much", bare, "GET /live.mp3 HTTP/1.1\nHost: x", "icy-genre: " + strings.Repeat("ü", 256) + "\n"},
		{"as configured", titled, "GET /live.mp3 HTTP/1.1\nHost: x", "icy-name: The configured one\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, head, lines, _ := tt.host.raw(tt.request)
			for line := range strings.Lines(tt.want) {
				if !strings.Contains(lines, strings.TrimSuffix(line, "\n")+"\r\n") {
					t.Errorf("the head lacks %q:\n%s", line, lines)
				}
			}
			if head.Get("Set-Cookie") != "" {
				t.Errorf("the source has set a header field: %v", head)
			}
			if exposed := head.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "icy-metaint") || !strings.Contains(exposed, "icy-name") {
				t.Errorf("scripts may see %q", exposed)
			}
		})
	}
}

// Players of old are answered in ICY, and only where there is sound.
func TestICYStatusLine(t *testing.T) {
	h, _ := newRadio(t, origin.StreamConfig{}, mux.Station{})
	for _, tt := range []struct{ path, agent, want string }{
		{"/live.mp3", "shoutcastsource/1.0", "ICY 200 OK"},
		{"/live.mp3", "NSPlayer/4 Windows-Media-Player/10", "ICY 200 OK"},
		{"/live.mp3", "RealMedia Player", "ICY 200 OK"},
		{"/live", "BlackBerry9000/5.0", "ICY 200 OK"},
		{"/live.mp3", "Mozilla/5.0", "HTTP/1.1 200 OK"},
		{"/live.ts", "RealMedia Player", "HTTP/1.1 200 OK"},
		{"/nobody.mp3", "RealMedia Player", "HTTP/1.1 404 Not Found"},
	} {
		if got, _, _, _ := h.raw("GET " + tt.path + " HTTP/1.0\nUser-Agent: " + tt.agent); got != tt.want {
			t.Errorf("GET %s by %s = %q, want %q", tt.path, tt.agent, got, tt.want)
		}
	}
}

// hls-rules F09: iOS asks for two bytes, and then for as much as it was told
// there is.
func TestProbe(t *testing.T) {
	h, _ := newRadio(t, origin.StreamConfig{}, mux.Station{})
	for _, tt := range []struct {
		name   string
		fields string
		status int
		span   string
		length int // of the body, if it ends
	}{
		{"two bytes", "Range: bytes=0-1", 206, "bytes 0-1/1073741823", 2},
		{"a hundred", "Range: bytes=0-99", 206, "bytes 0-99/1073741823", 100},
		{"later ones", "Range: bytes=5-8", 206, "bytes 5-8/1073741823", 4},
		{"what iOS asks for then", "Range: bytes=0-1073741822", 200, "", 0},
		{"and when it comes again", "Range: bytes=65536-1073741822", 200, "", 0},
		{"all that browsers want", "Range: bytes=0-", 200, "", 0},
		{"a little more", "Range: bytes=0-100", 200, "", 0},
		{"the last", "Range: bytes=-1", 200, "", 0},
		{"more than one", "Range: bytes=0-1,4-5", 200, "", 0},
		{"another unit", "Range: seconds=0-1", 200, "", 0},
		{"with titles", "Range: bytes=0-1\nIcy-MetaData: 1", 200, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/live.mp3", "/li%76e.mp3", "/live.mp3?mode=live"} {
				status, head, _, body := h.raw("GET " + path + " HTTP/1.1\nHost: x\n" + tt.fields)
				if !strings.HasPrefix(status, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) || head.Get("Content-Range") != tt.span {
					t.Errorf("GET %s = %q with %v, want %d with %q", path, status, head, tt.status, tt.span)
				}
				if tt.length == 0 {
					continue
				}
				got := make([]byte, tt.length)
				if _, err := io.ReadFull(body, got); err != nil || head.Get("Content-Length") != strconv.Itoa(tt.length) || got[0] != 0xff || got[1]&0xe0 != 0xe0 {
					t.Errorf("GET %s: the body of %s bytes is %x, %v, want %d of a frame", path, head.Get("Content-Length"), got, err, tt.length)
				}
			}
			if status, _, _, _ := h.raw("HEAD /live.mp3 HTTP/1.1\nHost: x\n" + tt.fields); status != "HTTP/1.1 200 OK" {
				t.Errorf("HEAD = %q, want 200", status)
			}
		})
	}
	if n := h.server.Stats().Listeners; n > 50 {
		t.Errorf("%d listeners, of which no probe is one", n)
	}
}

// The burst is what is configured, or asked for, as far as there is so much.
func TestBurst(t *testing.T) {
	const rate = 16_000 // bytes a second
	for _, tt := range []struct {
		name   string
		usual  time.Duration
		query  string
		status int
		want   float64 // seconds
	}{
		{"what is usual", 0, "", 200, 2},
		{"configured", 5 * time.Second, "", 200, 5},
		{"configured to none", origin.NoBurst, "", 200, 0},
		{"asked for", origin.NoBurst, "?burst=1.5", 200, 1.5},
		{"asked for more than is usual", 0, "?burst=7", 200, 7},
		{"not wanted", 0, "?a=b&burst=0", 200, 0},
		{"more than there is", 0, "?burst=1e300", 200, 20},
		{"less than none", 0, "?burst=-1", 400, 0},
		{"no number", 0, "?burst=NaN", 400, 0},
		{"nothing", 0, "?burst=", 400, 0},
		{"a word", 0, "?burst=all", 400, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHost(t, origin.ServerConfig{}, origin.StreamConfig{Burst: tt.usual}, muxtest.RawAudio(mux.CodecMP3))
			if tt.want > 5 { // or so much would not be kept
				_, _, _, body := h.raw("GET /live.mp3 HTTP/1.1\nHost: x")
				go io.Copy(io.Discard, body) // ends with the server
			}
			units := muxtest.RawAudio(mux.CodecMP3).UnitsFor(60 * mux.ClockRate)
			for i := 834; i < len(units); i++ {
				h.feed.Write(units[i:i+1], time.Now())
			}
			status, _, _, body := h.raw("GET /live.mp3" + tt.query + " HTTP/1.1\nHost: x")
			if !strings.HasPrefix(status, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) {
				t.Fatalf("the answer is %q, want %d", status, tt.status)
			}
			if tt.status != 200 {
				return
			}
			h.feed.Close(nil, time.Now())
			h.stop() // ends the body
			n, err := io.Copy(io.Discard, body)
			if got := float64(n) / rate; err != nil || got < tt.want-0.3 || got > tt.want+0.9 { // up to a flush before it, two after it, and a little
				t.Errorf("%.2f s come at once, %v, want %v", got, err, tt.want)
			}
		})
	}
}

// Over TLS there are titles, too, and no chunks; over HTTP/2 there never were.
func TestICYOverTLS(t *testing.T) {
	h, sound := newRadio(t, origin.StreamConfig{}, mux.Station{Name: "Radio"})
	for _, two := range []bool{false, true} {
		s := httptest.NewUnstartedServer(h.server)
		s.EnableHTTP2 = two
		s.Config.ConnContext = http1.WithConn
		s.StartTLS()
		t.Cleanup(s.Close)
		req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/live.mp3", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Icy-MetaData", "1")
		client := s.Client()
		if !two {
			client.Transport.(*http.Transport).TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 1601)
		_, err = io.ReadFull(res.Body, got)
		if err != nil || res.Header.Get("Icy-Metaint") != "1600" || res.Header.Get("Icy-Name") != "Radio" || len(res.TransferEncoding) > 0 ||
			!bytes.Contains(sound, got[:1600]) || got[1600] != 5 {
			t.Errorf("%s: the answer has %v, %v and %v, its first notice %d times 16 bytes", res.Proto, res.Header, res.TransferEncoding, err, got[1600])
		}
		res.Body.Close()
	}
}
