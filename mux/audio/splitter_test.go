package audio_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
)

// damaged returns b with the byte at i changed by xor.
func damaged(b []byte, i int, xor byte) []byte {
	b = bytes.Clone(b)
	b[i] ^= xor
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// Each input is split in pieces of many sizes with the same result.
func TestSplitter(t *testing.T) {
	five, fiveAAC := run(mp3128, 5), runADTS(4, 2, 300, 5)
	ten, tenAAC := run(mp3128, 10), runADTS(4, 2, 300, 10)
	junk := bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x00, 0xff, 0xf1}, 50) // sync words without order
	const size = 417
	tests := []struct {
		name    string
		codec   mux.Codec
		in      []byte
		frames  int
		skipped int
		losses  int
	}{
		{"MP3", mux.CodecUnknown, five, 5, 0, 0},
		{"AAC", mux.CodecUnknown, fiveAAC, 5, 0, 0},
		{"MP3 asked for", mux.CodecMP3, five, 5, 0, 0},
		{"AAC, but MP3 asked for", mux.CodecMP3, fiveAAC, 0, len(fiveAAC), 0},
		{"MP3, but AAC asked for", mux.CodecAAC, five, 0, len(five), 0},
		{"layer II is only taken if asked for", mux.CodecUnknown, run("fffd9004", 4), 0, 4 * 522, 0},
		{"layer II", mux.CodecMP2, run("fffd9004", 4), 4, 0, 0},
		{"padding changes", mux.CodecUnknown, join(run(mp3128, 2), run(mp3pad, 2), run(mp3128, 2)), 6, 0, 0},
		{"nothing", mux.CodecUnknown, nil, 0, 0, 0},
		{"junk only", mux.CodecUnknown, junk, 0, len(junk), 0},
		{"the rest of a frame first", mux.CodecUnknown, join(five[100:], five), 9, size - 100, 0},
		{"junk first", mux.CodecUnknown, join(junk, five), 5, len(junk), 0},
		{"junk between", mux.CodecUnknown, join(five, junk, five), 10, len(junk), 1},
		{"a frame too short", mux.CodecUnknown, join(five, five[:size-50], five), 10, size - 50, 1},
		{"a frame cut at the end", mux.CodecUnknown, join(five, five[:300]), 5, 300, 0},
		{"two frames at the end are enough", mux.CodecUnknown, run(mp3128, 2), 2, 0, 0},
		{"one frame is not", mux.CodecUnknown, run(mp3128, 1), 0, size, 0},
		{"two frames of another rate, then the first again", mux.CodecUnknown, join(five, run(mp348k, 2), five), 10, 2 * 384, 1},
		{"a length of zero", mux.CodecUnknown, join(fiveAAC, []byte{0xff, 0xf1, 0x50, 0x80, 0, 0x1f, 0xfc}, fiveAAC), 10, 7, 1},
		{"free format", mux.CodecUnknown, bytes.Repeat(append([]byte{0xff, 0xfb, 0x00, 0x64}, body(413, 1)...), 5), 0, 5 * size, 0},

		// hls-rules C27: a bit error costs the frame it is in.
		{"in the first frames, it costs those until three agree", mux.CodecUnknown, damaged(ten, 2*size, 0x10), 7, 3 * size, 0},
		{"a broken sync word", mux.CodecUnknown, join(five, damaged(five, 2*size, 0x10), five), 14, size, 1},
		{"a sampling rate in error", mux.CodecUnknown, damaged(ten, 5*size+2, 0x04), 9, size, 1},
		{"a length too long", mux.CodecUnknown, damaged(tenAAC, 5*300+4, 0x40), 9, 300, 1},
		{"a length far too long", mux.CodecUnknown, join(damaged(tenAAC, 5*300+3, 0x02), runADTS(4, 2, 300, 40)), 49, 300, 1},
		{"a length too short", mux.CodecUnknown, damaged(tenAAC, 5*300+4, 0x20), 10, 256, 1},

		// hls-rules C26
		{"ID3v2 first", mux.CodecUnknown, join(garbageTag(500, 500, 0), five), 5, 510, 0},
		{"ID3v2 with footer", mux.CodecUnknown, join(garbageTag(500, 510, 0x10), five), 5, 520, 0},
		{"ID3v2 that holds frames", mux.CodecUnknown, join(garbageTag(len(fiveAAC), 0, 0), fiveAAC, five), 5, len(fiveAAC) + 10, 0},
		{"ID3v2 between", mux.CodecUnknown, join(five, garbageTag(500, 500, 0), five), 10, 510, 0},
		{"two tags", mux.CodecUnknown, join(garbageTag(5, 5, 0), garbageTag(9, 9, 0), five), 5, 34, 0},
		{"ID3v1 at the end", mux.CodecUnknown, join(five, []byte("TAG"), make([]byte, 125)), 5, 128, 0},
		{"ID3v1, then the next file", mux.CodecUnknown, join(five, []byte("TAG"), make([]byte, 125), garbageTag(5, 5, 0), five), 10, 143, 0},
		{"ID3v1 extension", mux.CodecUnknown, join(five, []byte("TAG+"), make([]byte, 223), []byte("TAG"), make([]byte, 125), five), 10, 355, 0},
		{"APE", mux.CodecUnknown, join(five, ape(300), five), 10, 364, 0},
		{"ID3v2 that is longer than told", mux.CodecUnknown, join(garbageTag(100, 300, 0), five), 5, 310, 0},
		{"ID3v2 that ends with the input", mux.CodecUnknown, garbageTag(500, 100, 0), 0, 110, 0},
		{"table of contents", mux.CodecUnknown, join(garbageTag(5, 5, 0), info(), five), 5, 15 + size, 0},
		{"table of contents of the next file", mux.CodecUnknown, join(five, info(), five), 10, size, 0},

		// hls-rules C28
		{"another sampling rate", mux.CodecUnknown, join(five, run(mp348k, 3)), 8, 0, 0},
		{"another codec", mux.CodecUnknown, join(five, fiveAAC), 10, 0, 0},
		{"another number of channels", mux.CodecUnknown, join(five, run(mp3mono, 3)), 8, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			whole, _ := split(t, tt.codec, tt.in, len(tt.in)+1)
			if len(whole.frames) != tt.frames || whole.skipped != uint64(tt.skipped) || whole.loses != uint64(tt.losses) {
				t.Errorf("%d frames, %d skipped, %d losses, want %d, %d, %d",
					len(whole.frames), whole.skipped, whole.loses, tt.frames, tt.skipped, tt.losses)
			}
			for _, n := range []int{1, 2, 13, 100, 417, 1000, 4096} {
				pieces, _ := split(t, tt.codec, tt.in, n)
				if fmt.Sprint(pieces) != fmt.Sprint(whole) {
					t.Errorf("in pieces of %d: %d frames, %d skipped, %d losses, want %d, %d, %d",
						n, len(pieces.frames), pieces.skipped, pieces.loses, len(whole.frames), whole.skipped, whole.loses)
				}
			}
		})
	}
}

// A tag that says 256 MB and holds nothing costs one megabyte of audio.
func TestSplitterTagSizeLies(t *testing.T) {
	in := join(garbageTag(1<<28-1, 0, 0), bytes.Repeat(run(mp3128, 100), 30))
	g, _ := split(t, mux.CodecUnknown, in, 4096)
	if want := (len(in)-audio.MaxTag)/417 - 1; len(g.frames) < want || g.skipped > audio.MaxTag+2*417 {
		t.Errorf("%d frames, %d skipped, want at least %d frames", len(g.frames), g.skipped, want)
	}
}

// hls-rules C27: no input makes a splitter keep more than three frames, or
// stop taking what is good behind it.
func TestSplitterBounded(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 1<<20)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	longest := adts(4, 2, 8191, 1)
	tests := []struct {
		name string
		in   []byte
	}{
		{"random bytes", random},
		{"sync words", bytes.Repeat([]byte{0xff}, 1<<18)},
		{"headers of the longest frame", bytes.Repeat(longest[:7], 1<<15)},
		{"pairs of frames", bytes.Repeat(join(longest, longest, []byte{0, 0}), 30)},
		{"an endless tag", bytes.Repeat(garbageTag(1<<28-1, 0, 0), 1<<14)},
		{"zeros", make([]byte, 1<<20)},
	}
	good := runADTS(4, 2, 300, 20)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := join(tt.in, make([]byte, audio.MaxTag), good)
			for _, n := range []int{1000, 1 << 16} {
				g, _ := split(t, mux.CodecUnknown, in, n)
				if k := len(g.frames); k < 20 || !bytes.Equal(g.frames[k-1], good[19*300:]) {
					t.Errorf("in pieces of %d: %d frames, want the good ones behind it", n, k)
				}
			}
		})
	}
}

// A frame that lies whole in what was written is not copied, nor is one across
// two writes that are neighbours in memory.
func TestSplitterAliases(t *testing.T) {
	in := run(mp3128, 10)
	const cut = 4*417 + 100 // in frame 4
	tests := []struct {
		name   string
		first  []byte
		copied int // number of the frame that is, or -1
	}{
		{"writes that are neighbours", in[:cut], -1},
		{"writes that do not show that they are", in[:cut:cut], 4},
		{"writes from two places", append(make([]byte, 0, len(in)), in[:cut]...), 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := audio.NewSplitter(mux.CodecUnknown)
			n := 0
			emit := func(frame []byte, samples, rate int) {
				place := in
				if n < 4 {
					place = tt.first
				}
				if copied := &frame[0] != &place[n*417]; copied != (n == tt.copied) {
					t.Errorf("frame %d was copied: %v", n, copied)
				}
				if !bytes.Equal(frame, in[n*417:(n+1)*417]) {
					t.Errorf("frame %d is not what was sent", n)
				}
				n++
			}
			s.Write(tt.first, emit)
			s.Write(in[cut:], emit)
			s.Flush(emit)
			if n != 10 {
				t.Errorf("%d frames, want 10", n)
			}
		})
	}
}

func TestSplitterParameters(t *testing.T) {
	s := audio.NewSplitter(mux.CodecUnknown)
	var seen []string
	emit := func([]byte, int, int) {
		p := s.Parameters()
		word := fmt.Sprintf("%v %s %d %d", s.Codec(), p.CodecString, p.SampleRate, p.Channels)
		if k := len(seen); k == 0 || seen[k-1] != word {
			seen = append(seen, word)
		}
	}
	if s.Codec() != mux.CodecUnknown || s.Parameters().Known() {
		t.Errorf("before the first frame: %v, %+v", s.Codec(), s.Parameters())
	}
	one := run(mp348k, 1) // hls-rules C28: alone it is no change
	s.Write(join(run(mp3128, 4), one, run(mp3128, 4), run(mp3mono, 4), runADTS(3, 2, 200, 10)), emit)
	want := []string{"MP3 mp4a.40.34 44100 2", "MP3 mp4a.40.34 44100 1", "AAC  0 0", "AAC mp4a.40.2 48000 2"}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("seen %q, want %q", seen, want)
	}
}

// A splitter can take another connection after Flush.
func TestSplitterAfterFlush(t *testing.T) {
	s := audio.NewSplitter(mux.CodecUnknown)
	n := 0
	emit := func([]byte, int, int) { n++ }
	for range 3 {
		s.Write(run(mp3128, 3)[:3*417-100], emit)
		s.Flush(emit)
	}
	if skipped, frames, losses := s.Stats(); n != 6 || frames != 6 || skipped != 3*317 || losses != 0 {
		t.Errorf("%d frames, Stats = %d, %d, %d, want 6, 951, 6, 0", n, skipped, frames, losses)
	}
}

func TestSplitterAllocs(t *testing.T) {
	in := run(mp3128, 100)
	s := audio.NewSplitter(mux.CodecMP3)
	emit := func([]byte, int, int) {}
	n := testing.AllocsPerRun(100, func() { s.Write(in, emit) })
	if n > 0.1 {
		t.Errorf("Write of 100 frames allocates %v times, want less than 0.1", n)
	}
}

func BenchmarkSplitter(b *testing.B) {
	for _, bb := range []struct {
		name string
		in   []byte
	}{
		{"mp3", run(mp3128, 157)},
		{"aac", runADTS(4, 2, 370, 177)},
		{"junk", bytes.Repeat([]byte{0xff, 0xfb, 0x90, 0x64, 1, 2, 3, 0xff}, 8192)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := audio.NewSplitter(mux.CodecUnknown)
			emit := func([]byte, int, int) {}
			b.SetBytes(int64(len(bb.in)))
			b.ReportAllocs()
			for b.Loop() {
				s.Write(bb.in, emit)
			}
		})
	}
}

func ExampleSplitter() {
	s := audio.NewSplitter(mux.CodecUnknown)
	s.Write(join([]byte("junk"), run(mp3128, 3)), func(frame []byte, samples, rate int) {
		fmt.Println(len(frame), samples, rate)
	})
	skipped, frames, _ := s.Stats()
	fmt.Println(s.Codec(), skipped, frames) // the last frame waits for the header after it
	// Output:
	// 417 1152 44100
	// 417 1152 44100
	// MP3 4 2
}

// FuzzSplitter: every byte is in a frame or counted as skipped, what is
// emitted is a frame, and it does not depend on where the input was cut.
func FuzzSplitter(f *testing.F) {
	f.Add(run(mp3tiny, 3), uint16(100))
	f.Add(join(garbageTag(20, 20, 0), runADTS(4, 2, 30, 5), []byte("TAG")), uint16(7))
	f.Add(join(runADTS(4, 2, 30, 4), damaged(runADTS(4, 2, 30, 4), 34, 0x20), runADTS(3, 2, 30, 4)), uint16(33))
	f.Fuzz(func(t *testing.T, b []byte, n uint16) {
		whole, _ := split(t, mux.CodecUnknown, b, len(b)+1)
		total := int(whole.skipped)
		for i, frame := range whole.frames {
			total += len(frame)
			c, offset, _ := audio.Recognise(bytes.Repeat(frame, 4))
			if c == mux.CodecUnknown || offset != 0 || whole.samples[i] <= 0 || whole.rates[i] <= 0 {
				t.Fatalf("frame %d is %x", i, frame)
			}
		}
		if total != len(b) || int(whole.count) != len(whole.frames) {
			t.Fatalf("%d bytes in frames or skipped of %d; %d frames counted of %d", total, len(b), whole.count, len(whole.frames))
		}
		pieces, _ := split(t, mux.CodecUnknown, b, int(n)%1000+1)
		if fmt.Sprint(pieces) != fmt.Sprint(whole) {
			t.Fatalf("in pieces of %d: %d frames, want %d", int(n)%1000+1, len(pieces.frames), len(whole.frames))
		}
	})
}
