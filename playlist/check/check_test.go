package check_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"headwater/playlist"
	"headwater/playlist/check"
)

const (
	mainURL  = "https://example.com/live/main.m3u8"
	audioURL = "https://example.com/live/audio.m3u8"
	multiURL = "https://example.com/live.m3u8"
)

var epoch = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)

// media returns a list of n segments of 6.006 s, beginning with number first,
// that keeps every rule.
func media(first, n int) string {
	m := playlist.Media{TargetDuration: 7, Sequence: uint64(first), DiscontinuitySequence: 3}
	for i := first; i < first+n; i++ {
		m.Segments = append(m.Segments, playlist.Segment{
			URI:      fmt.Sprintf("main/1/%d.ts", i),
			Duration: 600_600,
			Time:     epoch.Add(time.Duration(i) * 6006 * time.Millisecond),
		})
	}
	text, err := m.Append(nil)
	if err != nil {
		panic(err)
	}
	return string(text)
}

const multi = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,CLOSED-CAPTIONS=NONE,FRAME-RATE=25.000
live/main.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=150000,AVERAGE-BANDWIDTH=140000,CODECS="mp4a.40.2",CLOSED-CAPTIONS=NONE
live/audio.m3u8
`

// answer returns body as headwater answers it at second after the epoch.
func answer(url, body string, second float64) check.Response {
	at := epoch.Add(time.Duration(second * float64(time.Second)))
	return check.Response{URL: url, At: at, Status: http.StatusOK, Body: []byte(body), Header: http.Header{
		"Content-Type":                  {"application/vnd.apple.mpegurl"},
		"Cache-Control":                 {"max-age=3"},
		"Vary":                          {"Accept-Encoding"},
		"Date":                          {at.Format(http.TimeFormat)},
		"Last-Modified":                 {at.Format(http.TimeFormat)},
		"Access-Control-Allow-Origin":   {"*"},
		"Access-Control-Expose-Headers": {"Content-Length,Date,Age,ETag"},
	}}
}

// broken returns the IDs of the rules that the answers break, sorted, each once.
func broken(t *testing.T, responses ...check.Response) (ids []string) {
	t.Helper()
	c := check.New(check.Options{House: true})
	for _, r := range responses {
		c.Observe(r)
	}
	for _, f := range c.Findings() {
		if f.Subject == "" || f.Text == "" || f.At.IsZero() || f.Level == check.Ours {
			t.Errorf("incomplete finding %+v", f)
		}
		t.Logf("%s %v: %s", f.Rule, f.Level, f.Text)
		ids = append(ids, f.Rule)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func TestKept(t *testing.T) {
	ended := media(101, 8) + "#EXT-X-ENDLIST\n"
	for _, tt := range []struct {
		name      string
		responses []check.Response
	}{
		{"a multivariant playlist", []check.Response{answer(multiURL, multi, 0), answer(multiURL, multi, 6)}},
		{"a list that slides", []check.Response{
			answer(mainURL, media(100, 8), 0), answer(mainURL, media(100, 8), 3), answer(mainURL, media(101, 8), 6),
			answer(mainURL, media(103, 8), 18), answer(mainURL, media(103, 8), 27),
		}},
		{"a list that grows from one segment", []check.Response{answer(mainURL, media(100, 1), 0), answer(mainURL, media(100, 4), 6)}},
		{"a list that ends", []check.Response{answer(mainURL, media(100, 8), 0), answer(mainURL, ended, 6), answer(mainURL, ended, 600)}},
		{"renditions at different instants", []check.Response{
			answer(multiURL, multi, 0), answer(mainURL, media(100, 8), 0), answer(audioURL, media(102, 8), 14), answer(mainURL, media(103, 8), 17),
		}},
		{"an error before the first list", []check.Response{func() check.Response {
			r := answer(mainURL, "stream live is measuring\n", 0)
			r.Status = http.StatusServiceUnavailable
			return r
		}(), answer(mainURL, media(100, 8), 6)}},
		{"a discontinuity that enters, stays and leaves", breakLeaves(3, 4)},
		{"gaps after which time jumps", []check.Response{answer(mainURL, strings.Replace(edit(media(100, 8),
			"#EXTINF:6.00600,\nmain/1/105", "#EXT-X-GAP\n#EXTINF:6.00600,\nmain/1/105",
			"T04:10:36.636Z", "T04:10:38.000Z", "T04:10:42.642Z", "T04:10:44.006Z"), "x", "x", 1), 0)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, tt.responses...); len(got) > 0 {
				t.Errorf("breaks %q, want nothing", got)
			}
		})
	}
}

// edit replaces in pairs; each old string must be there.
func edit(text string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			panic(fmt.Sprintf("%q is not in\n%s", pairs[i], text))
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// breakLeaves returns three answers in which a discontinuity before segment
// 102 is listed, comes first, and has left; dsn is the number in the header
// while it is listed, after what it is when it has gone.
func breakLeaves(dsn, after int) []check.Response {
	mark := func(first, header int, marked bool) string {
		text := edit(media(first, 8), "DISCONTINUITY-SEQUENCE:3", fmt.Sprintf("DISCONTINUITY-SEQUENCE:%d", header))
		if marked {
			text = edit(text, "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:10:12.612Z", "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:10:12.612Z")
		}
		return text
	}
	return []check.Response{
		answer(mainURL, mark(101, dsn, true), 0),
		answer(mainURL, mark(102, dsn, true), 6),
		answer(mainURL, mark(103, after, false), 12),
	}
}

// one is a test of a rule that a single list breaks.
type one struct {
	name  string
	rules string // IDs, separated by blanks
	edit  []string
}

func mediaTests() []one {
	const date = "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:10:12.612Z"
	const extinf = "#EXTINF:6.00600,\nmain/1/102.ts"
	return []one{
		{"a byte order mark", "A01 A02", []string{"#EXTM3U", "\ufeff#EXTM3U"}},
		{"invalid UTF-8", "A01", []string{extinf, "#EXTINF:6.00600,\xff\nmain/1/102.ts"}},
		{"a control character", "A01", []string{extinf, "#EXTINF:6.00600,a\tb\nmain/1/102.ts"}},
		{"CR LF", "A01", []string{extinf, "#EXTINF:6.00600,\r\nmain/1/102.ts"}},
		{"no line end at the end", "A01", []string{"main/1/107.ts\n", "main/1/107.ts"}},
		{"a first line with a blank", "A02", []string{"#EXTM3U\n", "#EXTM3U \n"}},
		{"something else", "A02", []string{"#EXTM3U\n", "<html>\n"}},
		{"an attribute without value", "A04", []string{extinf, "#EXT-X-KEY:METHOD\n" + extinf}},
		{"an attribute twice", "A04", []string{extinf, "#EXT-X-KEY:METHOD=NONE,METHOD=NONE\n" + extinf}},
		{"a blank around a comma", "A04", []string{extinf, "#EXT-X-KEY:METHOD=AES-128, URI=\"k\"\n" + extinf}},
		{"an empty quoted string", "A04", []string{extinf, "#EXT-X-KEY:METHOD=AES-128,URI=\"\"\n" + extinf}},
		{"a quotation mark left open", "A04", []string{extinf, "#EXT-X-KEY:METHOD=AES-128,URI=\"k\n" + extinf}},
		{"an enumerated value in quotation marks", "A04", []string{extinf, "#EXT-X-KEY:METHOD=\"NONE\"\n" + extinf}},
		{"a string without quotation marks", "A04", []string{extinf, "#EXT-X-KEY:METHOD=AES-128,URI=k\n" + extinf}},
		{"an initialization vector without 0x", "A04", []string{extinf, "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=00\n" + extinf}},
		{"a comma at the end", "A04", []string{extinf, "#EXT-X-KEY:METHOD=NONE,\n" + extinf}},
		{"TARGETDURATION twice", "A05", []string{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-TARGETDURATION:7\n#EXT-X-MEDIA-SEQUENCE"}},
		{"a tag of a multivariant playlist", "A06", []string{extinf, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\"\n" + extinf}},
		{"another order", "A07", []string{"#EXT-X-TARGETDURATION:7\n#EXT-X-MEDIA-SEQUENCE:100\n", "#EXT-X-MEDIA-SEQUENCE:100\n#EXT-X-TARGETDURATION:7\n"}},
		{"MEDIA-SEQUENCE after a segment", "A08 A07", []string{"#EXT-X-MEDIA-SEQUENCE:100\n", "", extinf, "#EXT-X-MEDIA-SEQUENCE:100\n" + extinf}},
		{"VERSION too low", "A09", []string{"VERSION:3", "VERSION:2"}},
		{"MAP in VERSION 5", "A09", []string{"VERSION:3", "VERSION:5", extinf, "#EXT-X-MAP:URI=\"init.mp4\"\n" + extinf}},
		{"VERSION too high", "A10", []string{"VERSION:3", "VERSION:7"}},
		{"ALLOW-CACHE", "A11", []string{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-ALLOW-CACHE:NO\n#EXT-X-MEDIA-SEQUENCE"}},
		{"a segment that is too long", "A12 A14 A18 A45", []string{extinf, strings.Replace(extinf, "6.00600", "7.50000", 1)}},
		{"no TARGETDURATION", "A12", []string{"#EXT-X-TARGETDURATION:7\n", ""}},
		{"TARGETDURATION with decimals", "A12", []string{"TARGETDURATION:7", "TARGETDURATION:7.0"}},
		{"a segment of 0.4 s too much in VERSION 3", "A14 A18 A45", []string{"TARGETDURATION:7", "TARGETDURATION:6", extinf, strings.Replace(extinf, "6.00600", "6.40000", 1)}},
		{"drift below what one step shows", "A18", driftPairs()},
		{"EXTINF without comma", "A19", []string{extinf, strings.Replace(extinf, ",", "", 1)}},
		{"EXTINF with three decimals", "A19", []string{extinf, strings.Replace(extinf, "6.00600", "6.006", 1)}},
		{"EXTINF of nothing", "A18 A19 A45", []string{extinf, strings.Replace(extinf, "6.00600", "0.00000", 1)}},
		{"EXTINF that is no number", "A19", []string{extinf, strings.Replace(extinf, "6.00600", "six", 1)}},
		{"no MEDIA-SEQUENCE", "A22", []string{"#EXT-X-MEDIA-SEQUENCE:100\n", ""}},
		{"MEDIA-SEQUENCE 0", "A22", []string{"MEDIA-SEQUENCE:100", "MEDIA-SEQUENCE:0"}},
		{"MEDIA-SEQUENCE above 2^31", "A22", []string{"MEDIA-SEQUENCE:100", "MEDIA-SEQUENCE:2147483647"}},
		{"no DISCONTINUITY-SEQUENCE", "A25", []string{"#EXT-X-DISCONTINUITY-SEQUENCE:3\n", ""}},
		{"no DISCONTINUITY-SEQUENCE with a discontinuity", "A25", []string{"#EXT-X-DISCONTINUITY-SEQUENCE:3\n", "", date, "#EXT-X-DISCONTINUITY\n" + date}},
		{"PLAYLIST-TYPE VOD without end", "A41", []string{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-MEDIA-SEQUENCE"}},
		{"a segment without date", "A43", []string{date + "\n", ""}},
		{"a date without milliseconds", "A44 A18 A45", []string{"04:10:12.612Z", "04:10:12Z"}},
		{"a date without zone", "A44", []string{"04:10:12.612Z", "04:10:12.612"}},
		{"a date of another zone", "A44", []string{"04:10:12.612Z", "05:10:12.612+01:00"}},
		{"a date that is none", "A44", []string{"04:10:12.612Z", "noon"}},
		{"a date that is off", "A18 A45", []string{"04:10:12.612Z", "04:10:12.614Z"}},
		{"segments that overlap by their dates", "A18 A45", []string{date, "#EXT-X-DISCONTINUITY\n" + strings.Replace(date, "12.612", "11.000", 1)}},
		{"a discontinuity without date", "A47 A43", []string{date, "#EXT-X-DISCONTINUITY"}},
		{"BYTERANGE without offset", "A58 A09", []string{extinf, "#EXT-X-BYTERANGE:188\n" + extinf}},
		{"BYTERANGE that is none", "A58 A09", []string{extinf, "#EXT-X-BYTERANGE:x@0\n" + extinf}},
		{"START at the end", "A62", []string{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-START:TIME-OFFSET=-6\n#EXT-X-MEDIA-SEQUENCE"}},
		{"START near the end from the beginning", "A62", []string{"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-START:TIME-OFFSET=40.5\n#EXT-X-MEDIA-SEQUENCE"}},
		{"a segment with another suffix", "D02", []string{"main/1/102.ts", "main/1/102.php?x=.ts"}},
	}
}

// driftPairs moves each date but the first by 0.8 ms more than the one before, rounded.
func driftPairs() (pairs []string) {
	for i := 1; i < 8; i++ {
		was := epoch.Add(time.Duration(100+i) * 6006 * time.Millisecond)
		is := was.Add(time.Duration(i) * 800 * time.Microsecond).Round(time.Millisecond)
		const form = "T15:04:05.000Z"
		pairs = append(pairs, was.Format(form), is.Format(form))
	}
	return pairs
}

func TestMediaRules(t *testing.T) {
	for _, tt := range mediaTests() {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, answer(mainURL, edit(media(100, 8), tt.edit...), 0)); !same(got, tt.rules) {
				t.Errorf("breaks %q, want %q", got, tt.rules)
			}
		})
	}
}

// same reports whether got is the IDs in want.
func same(got []string, want string) bool {
	ids := strings.Fields(want)
	slices.Sort(ids)
	return slices.Equal(got, ids)
}

func TestByteRangesKept(t *testing.T) {
	body := "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-TARGETDURATION:7\n#EXT-X-MEDIA-SEQUENCE:1\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n" +
		"#EXT-X-BYTERANGE:100@0\n#EXTINF:6.00000,\na.ts\n#EXT-X-BYTERANGE:100\n#EXTINF:6.00000,\na.ts\n#EXT-X-ENDLIST\n"
	if got := broken(t, answer(mainURL, body, 0)); len(got) > 0 {
		t.Errorf("breaks %q, want nothing", got)
	}
	if got := broken(t, answer(mainURL, edit(body, "100\n#EXTINF:6.00000,\na.ts", "100\n#EXTINF:6.00000,\nb.ts"), 0)); !same(got, "A58") {
		t.Errorf("a range of another resource without offset breaks %q, want A58", got)
	}
}
