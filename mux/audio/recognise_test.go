package audio_test

import (
	"bytes"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
)

func TestRecognise(t *testing.T) {
	three, threeAAC := run(mp3128, 4), runADTS(4, 2, 300, 4)
	ts := append([]byte{0x47, 0x40, 0x11, 0x10}, bytes.Repeat([]byte{0xff}, 184)...)
	tests := []struct {
		name   string
		in     []byte
		codec  mux.Codec
		offset int
		ok     bool
	}{
		{"MP3", three, mux.CodecMP3, 0, true},
		{"AAC", threeAAC, mux.CodecAAC, 0, true},
		{"MP3 from the middle of a frame", three[100:], mux.CodecMP3, 317, true},
		{"the same with one frame less", three[100 : 3*417], mux.CodecUnknown, 0, false},
		{"two headers are too few", three[:2*417], mux.CodecUnknown, 0, false},
		{"a tag, then MP3", join(garbageTag(50, 50, 0), three), mux.CodecMP3, 60, true},
		{"a tag longer than that", garbageTag(5000, 100, 0), mux.CodecUnknown, 0, true},
		{"a tag that holds MP3", join(garbageTag(len(three), 0, 0), three, threeAAC), mux.CodecAAC, 10 + len(three), true},
		{"the start of a tag's name", []byte("ID3"), mux.CodecUnknown, 0, false},
		{"layer II", run("fffd9004", 4), mux.CodecUnknown, 0, false},
		{"transport stream", bytes.Repeat(ts, 10), mux.CodecUnknown, 0, false},
		{"text", []byte("GET / HTTP/1.1\r\n\r\n"), mux.CodecUnknown, 0, false},
		{"nothing", nil, mux.CodecUnknown, 0, false},
	}
	for _, tt := range tests {
		c, offset, ok := audio.Recognise(tt.in)
		if c != tt.codec || offset != tt.offset || ok != tt.ok {
			t.Errorf("%s: Recognise = %v, %d, %v, want %v, %d, %v", tt.name, c, offset, ok, tt.codec, tt.offset, tt.ok)
		}
	}
}
