package check_test

import (
	"strings"
	"testing"

	"headwater/playlist/check"
)

// several is a test of rules that only several answers break.
type several struct {
	name      string
	rules     string
	responses []check.Response
}

// then returns answers of the main list that come every 6 s.
func then(bodies ...string) (responses []check.Response) {
	for i, body := range bodies {
		responses = append(responses, answer(mainURL, body, float64(6*i)))
	}
	return responses
}

func changeTests() []several {
	const extinf = "#EXTINF:6.00600,\nmain/1/102.ts"
	list := media(100, 8)
	next := media(101, 8)
	return []several{
		{"VERSION changes", "A10", then(list, edit(next, "VERSION:3", "VERSION:4"))},
		{"the target duration changes", "A13", then(list, edit(next, "TARGETDURATION:7", "TARGETDURATION:8"))},
		{"a removal without a rise", "A21", then(list, edit(next, "SEQUENCE:101", "SEQUENCE:100"))},
		{"a rise without a removal", "A21", then(list, edit(list, "SEQUENCE:100", "SEQUENCE:101"))},
		{"a rise of two for one", "A21", then(list, edit(next, "SEQUENCE:101", "SEQUENCE:102"))},
		{"an old list again", "A21", then(next, list)},
		{"another URI", "A23", then(list, edit(next, "main/1/103.ts", "main/2/103.ts"))},
		{"another query", "A23", then(list, edit(next, "main/1/103.ts", "main/1/103.ts?t=1"))},
		{"a URI that changes while it is not listed", "A23 A21", then(list, media(104, 8), edit(list, "main/1/103.ts", "main/2/103.ts"))},
		{"numbers that start again", "A24", then(list, strings.ReplaceAll(media(1, 8), "main/1", "main/2"))},
		{"numbers that start again at the same names", "A24", then(list, media(1, 8), media(2, 8))},
		{"the number does not rise when a discontinuity leaves", "A26", breakLeaves(3, 3)},
		{"the number rises while the discontinuity is listed", "A26", func() []check.Response {
			r := breakLeaves(3, 4)
			r[1].Body = []byte(edit(string(r[1].Body), "DISCONTINUITY-SEQUENCE:3", "DISCONTINUITY-SEQUENCE:4"))
			return r
		}()},
		{"a discontinuity where none was", "A26", then(list, edit(next, "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:10:12.612Z",
			"#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:10:12.612Z"))},
		{"a duration changes", "A18 A29 A45", then(list, edit(next, extinf, strings.Replace(extinf, "6.00600", "6.10000", 1)))},
		{"a date changes", "A18 A29 A45", then(list, edit(next, "04:10:12.612Z", "04:10:12.700Z"))},
		{"a segment becomes a gap", "A29", then(list, edit(next, extinf, "#EXT-X-GAP\n"+extinf))},
		{"a tag changes", "A29", then(edit(list, extinf, "#EXT-X-BITRATE:1000\n"+extinf), edit(next, extinf, "#EXT-X-BITRATE:2000\n"+extinf))},
		{"a tag of the list goes", "A29", then(edit(list, "#EXT-X-MEDIA-S", "#EXT-X-START:TIME-OFFSET=0\n#EXT-X-MEDIA-S"), next)},
		{"independence goes", "A29", then(edit(list, "VERSION:3\n", "VERSION:3\n#EXT-X-INDEPENDENT-SEGMENTS\n"), next)},
		{"the end is taken back", "A29", then(list+"#EXT-X-ENDLIST\n", list)},
		{"nothing comes for 1.5 target durations", "A32", []check.Response{
			answer(mainURL, list, 0), answer(mainURL, next, 6), answer(mainURL, next, 16), answer(mainURL, next, 16.6)}},
		{"removal below 3 target durations", "A33 A34", then(media(100, 4), media(102, 3))},
		{"five segments in a list that slides", "A34", then(media(100, 5), media(101, 5))},
		{"no segment", "A35", then(media(100, 0))},
		{"EVENT slides", "A41", then(edit(list, "#EXT-X-MEDIA-S", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-S"),
			edit(next, "#EXT-X-MEDIA-S", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-S"))},
		{"segments after the end", "A38", then(list+"#EXT-X-ENDLIST\n", media(100, 9)+"#EXT-X-ENDLIST\n")},
		{"no dates at all", "A43", then("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:7\n#EXT-X-MEDIA-SEQUENCE:1\n" +
			"#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXTINF:6.00000,\n1.ts\n")},
	}
}

func TestChangeRules(t *testing.T) {
	for _, tt := range changeTests() {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, tt.responses...); !same(got, tt.rules) {
				t.Errorf("breaks %q, want %q", got, tt.rules)
			}
		})
	}
}

// What a list may change: RFC 8216 §6.2.1, hls-rules A29.
func TestAllowedChanges(t *testing.T) {
	list, next := media(100, 8), media(101, 8)
	const extinf = "#EXTINF:6.00600,\nmain/1/102.ts"
	for _, tt := range []struct {
		name          string
		before, after string
	}{
		{"a date range goes", edit(list, extinf, "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-11-21T04:10:12.612Z\"\n"+extinf), next},
		{"parts go", edit(list, extinf, "#EXT-X-PART:DURATION=1.0,URI=\"a\"\n"+extinf), next},
		{"ENDLIST comes", list, next + "#EXT-X-ENDLIST\n"},
		{"many segments at once", list, media(106, 10)},
		{"all of the list is new", list, media(200, 8)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, then(tt.before, tt.after)...); len(got) > 0 {
				t.Errorf("breaks %q, want nothing", got)
			}
		})
	}
}

// A delta update of Low-Latency HLS lists only some of the segments.
func TestDeltaUpdate(t *testing.T) {
	delta := edit(media(101, 8), "VERSION:3", "VERSION:9", "DISCONTINUITY-SEQUENCE:3\n", "DISCONTINUITY-SEQUENCE:3\n#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n")
	r := then(media(100, 8), delta, media(102, 8))
	r[1].URL += "?_HLS_skip=YES"
	if got := broken(t, r...); len(got) > 0 {
		t.Errorf("breaks %q, want nothing", got)
	}
}
