package mux

import "fmt"

// AppleNote returns a plain sentence if Apple devices cannot play the track from a
// transport stream, else the empty string (hls-rules C17, C19, E03).
func (t *Track) AppleNote() string {
	switch t.Codec {
	case CodecHEVC:
		return "Apple devices do not play HEVC from MPEG-TS; ffmpeg, mpv and VLC do: send H.264 for iPhone and Safari"
	case CodecMPEG2Video:
		return "Apple devices and browsers do not play MPEG-2 video; ffmpeg, mpv and VLC do: send H.264"
	case CodecMP2, CodecLATM, CodecOpus:
		return fmt.Sprintf("Apple devices and browsers do not play %s from MPEG-TS; ffmpeg, mpv and VLC do: send AAC (ADTS) or MP3", t.Codec)
	}
	return ""
}
