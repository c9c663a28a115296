package audio_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
)

// mp3 returns a frame with the header that s spells and a body that depends on
// seed and holds no sync word.
func mp3(s string, seed int) []byte {
	head, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	h, err := codec.ParseMPEGAudio(head)
	if err != nil {
		panic(err)
	}
	return append(head, body(h.Size-len(head), seed)...)
}

// adts returns an AAC LC frame of size bytes; its raw data is none.
func adts(rateIndex, channels, size, seed int) []byte {
	head := []byte{0xff, 0xf1, byte(1<<6 | rateIndex<<2 | channels>>2), byte(channels<<6 | size>>11), byte(size >> 3), byte(size<<5) | 0x1f, 0xfc}
	return append(head, body(size-len(head), seed)...)
}

func body(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte((i*7 + seed*13) % 250)
	}
	return b
}

// Headers of frames.
const (
	mp3128  = "fffb9064" // 128 kbit/s, 44.1 kHz, 417 bytes
	mp3pad  = "fffb9264" // the same with padding
	mp348k  = "fffb9464" // 128 kbit/s, 48 kHz
	mp3mono = "fffb90c4"
	mp3tiny = "ffe314c4" // 8 kbit/s, 12 kHz, 48 bytes
)

// run returns n frames with the header in one piece.
func run(head string, n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, mp3(head, i)...)
	}
	return b
}

// runADTS returns n AAC frames in one piece.
func runADTS(rateIndex, channels, size, n int) []byte {
	var b []byte
	for i := range n {
		b = append(b, adts(rateIndex, channels, size, i)...)
	}
	return b
}

// garbageTag returns an ID3v2.4 tag that says it has size bytes behind its header,
// and has so many.
func garbageTag(size, has int, flags byte) []byte {
	b := []byte{'I', 'D', '3', 4, 0, flags, byte(size >> 21 & 0x7f), byte(size >> 14 & 0x7f), byte(size >> 7 & 0x7f), byte(size & 0x7f)}
	return append(b, bytes.Repeat([]byte{'x'}, has)...)
}

// ape returns an APEv2 tag with a header and n bytes of items.
func ape(n int) []byte {
	b := append([]byte("APETAGEX"), make([]byte, 24)...)
	binary.LittleEndian.PutUint32(b[8:], 2000)
	binary.LittleEndian.PutUint32(b[12:], uint32(n+32))
	return append(append(b, bytes.Repeat([]byte{0xff, 0xfb, 0x90}, n/3+1)[:n]...), b...)
}

// info returns a frame that holds a table of contents.
func info() []byte {
	f := mp3(mp3128, 0)
	copy(f[36:], "Info")
	return f
}

// got is what a splitter made of an input.
type got struct {
	frames                [][]byte
	samples, rates        []int
	skipped, count, loses uint64
}

// split feeds b to a Splitter in pieces of n bytes.
func split(t testing.TB, c mux.Codec, b []byte, n int) (got, *audio.Splitter) {
	t.Helper()
	var g got
	s := audio.NewSplitter(c)
	emit := func(frame []byte, samples, rate int) {
		g.frames = append(g.frames, frame)
		g.samples = append(g.samples, samples)
		g.rates = append(g.rates, rate)
	}
	for p := b; len(p) > 0; {
		k := min(n, len(p))
		s.Write(p[:k:k], emit)
		if held := s.Held(); held > audio.MaxHeld {
			t.Fatalf("%d bytes held, want at most %d", held, audio.MaxHeld)
		}
		p = p[k:]
	}
	s.Flush(emit)
	g.skipped, g.count, g.loses = s.Stats()
	return g, s
}
