package audio_test

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
)

// adtsHead returns the header of an AAC LC frame.
func adtsHead(rateIndex, channels int) []byte {
	return []byte{0xff, 0xf0, byte(1<<6 | rateIndex<<2 | channels>>2), byte(channels<<6) | 0x0c | 1, 0x20, 0x1f, 0xfc}
}

func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name     string
		head     []byte
		codec    mux.Codec
		rate     int
		channels int
		size     int // of MP3
	}{
		{"MP3 stereo", []byte{0xff, 0xfb, 0x90, 0x44, 0, 0, 0}, mux.CodecMP3, 44100, 2, 417},
		{"MP3 with a check word and padding", []byte{0xff, 0xfa, 0x92, 0x64, 1, 2, 3}, mux.CodecMP3, 44100, 2, 417},
		{"MP3 mono of half the rate", []byte{0xff, 0xf3, 0x80, 0xc0, 0, 0, 0}, mux.CodecMP3, 22050, 1, 208},
		{"MP3 of MPEG-2.5", []byte{0xff, 0xe3, 0x40, 0xc0, 0, 0, 0}, mux.CodecMP3, 11025, 1, 208},
		{"AAC mono", adtsHead(4, 1), mux.CodecAAC, 44100, 1, 0},
		{"AAC stereo", adtsHead(3, 2), mux.CodecAAC, 48000, 2, 0},
		{"AAC 5.1", adtsHead(3, 6), mux.CodecAAC, 48000, 6, 0},
		{"AAC 7.1", adtsHead(3, 7), mux.CodecAAC, 48000, 8, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frame, err := audio.Silence(tt.head)
			if err != nil {
				t.Fatal(err)
			}
			var rate, channels, size int
			if tt.codec == mux.CodecMP3 {
				h, err := codec.ParseMPEGAudio(frame)
				if err != nil {
					t.Fatal(err)
				}
				rate, channels, size = h.SampleRate, h.Channels, h.Size
				if h.CRC || size != tt.size {
					t.Errorf("%d bytes, check word %v, want %d without", size, h.CRC, tt.size)
				}
			} else {
				h, err := codec.ParseADTS(frame)
				if err != nil {
					t.Fatal(err)
				}
				rate, channels, size = h.SampleRate, h.Channels, h.Size
			}
			if rate != tt.rate || channels != tt.channels || size != len(frame) {
				t.Errorf("Silence(%x) is %d Hz, %d channels, says %d of %d bytes", tt.head, rate, channels, size, len(frame))
			}
			checkSilence(t, tt.codec, frame, tt.channels)
		})
	}
}

// checkSilence has ffmpeg decode frames, where there is one: no complaint, and
// no sound.
func checkSilence(t *testing.T, c mux.Codec, frame []byte, channels int) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		return
	}
	format := "mp3"
	if c == mux.CodecAAC {
		format = "aac"
	}
	cmd := exec.CommandContext(t.Context(), "ffmpeg", "-v", "warning", "-f", format, "-i", "-", "-f", "s16le", "-")
	cmd.Stdin = bytes.NewReader(bytes.Repeat(frame, 100))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	pcm, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffmpeg: %v\n%s", err, complaints.Bytes())
	}
	if least := 95 * 576 * 2 * channels; len(pcm) < least || len(bytes.Trim(pcm, "\x00")) > 0 {
		t.Errorf("%d bytes of sound, want silence of %d at least", len(pcm), least)
	}
}

func TestSilenceOfNothing(t *testing.T) {
	for _, head := range [][]byte{nil, {0xff, 0xfb}, []byte("RIFF...."), adtsHead(4, 0), {0xff, 0xfd, 0x90, 0x44, 0, 0, 0}} {
		t.Run(fmt.Sprintf("%x", head), func(t *testing.T) {
			if _, err := audio.Silence(head); !errors.Is(err, mux.ErrInvalid) {
				t.Errorf("Silence(%x): %v, want %v", head, err, mux.ErrInvalid)
			}
		})
	}
}
