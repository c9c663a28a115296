package codec_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
)

func TestParseADTS(t *testing.T) {
	tests := []struct {
		name, header string
		want         codec.ADTS
	}{
		{"LC, 44.1 kHz, stereo", "fff150802dfffc",
			codec.ADTS{Profile: 2, SampleRateIndex: 4, SampleRate: 44100, ChannelConfig: 2, Channels: 2, Size: 367, HeaderSize: 7, Blocks: 1, Samples: 1024}},
		{"MPEG-2 ID with check word", "fff84c8005fffc",
			codec.ADTS{MPEG2: true, Profile: 2, SampleRateIndex: 3, SampleRate: 48000, ChannelConfig: 2, Channels: 2, Size: 47, HeaderSize: 9, Blocks: 1, Samples: 1024, CRC: true}},
		{"four blocks with check words, 7.1", "fff04dcfffffff",
			codec.ADTS{Profile: 2, SampleRateIndex: 3, SampleRate: 48000, ChannelConfig: 7, Channels: 8, Size: 8191, HeaderSize: 15, Blocks: 4, Samples: 4096, CRC: true}},
		{"Main, 7350 Hz, channels told in the frame", "fff130000105fc",
			codec.ADTS{Profile: 1, SampleRateIndex: 12, SampleRate: 7350, Size: 8, HeaderSize: 7, Blocks: 1, Samples: 1024}},
	}
	for _, tt := range tests {
		got, err := codec.ParseADTS(unhex(t, tt.header))
		if err != nil || got != tt.want {
			t.Errorf("%s: ParseADTS(%s) = %+v, %v, want %+v", tt.name, tt.header, got, err, tt.want)
		}
	}
}

// hls-rules C27, C33
func TestParseADTSRefuses(t *testing.T) {
	tests := []struct {
		name, header string
		want         error
	}{
		{"six bytes", "fff150802dff", mux.ErrTruncated},
		{"no sync", "ffe150802dfffc", mux.ErrInvalid},
		{"a layer", "fff350802dfffc", mux.ErrInvalid},
		{"sampling_frequency_index 13", "fff174802dfffc", mux.ErrInvalid},
		{"sampling_frequency_index 15", "fff17c802dfffc", mux.ErrInvalid},
		{"length 0", "fff15080001ffc", mux.ErrInvalid},
		{"length of the header alone", "fff1508000fffc", mux.ErrInvalid},
		{"length of the header with check word alone", "fff05080013ffc", mux.ErrInvalid},
	}
	for _, tt := range tests {
		if h, err := codec.ParseADTS(unhex(t, tt.header)); !errors.Is(err, tt.want) || h != (codec.ADTS{}) {
			t.Errorf("%s: ParseADTS(%s) = %+v, %v, want %v", tt.name, tt.header, h, err, tt.want)
		}
	}
}

// A search for sync meets headers that are none at every other byte.
func TestParseAllocs(t *testing.T) {
	mp3, aac := unhex(t, "fffb9064"), unhex(t, "fff150802dfffc")
	bad := unhex(t, "fffbf064000000")
	n := testing.AllocsPerRun(100, func() {
		for _, b := range [][]byte{mp3, aac, bad} {
			codec.ParseMPEGAudio(b)
			codec.ParseADTS(b)
		}
	})
	if n != 0 {
		t.Errorf("parsing allocates %v times, want 0", n)
	}
}

func ExampleParseADTS() {
	h, err := codec.ParseADTS([]byte{0xff, 0xf1, 0x50, 0x80, 0x2d, 0xff, 0xfc})
	fmt.Println(h.SampleRate, h.Channels, h.Size, err)
	// Output: 44100 2 367 <nil>
}

// FuzzParseADTS: a header that is taken has a frame longer than itself.
func FuzzParseADTS(f *testing.F) {
	f.Add(unhex(f, "fff150802dfffc"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := codec.ParseADTS(b)
		if err != nil {
			if h != (codec.ADTS{}) {
				t.Fatalf("ParseADTS(%x) = %+v, %v", b, h, err)
			}
			return
		}
		if h.Size <= h.HeaderSize || h.Size > codec.MaxADTSSize || h.SampleRate < 7350 || h.SampleRate > 96000 ||
			h.Blocks < 1 || h.Blocks > 4 || h.Samples != 1024*h.Blocks || h.Channels > 8 || !h.Same(h) {
			t.Fatalf("ParseADTS(%x) = %+v", b, h)
		}
	})
}

// frames cuts a run of ADTS frames.
func frames(t testing.TB, b []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for len(b) > 0 {
		h, err := codec.ParseADTS(b)
		if err != nil || h.Size > len(b) {
			t.Fatalf("ParseADTS(%x…) = %+v, %v", b[:min(7, len(b))], h, err)
		}
		out, b = append(out, b[:h.Size]), b[h.Size:]
	}
	return out
}

// samples are the files of testdata and what they are.
var samples = []struct {
	file   string
	want   string // codec, rate, channels
	frames int    // needed to know
}{
	{"he-mono-44100.aac", "mp4a.40.5 44100 1", 8},
	{"he-stereo-48000.aac", "mp4a.40.5 48000 2", 1},
	{"he-v2-44100.aac", "mp4a.40.29 44100 2", 1},
	{"he-v2-late-44100.aac", "mp4a.40.29 44100 2", 10},
	{"lc-5.1-44100.aac", "mp4a.40.2 44100 6", 8},
	{"lc-clicks-48000.aac", "mp4a.40.2 48000 2", 8},
	{"lc-mono-16000.aac", "mp4a.40.2 16000 1", 8},
	{"lc-stereo-22050-64k.aac", "mp4a.40.2 22050 2", 8},
}

func sample(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// spell writes what matters of p in a word.
func spell(p mux.Parameters) string {
	return fmt.Sprintf("%s %d %d", p.CodecString, p.SampleRate, p.Channels)
}

// hls-rules B07: HE-AAC is told from the raw data; the header calls it LC.
func TestAACProbe(t *testing.T) {
	for _, tt := range samples {
		t.Run(tt.file, func(t *testing.T) {
			var p codec.AACProbe
			n := 0
			for _, frame := range frames(t, sample(t, tt.file)) {
				n++
				if p.Add(frame) {
					break
				}
			}
			if got := spell(p.Parameters()); got != tt.want || n != tt.frames {
				t.Errorf("after %d frames %s, want after %d %s", n, got, tt.frames, tt.want)
			}
			final := p.Parameters()
			p.Add(frames(t, sample(t, "lc-mono-16000.aac"))[0])
			if p.Parameters() != final {
				t.Errorf("a frame more makes %+v of %+v", p.Parameters(), final)
			}
		})
	}
}

func TestAACParameters(t *testing.T) {
	tests := []struct {
		file string
		want string
	}{
		{"he-v2-44100.aac", "mp4a.40.29 44100 2"},
		{"he-v2-late-44100.aac", "mp4a.40.5 44100 1"}, // the header of SBR is not in the first frame
		{"he-stereo-48000.aac", "mp4a.40.5 48000 2"},
		{"lc-mono-16000.aac", "mp4a.40.2 16000 1"},
	}
	for _, tt := range tests {
		p, err := codec.AACParameters(sample(t, tt.file))
		if got := spell(p); err != nil || got != tt.want {
			t.Errorf("AACParameters(%s) = %s, %v, want %s", tt.file, got, err, tt.want)
		}
	}
	if p, err := codec.AACParameters([]byte{0xff}); err == nil || p.Known() {
		t.Errorf("AACParameters of a byte = %+v, %v, want an error", p, err)
	}
}

// Object types other than LC are what the header says, and Config is an
// AudioSpecificConfig.
func TestAACParametersOther(t *testing.T) {
	main := append(unhex(t, "fff110800105fc"), 0)
	p, err := codec.AACParameters(main)
	if got := spell(p); err != nil || got != "mp4a.40.1 44100 2" || p.Config != "\x0a\x10" {
		t.Errorf("AACParameters(Main) = %s, Config %x, %v, want mp4a.40.1 44100 2, 0a10", got, p.Config, err)
	}
}

// A program_config_element tells the channels where the header does not.
func TestAACProgramConfig(t *testing.T) {
	var w bitWriter
	w.bits(3, 5)    // ID_PCE
	w.bits(4, 0)    // element_instance_tag
	w.bits(6, 0x13) // object_type, sampling_frequency_index
	w.bits(12, 0x201)
	w.bits(9, 1<<7) // one LFE
	w.bits(3, 0)    // no mixdown
	w.bits(5, 0<<4) // a single front element
	w.bits(5, 1<<4) // a pair in front
	w.bits(5, 1<<4) // a pair behind
	w.bits(4, 0)    // LFE
	for w.n%8 != 0 {
		w.bits(1, 0)
	}
	w.bytes(2, 'o', 'k')
	w.bits(3, 7) // ID_END
	frame := append(unhex(t, "fff14c000000fc"), w.b...)
	frame[4], frame[5] = byte(len(frame)>>3), byte(len(frame)&7<<5)|0x1f
	p, err := codec.AACParameters(frame)
	if p.Channels != 6 || err != nil {
		t.Errorf("AACParameters(5.1 by program_config_element) = %d channels, %v, want 6", p.Channels, err)
	}
}

// TestAACProbeEncoder lets a real encoder use its tools at many rates: the
// walk must come to the end of every frame, or HE-AAC would be guessed.
func TestAACProbeEncoder(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for i, rate := range []int{8000, 11025, 16000, 24000, 32000, 44100, 48000, 64000, 96000} {
		for _, channels := range [...][]int{{2}, {1, 8}, {2, 6}}[i%3] {
			out, err := exec.Command("ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i",
				fmt.Sprintf("anoisesrc=r=%d:d=0.5:a=0.7,tremolo=f=20:d=1", rate),
				"-ac", fmt.Sprint(channels), "-c:a", "aac", "-f", "adts", "-").Output()
			if err != nil {
				t.Fatalf("ffmpeg: %v", err)
			}
			for i, frame := range frames(t, out) {
				if err := codec.WalkAAC(frame); err != nil {
					t.Errorf("%d Hz, %d channels, frame %d: %v", rate, channels, i, err)
				}
			}
			p, err := codec.AACParameters(out)
			if want := fmt.Sprintf("mp4a.40.2 %d %d", rate, channels); err != nil || spell(p) != want {
				t.Errorf("AACParameters = %s, %v, want %s", spell(p), err, want)
			}
		}
	}
}

// FuzzAACProbe: the probe ends, and says what can be.
func FuzzAACProbe(f *testing.F) {
	for _, s := range samples {
		f.Add(sample(f, s.file)[:400])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p codec.AACProbe
		var n int
		for n = 0; n < 100 && !p.Add(b); n++ {
		}
		h, err := codec.ParseADTS(b)
		if err != nil {
			if p.Parameters().Known() {
				t.Fatalf("no frame makes %+v", p.Parameters())
			}
			return
		}
		q := p.Parameters()
		if n >= 40 || q.SampleRate < h.SampleRate || q.SampleRate > 2*h.SampleRate || q.Channels < h.Channels || !strings.HasPrefix(q.CodecString, "mp4a.40.") {
			t.Fatalf("after %d frames %+v", n, q)
		}
	})
}

func BenchmarkAACProbe(b *testing.B) {
	all := sample(b, "lc-stereo-22050-64k.aac")
	list := frames(b, all)
	b.SetBytes(int64(len(all)))
	for b.Loop() {
		var p codec.AACProbe
		for _, frame := range list {
			p.Add(frame)
		}
	}
}
