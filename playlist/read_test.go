package playlist_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"headwater/playlist"
)

const head = "#EXTM3U\n#EXT-X-TARGETDURATION:6\n"

func TestReadMedia(t *testing.T) {
	clock := time.Date(2026, 11, 21, 4, 0, 0, 123e6, time.UTC)
	one := func(s playlist.Segment) []playlist.Segment { return []playlist.Segment{s} }
	for _, tt := range []struct {
		name, in string
		want     playlist.Media
	}{
		{"the least there is", head, playlist.Media{Version: 1, TargetDuration: 6}},
		{"CR LF, a byte order mark, blanks and comments",
			"\ufeff#EXTM3U\r\n\r\n# by hand\r\n#EXT-X-TARGETDURATION: 6 \r\n#EXTINF:6,\r\n \r\n  1.ts\t\r\n",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: 6 * playlist.Second})}},
		{"no line end at the end", head + "#EXTINF:5.5,\n1.ts",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: 550_000})}},
		{"EXTINF without comma, with many decimals", head + "#EXTINF:5.0053333333\n1.ts\n",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: 500_533})}},
		{"EXTINF is rounded", head + "#EXTINF:.999996,a\n1.ts\n",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: playlist.Second, Title: "a"})}},
		{"a date with another zone and nanoseconds", head + "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T05:30:00.123456789+0130\n#EXTINF:6,\n1.ts\n",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: 600_000, Time: clock})}},
		{"a date without zone", head + "#EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:00:00.123\n#EXTINF:6,\n1.ts\n",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: 600_000, Time: clock})}},
		{"all tags", "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-TARGETDURATION:4\n#EXT-X-PLAYLIST-TYPE:EVENT\n" +
			"#EXT-X-MEDIA-SEQUENCE:18446744073709551614\n#EXT-X-DISCONTINUITY-SEQUENCE:5\n#EXT-X-KEY:METHOD=NONE\n#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n" +
			"#EXT-X-BYTERANGE:1@2\n#EXTINF:4,x\n1.ts\n#EXT-X-PART:URI=\"2.0.ts\",DURATION=1\n#EXT-X-ENDLIST\n",
			playlist.Media{Version: 9, IndependentSegments: true, TargetDuration: 4, Sequence: 1<<64 - 2, DiscontinuitySequence: 5,
				Tags: []string{"#EXT-X-PLAYLIST-TYPE:EVENT"}, End: true, Trailer: []string{`#EXT-X-PART:URI="2.0.ts",DURATION=1`},
				Segments: one(playlist.Segment{URI: "1.ts", Duration: 400_000, Title: "x", Discontinuity: true, Gap: true,
					Tags: []string{"#EXT-X-KEY:METHOD=NONE", "#EXT-X-BYTERANGE:1@2"}})}},
		// Both make grafov/m3u8 panic.
		{"a tag of Widevine that is cut short", head + "#WV-CYPHER-VERSION\n#EXTINF:1,\n1.ts\n",
			playlist.Media{Version: 1, TargetDuration: 6, Segments: one(playlist.Segment{URI: "1.ts", Duration: playlist.Second})}},
		{"a key at the end", head + "#EXT-X-KEY:METHOD=NONE\n",
			playlist.Media{Version: 1, TargetDuration: 6, Trailer: []string{"#EXT-X-KEY:METHOD=NONE"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := playlist.ReadMedia([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("ReadMedia(%q) =\n%+v, want\n%+v", tt.in, *got, tt.want)
			}
		})
	}
}

func TestReadMediaFaults(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		line     int
		tag      string
		is       error
	}{
		{"nothing", "", 0, "EXTM3U", playlist.ErrNotPlaylist},
		{"an error page", "\n<html>\n", 2, "URI", playlist.ErrNotPlaylist},
		{"a tag first", "#EXT-X-VERSION:3\n#EXTM3U\n", 1, "EXT-X-VERSION", playlist.ErrNotPlaylist},
		{"a multivariant playlist", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n", 2, "EXT-X-STREAM-INF", playlist.ErrMultivariant},
		{"no target duration", "#EXTM3U\n#EXTINF:1,\n1.ts\n", 0, "EXT-X-TARGETDURATION", playlist.ErrMissing},
		{"a URI without EXTINF", head + "#EXT-X-KEY:METHOD=NONE\n1.ts\n", 4, "URI", playlist.ErrMissing},
		{"EXTINF without URI", head + "#EXTINF:1,\n", 0, "EXTINF", playlist.ErrMissing},
		{"a duration that is none", head + "#EXTINF:abc,\n1.ts\n", 3, "EXTINF", nil},
		{"a negative duration", head + "#EXTINF:-1,\n1.ts\n", 3, "EXTINF", nil},
		{"an infinite duration", head + "#EXTINF:Inf,\n1.ts\n", 3, "EXTINF", nil},
		{"an exponent", head + "#EXTINF:1e9,\n1.ts\n", 3, "EXTINF", nil},
		{"no duration", head + "#EXTINF:,\n1.ts\n", 3, "EXTINF", nil},
		{"a duration that overflows", head + "#EXTINF:9999999999999999999999,\n1.ts\n", 3, "EXTINF", nil},
		{"a sequence that is negative", head + "#EXT-X-MEDIA-SEQUENCE:-1\n", 3, "EXT-X-MEDIA-SEQUENCE", nil},
		{"a sequence that overflows", head + "#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n", 3, "EXT-X-MEDIA-SEQUENCE", nil},
		{"numbers beyond 64 bits", head + "#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n#EXTINF:1,\n1.ts\n", 0, "EXT-X-MEDIA-SEQUENCE", nil},
		{"a version that is none", head + "#EXT-X-VERSION\n", 3, "EXT-X-VERSION", nil},
		{"a target duration of 0", "#EXTM3U\n#EXT-X-TARGETDURATION:0\n", 2, "EXT-X-TARGETDURATION", nil},
		{"a date that is none", head + "\n\n#EXT-X-PROGRAM-DATE-TIME:yesterday\n", 5, "EXT-X-PROGRAM-DATE-TIME", nil},
		{"a date before Christ by its zone", head + "#EXT-X-PROGRAM-DATE-TIME:0000-01-01T00:00:00+01:00\n", 3, "EXT-X-PROGRAM-DATE-TIME", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := playlist.ReadMedia([]byte(tt.in))
			fault(t, err, tt.line, tt.tag, tt.is)
			if m != nil {
				t.Errorf("ReadMedia(%q) = %+v with an error", tt.in, m)
			}
		})
	}
}

// fault checks that err is a ParseError at line and tag that wraps is.
func fault(t *testing.T, err error, line int, tag string, is error) {
	t.Helper()
	var at *playlist.ParseError
	if !errors.As(err, &at) {
		t.Fatalf("error = %v, want a ParseError", err)
	}
	if at.Line != line || at.Tag != tag || is != nil && !errors.Is(err, is) {
		t.Errorf("error = %v at line %d, tag %s; want line %d, tag %s, %v", err, at.Line, at.Tag, line, tag, is)
	}
	if !strings.Contains(err.Error(), tag) {
		t.Errorf("error %q does not name %s", err, tag)
	}
}

func TestReadMultivariant(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     playlist.Multivariant
	}{
		{"nothing in it", "#EXTM3U\n", playlist.Multivariant{Version: 1}},
		{"a blank line before the URI", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n\n# c\na.m3u8\n",
			playlist.Multivariant{Version: 1, Variants: []playlist.Variant{{URI: "a.m3u8", Bandwidth: 1}}}},
		{"commas in quotation marks and unknown attributes",
			"#EXTM3U\n#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=9,CODECS=\"avc1.64001f, mp4a.40.2\",X-A=\"b,BANDWIDTH=7\",CLOSED-CAPTIONS=\"cc\"\na.m3u8\n",
			playlist.Multivariant{Version: 1, Variants: []playlist.Variant{{URI: "a.m3u8", Bandwidth: 9, Codecs: "avc1.64001f, mp4a.40.2", ClosedCaptions: "cc"}}}},
		{"renditions that no variant names, and other tags",
			"#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",FORCED=YES,CHANNELS=\"2\"\n" +
				"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\"\n",
			playlist.Multivariant{Version: 7, IndependentSegments: true, Tags: []string{`#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"`},
				Renditions: []playlist.Rendition{{Type: "AUDIO", GroupID: "a", Name: "n", Forced: true, Channels: "2"}}}},
		{"a frame rate of many decimals", "#EXTM3U\n#EXT-X-STREAM-INF:FRAME-RATE=29.97002997,CLOSED-CAPTIONS=NONE,RESOLUTION=1x2\na\n",
			playlist.Multivariant{Version: 1, Variants: []playlist.Variant{{URI: "a", FrameRate: 29.97, ClosedCaptionsNone: true, Width: 1, Height: 2}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := playlist.ReadMultivariant([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("ReadMultivariant(%q) =\n%+v, want\n%+v", tt.in, *got, tt.want)
			}
		})
	}
}

func TestReadMultivariantFaults(t *testing.T) {
	const inf = "#EXTM3U\n#EXT-X-STREAM-INF:"
	for _, tt := range []struct {
		name, in string
		line     int
		tag      string
		is       error
	}{
		{"nothing", "", 0, "EXTM3U", playlist.ErrNotPlaylist},
		{"a media playlist", head, 2, "EXT-X-TARGETDURATION", playlist.ErrMedia},
		{"a variant without URI", inf + "BANDWIDTH=1\n", 0, "EXT-X-STREAM-INF", playlist.ErrMissing},
		{"a URI without variant", "#EXTM3U\na.m3u8\n", 2, "URI", playlist.ErrMissing},
		{"a rendition without name", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\"\n", 2, "EXT-X-MEDIA", playlist.ErrMissing},
		{"a bandwidth that is none", inf + "BANDWIDTH=fast\n", 2, "EXT-X-STREAM-INF", nil},
		{"a bandwidth of 33 bits", inf + "BANDWIDTH=4294967296\n", 2, "EXT-X-STREAM-INF", nil},
		{"a resolution that is none", inf + "RESOLUTION=720p\n", 2, "EXT-X-STREAM-INF", nil},
		{"a resolution of nothing", inf + "RESOLUTION=0x0\n", 2, "EXT-X-STREAM-INF", nil},
		{"a frame rate that is none", inf + "FRAME-RATE=NaN\n", 2, "EXT-X-STREAM-INF", nil},
		{"a range that is none", inf + "VIDEO-RANGE=\"a,b\"\n", 2, "EXT-X-STREAM-INF", nil},
		{"a version that is none", "#EXTM3U\n#EXT-X-VERSION:x\n", 2, "EXT-X-VERSION", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := playlist.ReadMultivariant([]byte(tt.in))
			fault(t, err, tt.line, tt.tag, tt.is)
			if m != nil {
				t.Errorf("ReadMultivariant(%q) = %+v with an error", tt.in, m)
			}
		})
	}
}
