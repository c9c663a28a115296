package mux_test

import (
	"strings"
	"testing"

	"headwater/mux"
)

// hls-rules B05, C17, C19, E03.
func TestAppleNote(t *testing.T) {
	for _, tt := range []struct {
		codec mux.Codec
		text  string // CodecString
		want  string // in the note; empty for none
	}{
		{mux.CodecH264, "avc1.64001f", ""},
		{mux.CodecH264, "avc1.42c01e", ""},
		{mux.CodecH264, "", ""},
		{mux.CodecH264, "avc1.7a001f", "4:2:2 colour in H.264 (avc1.7a001f): have the encoder make 4:2:0, in gst-launch with video/x-raw,format=I420"},
		{mux.CodecH264, "avc1.F4001F", "4:4:4 colour"},
		{mux.CodecH264, "avc1.2c001f", "4:4:4 colour"},
		{mux.CodecHEVC, "hvc1.1.6.L93.B0", "do not play HEVC from MPEG-TS"},
		{mux.CodecMPEG2Video, "mp4v.61", "do not play MPEG-2 video"},
		{mux.CodecMP2, "", "do not play MP2"},
		{mux.CodecAAC, "mp4a.40.2", ""},
	} {
		track := mux.Track{Codec: tt.codec, Parameters: mux.Parameters{CodecString: tt.text}}
		got := track.AppleNote()
		if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") || strings.HasSuffix(got, ".") {
			t.Errorf("AppleNote of %v %s = %q, want %q", tt.codec, tt.text, got, tt.want)
		}
	}
}
