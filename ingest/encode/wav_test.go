package encode_test

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"headwater/ingest/encode"
)

// wav returns the head of a WAV file with chunks before the samples.
func wav(kind string, chunks ...[]byte) []byte {
	return slices.Concat([]byte(kind+"\xff\xff\xff\xffWAVE"), slices.Concat(chunks...), []byte("data\xff\xff\xff\xff"))
}

// chunk returns a chunk of a WAV file.
func chunk(id string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(data)))
	b = append(b, data...)
	return append(b, make([]byte, len(data)&1)...)
}

// format returns a format chunk; rest is what follows its 16 bytes.
func format(tag, channels, rate, bits int, rest ...byte) []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(tag))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	return chunk("fmt ", append(b, rest...))
}

func TestParseWAV(t *testing.T) {
	guid := append([]byte{22, 0, 24, 0, 3, 0, 0, 0, 3, 0}, make([]byte, 14)...)
	tests := []struct {
		name string
		head []byte
		want string // in words, or the error
	}{
		{"arecord", wav("RIFF", format(1, 1, 8000, 16)), "PCM 16 bit 8 kHz, 1 channels"},
		{"behind other chunks", wav("RIFF", chunk("LIST", make([]byte, 33)), format(1, 2, 44100, 16, 0, 0)), "PCM 16 bit 44.1 kHz, 2 channels"},
		{"large files", wav("RF64", chunk("ds64", make([]byte, 28)), format(3, 2, 96000, 32)), "float PCM 32 bit 96 kHz, 2 channels"},
		{"extensible", wav("RIFF", format(0xfffe, 2, 48000, 32, guid...)), "float PCM 32 bit 48 kHz, 2 channels"},
		{"telephone", wav("RIFF", format(7, 1, 8000, 8)), "µ-law 8 bit 8 kHz, 1 channels"},
		{"with the length of the sound behind the format", wav("RIFF", format(1, 2, 44100, 24), chunk("fact", make([]byte, 4))), "PCM 24 bit 44.1 kHz, 2 channels"},
		{"samples of 12 bits", wav("RIFF", format(1, 2, 48000, 12)), "the WAV file cannot be played: PCM 12 bit 48 kHz, 2 channels"},
		{"MP3 in WAV", wav("RIFF", format(0x55, 2, 48000, 16)), "the samples of the WAV file are coded (format 0x0055): send PCM"},
		{"no format", wav("RIFF"), "the WAV file does not say what its samples are"},
		{"a short format", wav("RIFF", chunk("fmt ", make([]byte, 9))), "the WAV file does not say what its samples are"},
		{"a rate of 0", wav("RIFF", format(1, 2, 0, 16)), "the WAV file cannot be played: PCM 16 bit 0 kHz, 2 channels"},
		{"1,000 channels", wav("RIFF", format(1, 1000, 48000, 16)), "the WAV file cannot be played: PCM 16 bit 48 kHz, 1000 channels"},
		{"a chunk of 1 GB", append(wav("RIFF")[:12], "JUNK\x00\x00\x00\x40"...), "the head of the WAV file is larger than 64 KiB"},
		{"cut", wav("RIFF", format(1, 2, 48000, 16))[:30], "the head of the WAV file is not whole"},
		{"AVI", []byte("RIFF\x00\x00\x00\x00AVI LIST"), "this is no WAV file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, begin, err := encode.ParseWAV(tt.head)
			got := w.String()
			if err != nil {
				got = err.Error()
			} else if begin != len(tt.head) {
				t.Errorf("the samples begin at %d, want %d", begin, len(tt.head))
			}
			if got != tt.want {
				t.Errorf("ParseWAV = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRecognise(t *testing.T) {
	tests := []struct {
		head     string
		ok, more bool
	}{
		{"RIFF\x00\x00\x00\x00WAVE", true, false},
		{"RF64\xff\xff\xff\xffWAVEds64", true, false},
		{"R", false, true}, {"RIFF\x00\x00", false, true}, {"", false, true},
		{"RIFX", false, false}, {"\xff\xfb", false, false}, {"G@", false, false}, {"RIFF\x00\x00\x00\x00AVI ", false, false},
	}
	for _, tt := range tests {
		if ok, more := encode.Recognise([]byte(tt.head)); ok != tt.ok || more != tt.more {
			t.Errorf("Recognise(%q) = %v, %v, want %v, %v", tt.head, ok, more, tt.ok, tt.more)
		}
	}
}

// Any bytes: no panic, and what is taken is within its limits.
func FuzzParseWAV(f *testing.F) {
	f.Add(wav("RIFF", chunk("LIST", make([]byte, 33)), format(1, 2, 44100, 16)))
	f.Add(wav("RF64", format(0xfffe, 2, 48000, 32, make([]byte, 24)...)))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, begin, err := encode.ParseWAV(b)
		if err == nil && (begin > len(b) || w.Channels < 1 || w.Channels > 8 || w.Rate < 4000 || w.Rate > 384_000 || strings.HasPrefix(w.String(), " ")) {
			t.Errorf("ParseWAV = %+v", w)
		}
	})
}
