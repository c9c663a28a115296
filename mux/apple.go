package mux

import (
	"fmt"
	"strings"
)

// AppleNote returns a plain sentence if Apple devices cannot play the track from a
// transport stream, else the empty string (hls-rules C17, C19, E03).
func (t *Track) AppleNote() string {
	switch t.Codec {
	case CodecH264:
		if chroma := t.richChroma(); chroma != "" {
			return fmt.Sprintf("Apple devices and most browsers do not play %s colour in H.264 (%s): have the encoder make 4:2:0, in gst-launch with video/x-raw,format=I420 before x264enc", chroma, t.Parameters.CodecString)
		}
	case CodecHEVC:
		return "Apple devices do not play HEVC from MPEG-TS; ffmpeg, mpv and VLC do: send H.264 for iPhone and Safari"
	case CodecMPEG2Video:
		return "Apple devices and browsers do not play MPEG-2 video; ffmpeg, mpv and VLC do: send H.264"
	case CodecMP2, CodecLATM, CodecOpus:
		return fmt.Sprintf("Apple devices and browsers do not play %s from MPEG-TS; ffmpeg, mpv and VLC do: send AAC (ADTS) or MP3", t.Codec)
	}
	return ""
}

// richChroma returns the sampling of colours that the profile of an H.264 track
// stands for if that is more than 4:2:0, else the empty string (ITU-T H.264
// annex A.2; hls-rules B05).
func (t *Track) richChroma() string {
	profile, _ := strings.CutPrefix(strings.ToLower(t.Parameters.CodecString), "avc1.")
	switch profile[:min(2, len(profile))] {
	case "7a":
		return "4:2:2"
	case "f4", "2c":
		return "4:4:4"
	}
	return ""
}
