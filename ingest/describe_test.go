package ingest_test

import (
	"testing"

	"headwater/ingest"
	"headwater/mux"
)

func TestDescribe(t *testing.T) {
	video := mux.Track{Codec: mux.CodecH264, Parameters: mux.Parameters{
		CodecString: "avc1.64001f", Width: 1280, Height: 720, FrameRateNum: 30000, FrameRateDen: 1001}}
	audio := func(codec string, rate, channels int, language string) mux.Track {
		return mux.Track{Codec: mux.CodecAAC, Language: language,
			Parameters: mux.Parameters{CodecString: codec, SampleRate: rate, Channels: channels}}
	}
	tests := []struct {
		name    string
		program *mux.Program
		want    string
	}{
		{"nothing", nil, ""},
		{"not known yet", &mux.Program{Tracks: []mux.Track{{Codec: mux.CodecH264}, {Codec: mux.CodecMP3}}}, "H.264, MP3"},
		{"video and audio", &mux.Program{Tracks: []mux.Track{video, audio("mp4a.40.2", 48000, 2, "deu")}},
			"H.264 1280x720 29.97 fps, AAC 48 kHz stereo (deu)"},
		{"names of HE-AAC", &mux.Program{Tracks: []mux.Track{audio("mp4a.40.5", 44100, 1, ""), audio("mp4a.40.29", 32000, 2, "")}},
			"HE-AAC 44.1 kHz mono, HE-AAC v2 32 kHz stereo"},
		{"many channels", &mux.Program{Tracks: []mux.Track{audio("mp4a.40.2", 22050, 6, ""), audio("mp4a.40.2", 11025, 8, "")}},
			"AAC 22.05 kHz 5.1, AAC 11.025 kHz 8 channels"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := ingest.Describe(tt.program); got != tt.want {
				t.Errorf("Describe() = %q, want %q", got, tt.want)
			}
		})
	}
}
