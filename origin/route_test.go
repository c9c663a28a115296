package origin_test

import (
	"slices"
	"strings"
	"testing"

	"headwater/origin"
)

func TestRoute(t *testing.T) {
	streams := []string{"live", "radio/1", "radio/1/2/3", "a.b"}
	known := func(name string) bool { return slices.Contains(streams, name) }
	type route struct {
		kind, stream, rendition, suffix string
		gen, sequence                   uint64
	}
	tests := []struct {
		name, path string
		want       route
	}{
		{"multivariant playlist", "/live.m3u8", route{kind: "multivariant", stream: "live"}},
		{"media playlist", "/live/main.m3u8", route{kind: "media", stream: "live", rendition: "main"}},
		{"stream of two segments", "/radio/1.m3u8", route{kind: "multivariant", stream: "radio/1"}},
		{"its media playlist", "/radio/1/audio.m3u8", route{kind: "media", stream: "radio/1", rendition: "audio"}},
		{"playlist of nobody", "/x/y.m3u8", route{kind: "multivariant", stream: "x/y"}},
		{"segment", "/live/main/17/290000001.ts", route{"segment", "live", "main", ".ts", 17, 290000001}},
		{"packed segment", "/radio/1/audio/17/3.aac", route{"segment", "radio/1", "audio", ".aac", 17, 3}},
		{"stream whose name looks like a segment", "/radio/1/2/3.ts", route{kind: "continuous", stream: "radio/1/2/3", suffix: ".ts"}},
		{"segment of a number with a leading zero has no second URL", "/live/main/17/01.ts", route{kind: "continuous", stream: "live/main/17/01", suffix: ".ts"}},
		{"segment number that overflows", "/live/main/17/99999999999999999999.ts", route{kind: "continuous", stream: "live/main/17/99999999999999999999", suffix: ".ts"}},
		{"negative segment number", "/live/main/17/-1.ts", route{kind: "continuous", stream: "live/main/17/-1", suffix: ".ts"}},
		{"continuous", "/live.ts", route{kind: "continuous", stream: "live", suffix: ".ts"}},
		{"continuous audio", "/radio/1.mp3", route{kind: "continuous", stream: "radio/1", suffix: ".mp3"}},
		{"continuous Ogg", "/radio/1.ogg", route{kind: "continuous", stream: "radio/1", suffix: ".ogg"}},
		{"pointer is no playlist", "/live.m3u", route{kind: "pointer", stream: "live", suffix: ".m3u"}}, // hls-rules F21
		{"stream", "/live", route{kind: "stream", stream: "live"}},
		{"stream with a dot", "/a.b", route{kind: "stream", stream: "a.b"}},
		{"playlist of a stream with a dot", "/a.b.m3u8", route{kind: "multivariant", stream: "a.b"}},
		{"ready", "/live/ready", route{kind: "ready", stream: "live"}},
		{"root", "/", route{kind: "other"}},
		{"nothing", "", route{kind: "other"}},
		{"no slash", "live.m3u8", route{kind: "other"}},
		{"traversal", "/../../etc/passwd", route{kind: "stream", stream: "../../etc/passwd"}},
		{"traversal in a segment", "/../main/1/2.ts", route{"segment", "..", "main", ".ts", 1, 2}},
		{"too long", "/" + strings.Repeat("x", 600), route{kind: "other"}},
		{"only a suffix", "/.m3u8", route{kind: "multivariant"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got route
			got.kind, got.stream, got.rendition, got.suffix, got.gen, got.sequence = origin.Route(tt.path, known)
			if got != tt.want {
				t.Errorf("Route(%q) = %+v, want %+v", tt.path, got, tt.want)
			}
		})
	}
}

// FuzzRoute holds that a route's strings are parts of the path, and that a
// segment's path can be made from its route again: it has one URL only.
func FuzzRoute(f *testing.F) {
	for _, seed := range []string{"/live.m3u8", "/live/main/17/4.ts", "/a/b/c/d/main/1/2.aac", "//main/1/2.ts", "/live/ready"} {
		f.Add(seed)
	}
	known := func(name string) bool { return name == "live" || name == "a/b" }
	f.Fuzz(func(t *testing.T, path string) {
		kind, stream, rendition, suffix, gen, sequence := origin.Route(path, known)
		if !strings.Contains(path, stream) || !strings.Contains(path, rendition) {
			t.Fatalf("Route(%q) has stream %q, rendition %q", path, stream, rendition)
		}
		if kind != "segment" {
			return
		}
		if again := segmentPath(stream, rendition, suffix, gen, sequence); again != path {
			t.Errorf("Route(%q) is that of %q", path, again)
		}
	})
}
