package check_test

import (
	"strings"
	"testing"

	"headwater/playlist/check"
)

func multivariantTests() []one {
	const audio = `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",DEFAULT=YES,AUTOSELECT=YES,LANGUAGE="en",URI="live/en.m3u8"` + "\n"
	const first = "#EXT-X-STREAM-INF:BANDWIDTH=3000000"
	group := func(lines string, pairs ...string) []string {
		return append([]string{first, lines + strings.Replace(first, ":", `:AUDIO="a",`, 1)}, pairs...)
	}
	return []one{
		{"no BANDWIDTH", "B01", []string{"BANDWIDTH=3000000,AVERAGE-BANDWIDTH", "AVERAGE-BANDWIDTH"}},
		{"no AVERAGE-BANDWIDTH", "B02", []string{"AVERAGE-BANDWIDTH=2500000,", ""}},
		{"AVERAGE-BANDWIDTH above BANDWIDTH", "B02", []string{"AVERAGE-BANDWIDTH=2500000", "AVERAGE-BANDWIDTH=3500000"}},
		{"no CODECS", "B04", []string{`CODECS="mp4a.40.2",`, ""}},
		{"AVC with three numbers", "B05", []string{"avc1.64001f", "avc1.66.30"}},
		{"AAC without object type", "B05", []string{`"mp4a.40.2"`, `"mp4a.40"`}},
		{"a codec too many", "B05", []string{`"mp4a.40.2"`, `"mp4a.40.2,"`}},
		{"HEVC as hev1", "B06", []string{"avc1.64001f", "hev1.1.6.L93.B0"}},
		{"no RESOLUTION", "B09", []string{"RESOLUTION=1280x720,", ""}},
		{"no FRAME-RATE", "B09", []string{",FRAME-RATE=25.000", ""}},
		{"PQ beside nothing", "B10", []string{"live/main.m3u8\n", "live/main.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=3000000,AVERAGE-BANDWIDTH=2500000," +
			"CODECS=\"hvc1.2.4.L93.B0\",RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=PQ,CLOSED-CAPTIONS=NONE\nlive/hdr.m3u8\n"}},
		{"a name twice in a group", "B11", group(audio + strings.Replace(audio, "DEFAULT=YES,", "", 1))},
		{"two defaults", "B11", group(audio + strings.Replace(audio, "English", "French", 1))},
		{"groups with other members", "B11", group(audio + strings.Replace(strings.Replace(audio, "English", "French", 1), `"a"`, `"b"`, 1))},
		{"a group that is not there", "B11", group("")},
		{"CLOSED-CAPTIONS=NONE on one", "B12", []string{",CLOSED-CAPTIONS=NONE", ""}},
		{"an I-frame variant with AUDIO", "B13", []string{first, `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1000,URI="i.m3u8",AUDIO="a"` + "\n" + first}},
		{"no small variant", "B14", []string{"BANDWIDTH=150000", "BANDWIDTH=250000"}},
		{"RESOLUTION of audio", "B15", []string{`"mp4a.40.2",`, `"mp4a.40.2",RESOLUTION=16x16,`}},
		{"a URI with a host", "B22", []string{"live/main.m3u8", "https://example.com/live/main.m3u8"}},
		{"a URI from the root", "B22", []string{"live/main.m3u8", "/live/main.m3u8"}},
		{"a rendition from the root", "B22", group(strings.Replace(audio, "live/en", "/live/en", 1))},
		{"PROGRAM-ID", "A11", []string{first, strings.Replace(first, ":", ":PROGRAM-ID=1,", 1)}},
		{"a segment", "A06", []string{first, "#EXTINF:6,\n1.ts\n" + first}},
	}
}

func TestMultivariantRules(t *testing.T) {
	for _, tt := range multivariantTests() {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, answer(multiURL, edit(multi, tt.edit...), 0)); !same(got, tt.rules) {
				t.Errorf("breaks %q, want %q", got, tt.rules)
			}
		})
	}
}

func multivariantChangeTests() []several {
	header, variants, _ := strings.Cut(multi, "#EXT-X-STREAM-INF")
	first, second, _ := strings.Cut(variants, "#EXT-X-STREAM-INF")
	turned := header + "#EXT-X-STREAM-INF" + second + "#EXT-X-STREAM-INF" + first
	with := func(pairs ...string) []check.Response {
		return []check.Response{answer(multiURL, multi, 0), answer(multiURL, edit(multi, pairs...), 6)}
	}
	return []several{
		{"BANDWIDTH changes", "B03", with("BANDWIDTH=3000000", "BANDWIDTH=3100000")},
		{"another variant", "B21", with("live/audio.m3u8", "live/small.m3u8")},
		{"another order", "B21", []check.Response{answer(multiURL, multi, 0), answer(multiURL, turned, 6)}},
	}
}

func TestMultivariantChanges(t *testing.T) {
	for _, tt := range multivariantChangeTests() {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, tt.responses...); !same(got, tt.rules) {
				t.Errorf("breaks %q, want %q", got, tt.rules)
			}
		})
	}
}
