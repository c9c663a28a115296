package codec_test

import (
	"errors"
	"fmt"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
)

func TestParseMPEGAudio(t *testing.T) {
	tests := []struct {
		name, header string
		want         codec.MPEGAudio
	}{
		{"layer III, 128 kbit/s at 44.1 kHz", "fffb9064",
			codec.MPEGAudio{Version: 1, Layer: 3, Bitrate: 128000, SampleRate: 44100, Channels: 2, Samples: 1152, Size: 417, Mode: 1}},
		{"the same padded", "fffb9264",
			codec.MPEGAudio{Version: 1, Layer: 3, Bitrate: 128000, SampleRate: 44100, Channels: 2, Samples: 1152, Size: 418, Padding: true, Mode: 1}},
		{"320 kbit/s at 48 kHz with check word, mono", "fffae4c4",
			codec.MPEGAudio{Version: 1, Layer: 3, Bitrate: 320000, SampleRate: 48000, Channels: 1, Samples: 1152, Size: 960, CRC: true, Mode: 3}},
		{"MPEG-2 layer III at 22.05 kHz", "fff38004",
			codec.MPEGAudio{Version: 2, Layer: 3, Bitrate: 64000, SampleRate: 22050, Channels: 2, Samples: 576, Size: 208}},
		{"MPEG-2.5 layer III, 8 kbit/s at 8 kHz", "ffe318c4",
			codec.MPEGAudio{Version: 25, Layer: 3, Bitrate: 8000, SampleRate: 8000, Channels: 1, Samples: 576, Size: 72, Mode: 3}},
		{"layer II, the largest frame", "fffdea00",
			codec.MPEGAudio{Version: 1, Layer: 2, Bitrate: 384000, SampleRate: 32000, Channels: 2, Samples: 1152, Size: codec.MaxMPEGAudioSize, Padding: true}},
		{"layer I counts slots", "ffffc200",
			codec.MPEGAudio{Version: 1, Layer: 1, Bitrate: 384000, SampleRate: 44100, Channels: 2, Samples: 384, Size: 420, Padding: true}},
	}
	for _, tt := range tests {
		got, err := codec.ParseMPEGAudio(unhex(t, tt.header))
		if err != nil || got != tt.want {
			t.Errorf("%s: ParseMPEGAudio(%s) = %+v, %v, want %+v", tt.name, tt.header, got, err, tt.want)
		}
	}
}

// hls-rules C27, C33: what has no length or is reserved is no header.
func TestParseMPEGAudioRefuses(t *testing.T) {
	tests := []struct {
		name, header string
		want         error
	}{
		{"three bytes", "fffb90", mux.ErrTruncated},
		{"no sync", "feFb9064", mux.ErrInvalid},
		{"reserved version", "ffeb9064", mux.ErrInvalid},
		{"reserved layer", "fff99064", mux.ErrInvalid},
		{"MPEG-2.5 layer II", "ffe59064", mux.ErrInvalid},
		{"free format", "fffb0064", mux.ErrInvalid},
		{"bad bit rate", "fffbf064", mux.ErrInvalid},
		{"reserved sampling rate", "fffb9c64", mux.ErrInvalid},
		{"reserved emphasis", "fffb9066", mux.ErrInvalid},
	}
	for _, tt := range tests {
		if h, err := codec.ParseMPEGAudio(unhex(t, tt.header)); !errors.Is(err, tt.want) || h != (codec.MPEGAudio{}) {
			t.Errorf("%s: ParseMPEGAudio(%s) = %+v, %v, want %v", tt.name, tt.header, h, err, tt.want)
		}
	}
}

// hls-rules B08
func TestMPEGAudioParameters(t *testing.T) {
	for header, want := range map[string]string{
		"fffb9064": "mp4a.40.34 44100 2",
		"fff380c4": "mp4a.40.34 22050 1",
		"fffd9004": "mp4a.40.33 44100 2",
	} {
		h, err := codec.ParseMPEGAudio(unhex(t, header))
		p := h.Parameters()
		if got := fmt.Sprint(p.CodecString, " ", p.SampleRate, " ", p.Channels); err != nil || got != want {
			t.Errorf("ParseMPEGAudio(%s).Parameters() = %s, %v, want %s", header, got, err, want)
		}
	}
}

func TestMPEGAudioSame(t *testing.T) {
	tests := []struct {
		name, other string
		want        bool
	}{
		{"padding", "fffb9264", true},
		{"bit rate", "fffbe064", true},
		{"mode", "fffb90c4", true},
		{"sampling rate", "fffb9464", false},
		{"version", "fff39064", false},
		{"layer", "fffd9064", false},
	}
	h, _ := codec.ParseMPEGAudio(unhex(t, "fffb9064"))
	for _, tt := range tests {
		o, err := codec.ParseMPEGAudio(unhex(t, tt.other))
		if got := h.Same(o); err != nil || got != tt.want {
			t.Errorf("Same with another %s = %v, %v, want %v", tt.name, got, err, tt.want)
		}
	}
}

// hls-rules C26
func TestInfoFrame(t *testing.T) {
	tests := []struct {
		name, header string
		offset       int
		tag          string
		want         bool
	}{
		{"Xing, MPEG-1 stereo", "fffb9064", 36, "Xing", true},
		{"Info, MPEG-1 mono", "fffb90c4", 21, "Info", true},
		{"Info, MPEG-2 stereo", "fff38004", 21, "Info", true},
		{"Xing, MPEG-2.5 mono", "ffe348c4", 13, "Xing", true},
		{"Info behind a check word", "fffa9064", 38, "Info", true},
		{"VBRI", "fffb90c4", 36, "VBRI", true},
		{"Xing elsewhere", "fffb9064", 40, "Xing", false},
		{"sound", "fffb9064", 36, "\x00\x00\x00\x00", false},
		{"layer II", "fffd9064", 36, "Xing", false},
	}
	for _, tt := range tests {
		h, err := codec.ParseMPEGAudio(unhex(t, tt.header))
		if err != nil {
			t.Fatal(err)
		}
		frame := make([]byte, h.Size)
		copy(frame, unhex(t, tt.header))
		copy(frame[tt.offset:], tt.tag)
		if got := h.InfoFrame(frame); got != tt.want {
			t.Errorf("%s: InfoFrame = %v, want %v", tt.name, got, tt.want)
		}
		if h.InfoFrame(frame[:4]) {
			t.Errorf("%s: InfoFrame of 4 bytes = true, want false", tt.name)
		}
	}
}

func ExampleParseMPEGAudio() {
	h, err := codec.ParseMPEGAudio([]byte{0xff, 0xfb, 0x90, 0x64})
	fmt.Println(h.Bitrate, h.SampleRate, h.Size, err)
	// Output: 128000 44100 417 <nil>
}

// FuzzParseMPEGAudio: a header that is taken has a frame with a length and a
// duration that agree with its bit rate.
func FuzzParseMPEGAudio(f *testing.F) {
	f.Add(unhex(f, "fffb9064"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := codec.ParseMPEGAudio(b)
		if err != nil {
			if h != (codec.MPEGAudio{}) {
				t.Fatalf("ParseMPEGAudio(%x) = %+v, %v", b, h, err)
			}
			return
		}
		if h.Size < 4+17 || h.Size > codec.MaxMPEGAudioSize || h.Channels < 1 || h.Channels > 2 || !h.Same(h) || !h.Parameters().Known() {
			t.Fatalf("ParseMPEGAudio(%x) = %+v", b, h)
		}
		exact := float64(h.Bitrate) / 8 * float64(h.Samples) / float64(h.SampleRate)
		if d := float64(h.Size) - exact; d < -4 || d > 4 {
			t.Fatalf("ParseMPEGAudio(%x): Size %d, bit rate makes %.1f", b, h.Size, exact)
		}
		h.InfoFrame(b)
	})
}
