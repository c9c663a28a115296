package origin_test

import (
	"io"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// hls-rules F18 to F21: the small files point to the sound by the name that the
// listener knows the server by, and say what the station is called.
func TestPointers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Title: "the configured one"})
		defer b.stop()
		station := mux.Station{Name: "Rock & <Roll>\nRadio"}
		feed, err := b.stream.Attach(mux.SourceInfo{ID: "test-1", Since: time.Now(), Station: station}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		feed.Write(muxtest.RawAudio(mux.CodecAAC).UnitsFor(10*mux.ClockRate), time.Now())
		for _, tt := range []struct{ path, contentType, file, body string }{
			{"/live.m3u", "audio/x-mpegurl", "listen.m3u", "#EXTM3U\n#EXTINF:-1,Rock & <Roll> Radio\nhttps://radio.example:8443/live.aac\n"},
			{"/live.pls", "audio/x-scpls", "listen.pls", "[playlist]\nNumberOfEntries=1\nFile1=https://radio.example:8443/live.aac\n" +
				"Title1=Rock & <Roll> Radio\nLength1=-1\nVersion=2\n"},
			{"/live.m3u?burst=5&token=a%22b", "audio/x-mpegurl", "listen.m3u",
				"#EXTM3U\n#EXTINF:-1,Rock & <Roll> Radio\nhttps://radio.example:8443/live.aac?burst=5&token=a%22b\n"},
			{"/live.xspf", "application/xspf+xml", "listen.xspf", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
				`<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList><track><location>https://radio.example:8443/live.aac</location>` +
				"<title>Rock &amp; &lt;Roll&gt; Radio</title></track></trackList></playlist>\n"},
		} {
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				res := b.request(method, "https://radio.example:8443"+tt.path)
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				want := tt.body
				if method == http.MethodHead {
					want = ""
				}
				if res.StatusCode != http.StatusOK || string(body) != want {
					t.Errorf("%s %s = %d %q, want %q", method, tt.path, res.StatusCode, body, want)
				}
				for name, want := range map[string]string{
					"Content-Type":        tt.contentType,
					"Content-Disposition": `attachment; filename="` + tt.file + `"`,
					"Content-Length":      strconv.Itoa(len(tt.body)),
				} {
					if got := res.Header.Get(name); got != want {
						t.Errorf("%s %s has %s %q, want %q", method, tt.path, name, got, want)
					}
				}
			}
		}
	})
}
