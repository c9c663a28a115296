package playlist_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headwater/playlist"
)

// needSeeds fails if the corpus of the target is not where it is looked for.
func needSeeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "fuzz", f.Name(), "*"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds for %s: %v", f.Name(), err)
	}
}

// FuzzReadMedia: whatever is read can be written, and reads back equal.
//
// Seeds: ffmpeg, nginx-rtmp, Apple's low-latency and I-frame samples in form,
// faults of real servers (no-zone dates, CR LF, blank lines), and the inputs
// that make grafov/m3u8 panic.
func FuzzReadMedia(f *testing.F) {
	needSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := playlist.ReadMedia(b)
		if err != nil {
			if at := new(playlist.ParseError); !errors.As(err, &at) {
				t.Fatalf("ReadMedia = %v, not a ParseError", err)
			}
			return
		}
		text, err := first.Append(nil)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		second, err := playlist.ReadMedia(text)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("read\n%+v, then\n%+v from\n%s", first, second, text)
		}
	})
}

// FuzzReadMultivariant: whatever is read can be written, and reads back equal.
//
// Seeds: playlists of Apple, AWS and mediamtx in form, quoted commas, empty
// and unterminated strings.
func FuzzReadMultivariant(f *testing.F) {
	needSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := playlist.ReadMultivariant(b)
		if err != nil {
			if at := new(playlist.ParseError); !errors.As(err, &at) {
				t.Fatalf("ReadMultivariant = %v, not a ParseError", err)
			}
			return
		}
		text, err := first.Append(nil)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		second, err := playlist.ReadMultivariant(text)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s", err, text)
		}
		if !reflect.DeepEqual(first, second) {
			t.Fatalf("read\n%+v, then\n%+v from\n%s", first, second, text)
		}
	})
}

// texts are strings that may stand in a URI or title.
func texts() *rapid.Generator[string] {
	return rapid.StringMatching(`[a-zA-Z0-9äö漢/._~%?&=,;:"'-]([ a-zA-Z0-9äö漢#/._~%?&=,;:"'-]{0,20}[a-zA-Z0-9#])?`)
}

func genSegment(t *rapid.T) playlist.Segment {
	s := playlist.Segment{
		URI:           texts().Draw(t, "uri"),
		Duration:      playlist.Duration(rapid.Int64Range(0, int64(100_000*playlist.Second)).Draw(t, "duration")),
		Discontinuity: rapid.Bool().Draw(t, "discontinuity"),
		Gap:           rapid.Bool().Draw(t, "gap"),
	}
	if rapid.Bool().Draw(t, "titled") {
		s.Title = texts().Draw(t, "title")
	}
	if rapid.Bool().Draw(t, "dated") {
		s.Time = time.UnixMilli(rapid.Int64Range(-1<<40, 1<<45).Draw(t, "time")).UTC()
	}
	return s
}

// What is written reads back equal.
func TestMediaRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &playlist.Media{
			Version:               rapid.IntRange(1, 13).Draw(t, "version"),
			IndependentSegments:   rapid.Bool().Draw(t, "independent"),
			TargetDuration:        rapid.IntRange(1, 1000).Draw(t, "target"),
			Sequence:              rapid.Uint64Max(1<<64-9).Draw(t, "sequence"),
			DiscontinuitySequence: rapid.Uint64().Draw(t, "discontinuities"),
			End:                   rapid.Bool().Draw(t, "end"),
		}
		for range rapid.IntRange(0, 8).Draw(t, "segments") {
			want.Segments = append(want.Segments, genSegment(t))
		}
		text, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := playlist.ReadMedia(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read back as\n%+v, want\n%+v from\n%s", got, want, text)
		}
	})
}

func genVariant(t *rapid.T) playlist.Variant {
	quotable := rapid.StringMatching(`[a-zA-Z0-9.]([a-zA-Z0-9.,= ]{0,10}[a-zA-Z0-9.])?`)
	v := playlist.Variant{
		URI:              texts().Draw(t, "uri"),
		Bandwidth:        rapid.Int64Range(0, 1<<32-1).Draw(t, "bandwidth"),
		AverageBandwidth: rapid.Int64Range(0, 1<<32-1).Draw(t, "average"),
		Codecs:           quotable.Draw(t, "codecs"),
		FrameRate:        float64(rapid.IntRange(0, 300_000).Draw(t, "rate")) / 1000,
		VideoRange:       rapid.SampledFrom([]string{"", "SDR", "HLG", "PQ"}).Draw(t, "range"),
		Audio:            quotable.Draw(t, "audio"),
	}
	if rapid.Bool().Draw(t, "video") {
		v.Width, v.Height = rapid.IntRange(1, 1<<16).Draw(t, "width"), rapid.IntRange(1, 1<<16).Draw(t, "height")
	}
	v.ClosedCaptionsNone = rapid.Bool().Draw(t, "none")
	return v
}

func TestMultivariantRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := &playlist.Multivariant{
			Version:             rapid.IntRange(1, 13).Draw(t, "version"),
			IndependentSegments: rapid.Bool().Draw(t, "independent"),
		}
		for range rapid.IntRange(0, 4).Draw(t, "renditions") {
			want.Renditions = append(want.Renditions, playlist.Rendition{
				Type: "AUDIO", GroupID: "a", Name: rapid.StringMatching(`[a-zé]{1,8}`).Draw(t, "name"),
				Default: rapid.Bool().Draw(t, "default"), Autoselect: rapid.Bool().Draw(t, "autoselect"), Forced: rapid.Bool().Draw(t, "forced"),
			})
		}
		for range rapid.IntRange(0, 4).Draw(t, "variants") {
			want.Variants = append(want.Variants, genVariant(t))
		}
		text, err := want.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := playlist.ReadMultivariant(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read back as\n%+v, want\n%+v from\n%s", got, want, text)
		}
	})
}
