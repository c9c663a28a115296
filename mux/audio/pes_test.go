package audio_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
)

// pes is one PES packet's payload with its time.
type pes struct {
	payload []byte
	pts     mux.Ticks
	lost    bool // packets were lost before it
}

// splitPES returns the frames of each PES packet as "PTS:first byte of body".
func splitPES(t testing.TB, packets []pes) (per [][]mux.Frame, s *audio.PESSplitter) {
	t.Helper()
	s = audio.NewPESSplitter(mux.CodecUnknown)
	for _, p := range packets {
		per = append(per, s.Split(nil, p.payload, p.pts, p.lost))
		if s.Held() > audio.MaxHeld {
			t.Fatalf("%d bytes held, want at most %d", s.Held(), audio.MaxHeld)
		}
	}
	return append(per, s.Flush(nil)), s
}

// times writes the PTS of all frames, with a bar after each PES packet.
func times(per [][]mux.Frame) string {
	var s bytes.Buffer
	for _, frames := range per {
		for _, f := range frames {
			fmt.Fprint(&s, f.PTS, " ")
		}
		s.WriteString("| ")
	}
	return s.String()
}

func TestPESSplitter(t *testing.T) {
	a := func(n int) []byte { return runADTS(4, 2, 300, n) } // 2090 ticks a frame
	b := runADTS(3, 2, 300, 4)                               // 1920
	all := a(6)
	tests := []struct {
		name string
		in   []pes
		want string
	}{
		{"whole frames", []pes{{a(2), 1000, false}, {a(1), 5180, false}},
			"1000 3090 | 5180 | | "},
		{"one frame each", []pes{{a(1), 1000, false}, {a(1), 3090, false}, {a(1), 5180, false}},
			"1000 | 3090 | 5180 | | "},
		// The PTS of a PES packet is that of the first frame that starts in it.
		{"a frame across two", []pes{{all[:400], 1000, false}, {all[400:900], 5180, false}},
			"1000 | 3090 5180 | | "},
		{"a frame across three", []pes{{all[:310], 1000, false}, {all[310:590], 7777, false}, {all[590:900], 5180, false}},
			"1000 | | 3090 5180 | | "},
		{"a header across two", []pes{{all[:303], 1000, false}, {all[303:600], 9999, false}, {a(1), 5180, false}},
			"| 1000 3090 | 5180 | | "}, // the format is not known before the second header
		// Times are counted on within a PES packet only.
		{"jitter of the source", []pes{{a(2), 1000, false}, {a(2), 5200, false}},
			"1000 3090 | 5200 7290 | | "},
		{"from the middle of a frame", []pes{{all[100:900], 1000, false}, {a(1), 5000, false}},
			"| 1000 3090 5000 | | "}, // nor before the third, where nothing starts a PES packet
		{"loss", []pes{{all[:400], 1000, false}, {a(1), 9000, true}},
			"1000 | 9000 | | "},
		{"loss, then the rest of a frame", []pes{{all[:400], 1000, false}, {all[250:900], 9000, true}, {a(1), 20000, false}},
			"1000 | 9000 11090 | 20000 | | "},
		{"loss that nobody noticed", []pes{{all[:400], 1000, false}, {a(2), 9000, false}},
			"1000 | 9000 11090 | | "},
		{"junk between", []pes{{join(a(2), make([]byte, 50)), 1000, false}, {a(1), 9000, false}},
			"1000 3090 | 9000 | | "},
		{"an empty one", []pes{{a(1), 1000, false}, {nil, 9999, false}, {a(1), 3090, false}},
			"1000 | | 3090 | | "},
		{"the end in a frame", []pes{{all[:500], 1000, false}}, "1000 | | "},

		// hls-rules C28
		{"a change of rate", []pes{{a(2), 1000, false}, {b, 5180, false}},
			"1000 3090 | 5180 7100 9020 10940 | | "},
		{"a change, one frame each", []pes{{a(1), 1000, false}, {b[:300], 3090, false}, {b[300:600], 5010, false}, {b[600:900], 6930, false}},
			"1000 | | | 3090 5010 6930 | | "},
		{"a bit error that looks like a change", []pes{{a(1), 1000, false}, {b[:300], 3090, false}, {a(1), 5180, false}, {a(1), 7270, false}},
			"1000 | | 5180 | 7270 | | "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			per, _ := splitPES(t, tt.in)
			if got := times(per); got != tt.want {
				t.Errorf("times %s, want %s", got, tt.want)
			}
		})
	}
}

func TestPESSplitterFrames(t *testing.T) {
	in := run(mp3128, 4)
	per, s := splitPES(t, []pes{{in[:900], 0, false}, {in[900:], 7053, false}})
	var all []byte
	for _, frames := range per {
		for _, f := range frames {
			if f.Samples != 1152 || f.Rate != 44100 || len(f.Data) != 417 {
				t.Errorf("frame of %d samples at %d Hz, %d bytes", f.Samples, f.Rate, len(f.Data))
			}
			all = append(all, f.Data...)
		}
	}
	if !bytes.Equal(all, in) {
		t.Error("the frames are not those that were sent")
	}
	if p := s.Parameters(); p.CodecString != "mp4a.40.34" || p.SampleRate != 44100 || s.Codec() != mux.CodecMP3 {
		t.Errorf("Parameters = %+v, Codec = %v", p, s.Codec())
	}
	if skipped, frames, losses := s.Stats(); skipped != 0 || frames != 4 || losses != 0 {
		t.Errorf("Stats = %d, %d, %d, want 0, 4, 0", skipped, frames, losses)
	}
}

// A PES packet without PTS goes on where the last frame ended.
func TestPESSplitterNext(t *testing.T) {
	s := audio.NewPESSplitter(mux.CodecAAC)
	if _, ok := s.Next(); ok {
		t.Error("Next before the first frame is ok")
	}
	s.Split(nil, runADTS(4, 2, 300, 3), 1000, false)
	if pts, ok := s.Next(); !ok || pts != 1000+6269 {
		t.Errorf("Next = %d, %v, want 7269, true", pts, ok)
	}
}

// The first frames of HE-AAC in a transport stream tell what it is, too.
func TestPESSplitterProbe(t *testing.T) {
	in, err := os.ReadFile("../codec/testdata/he-v2-late-44100.aac")
	if err != nil {
		t.Fatal(err)
	}
	s := audio.NewPESSplitter(mux.CodecAAC)
	s.Split(nil, in[:500], 0, false)
	if s.Parameters().Known() {
		t.Errorf("Parameters = %+v before it can be known", s.Parameters())
	}
	s.Split(nil, in[500:], 9000, false)
	if p := s.Parameters(); p.CodecString != "mp4a.40.29" || p.SampleRate != 44100 || p.Channels != 2 {
		t.Errorf("Parameters = %+v, want mp4a.40.29", p)
	}
}

func TestPESSplitterAllocs(t *testing.T) {
	payload := runADTS(4, 2, 300, 8)
	s := audio.NewPESSplitter(mux.CodecAAC)
	dst := make([]mux.Frame, 0, 100)
	s.Split(dst, payload, 0, false)
	s.Split(dst, payload, 0, false)
	if n := testing.AllocsPerRun(100, func() { s.Split(dst[:0], payload, 0, false) }); n != 0 {
		t.Errorf("Split of whole frames allocates %v times, want 0", n)
	}
}

func BenchmarkPESSplitter(b *testing.B) {
	payload := runADTS(4, 2, 300, 8)
	s := audio.NewPESSplitter(mux.CodecAAC)
	dst := make([]mux.Frame, 0, 100)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		s.Split(dst[:0], payload, 0, false)
	}
}

// FuzzPESSplitter: every byte is in a frame, skipped or kept, and what is kept
// is bounded.
func FuzzPESSplitter(f *testing.F) {
	f.Add(runADTS(4, 2, 30, 9), uint8(20), uint8(0))
	f.Add(join(run(mp3tiny, 2), runADTS(4, 2, 30, 9)), uint8(90), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size, lost uint8) {
		s := audio.NewPESSplitter(mux.CodecUnknown)
		var frames []mux.Frame
		total := len(b)
		for i := 0; len(b) > 0; i++ {
			k := min(int(size)+1, len(b))
			frames = s.Split(frames, b[:k], mux.Ticks(i)*3000, lost > 0 && i%int(lost) == 1)
			b = b[k:]
			if s.Held() > audio.MaxHeld {
				t.Fatalf("%d bytes held", s.Held())
			}
		}
		frames = s.Flush(frames)
		skipped, count, _ := s.Stats()
		sum := int(skipped)
		for _, f := range frames {
			sum += len(f.Data)
			if f.Samples <= 0 || f.Rate <= 0 || f.PTS < 0 {
				t.Fatalf("frame %+v", f)
			}
		}
		if sum != total || int(count) != len(frames) || s.Held() != 0 {
			t.Fatalf("%d bytes in frames or skipped of %d, %d kept; %d frames of %d", sum, total, s.Held(), count, len(frames))
		}
	})
}
