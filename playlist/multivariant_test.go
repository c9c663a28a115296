package playlist_test

import (
	"errors"
	"testing"

	"headwater/playlist"
)

// pair is what headwater serves for a stream with video.
func pair() *playlist.Multivariant {
	return &playlist.Multivariant{Variants: []playlist.Variant{
		{
			URI: "live/main.m3u8", Bandwidth: 3_000_000, AverageBandwidth: 2_500_000, Codecs: "avc1.64001f,mp4a.40.2",
			Width: 1280, Height: 720, FrameRate: 30000.0 / 1001, ClosedCaptionsNone: true,
		},
		{URI: "live/audio.m3u8", Bandwidth: 150_000, AverageBandwidth: 140_000, Codecs: "mp4a.40.2", ClosedCaptionsNone: true},
	}}
}

// The form is hls-rules A11, B02, B09, B12, B15, B21; RFC 8216 §4.3.4.
func TestMultivariantAppend(t *testing.T) {
	full := pair()
	full.Version, full.IndependentSegments = 6, true
	full.Tags = []string{`#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,URI="live/i.m3u8"`}
	full.Renditions = []playlist.Rendition{
		{Type: "AUDIO", GroupID: "aac", Name: "English", Language: "en", URI: "live/en.m3u8", Default: true, Autoselect: true, Channels: "2"},
		{Type: "AUDIO", GroupID: "aac", Name: "Gaeilge", Language: "ga", URI: "live/ga.m3u8", Autoselect: true, Channels: "2"},
		{Type: "SUBTITLES", GroupID: "subs", Name: "Forced", URI: "live/s.m3u8", Forced: true, Characteristics: "public.easy-to-read"},
		{Type: "CLOSED-CAPTIONS", GroupID: "cc", Name: "CC1", InstreamID: "CC1"},
	}
	full.Variants[0].Audio, full.Variants[0].Subtitles, full.Variants[0].VideoRange = "aac", "subs", "SDR"
	full.Variants[0].ClosedCaptionsNone, full.Variants[0].ClosedCaptions = false, "cc"
	for _, tt := range []struct {
		name string // of the golden file, too
		in   *playlist.Multivariant
	}{
		{"pair", pair()},
		{"full", full},
		{"one", &playlist.Multivariant{Variants: []playlist.Variant{{URI: "#EXT-X-STREAM-INF:PROGRAM-ID=0,"[1:] + "x"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 20 { // grafov/m3u8 keeps custom tags in a map
				got, err := tt.in.Append([]byte("before\n"))
				if err != nil {
					t.Fatal(err)
				}
				golden(t, "multivariant-"+tt.name+".m3u8", got[len("before\n"):])
			}
		})
	}
}

func TestMultivariantAppendRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*playlist.Multivariant)
	}{
		{"a version of nine bits", func(m *playlist.Multivariant) { m.Version = 256 }},
		{"no URI", func(m *playlist.Multivariant) { m.Variants[1].URI = "" }},
		{"a bandwidth of 33 bits", func(m *playlist.Multivariant) { m.Variants[1].Bandwidth = 1 << 32 }},
		{"a negative bandwidth", func(m *playlist.Multivariant) { m.Variants[1].AverageBandwidth = -1 }},
		{"a quotation mark in CODECS", func(m *playlist.Multivariant) { m.Variants[1].Codecs = `a"b` }},
		{"a line break in a group", func(m *playlist.Multivariant) { m.Variants[1].Audio = "a\nb" }},
		{"a width without height", func(m *playlist.Multivariant) { m.Variants[1].Width = 1 }},
		{"a negative frame rate", func(m *playlist.Multivariant) { m.Variants[1].FrameRate = -1 }},
		{"a range in lower case", func(m *playlist.Multivariant) { m.Variants[1].VideoRange = "sdr" }},
		{"captions and none", func(m *playlist.Multivariant) { m.Variants[1].ClosedCaptions = "cc" }},
		{"a group called NONE", func(m *playlist.Multivariant) {
			m.Variants[1].ClosedCaptions, m.Variants[1].ClosedCaptionsNone = "NONE", false
		}},
		{"a rendition without group", func(m *playlist.Multivariant) {
			m.Renditions = []playlist.Rendition{{Type: "AUDIO", Name: "a"}}
		}},
		{"a rendition with a quotation mark", func(m *playlist.Multivariant) {
			m.Renditions = []playlist.Rendition{{Type: "AUDIO", GroupID: "g", Name: `"`}}
		}},
		{"a tag that has a field", func(m *playlist.Multivariant) { m.Tags = []string{"#EXT-X-VERSION:3"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := pair()
			tt.change(m)
			got, err := m.Append([]byte("x"))
			if !errors.Is(err, playlist.ErrValue) || string(got) != "x" {
				t.Errorf("Append(x) = %q, %v, want x and ErrValue", got, err)
			}
		})
	}
}
