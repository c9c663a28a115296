package encode

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// WAV is what the head of a RIFF WAVE file says (Microsoft, Multimedia
// Programming Interface and Data Specifications 1.0, 1991; RF64: EBU Tech 3306).
type WAV struct {
	Coding   Coding
	Channels int // 1 to 8
	Rate     int // hertz, 4000 to 384000
	Bits     int // of a sample, with its padding
}

// Coding is how samples are coded.
type Coding uint16

// The codings that are taken: their tags in the file.
const (
	PCM   Coding = 1
	Float Coding = 3
	ALaw  Coding = 6
	MuLaw Coding = 7

	extensible Coding = 0xfffe // the tag follows
)

// String returns w as a person would say it: "PCM 16 bit 44.1 kHz, 2 channels".
func (w WAV) String() string {
	name := map[Coding]string{PCM: "PCM", Float: "float PCM", ALaw: "A-law", MuLaw: "µ-law"}[w.Coding]
	return fmt.Sprintf("%s %d bit %g kHz, %d channels", name, w.Bits, float64(w.Rate)/1000, w.Channels)
}

// raw returns what ffmpeg calls such samples, "" if there are none such.
func (w WAV) raw() string {
	return map[WAV]string{
		{Coding: PCM, Bits: 8}:    "u8",
		{Coding: PCM, Bits: 16}:   "s16le",
		{Coding: PCM, Bits: 24}:   "s24le",
		{Coding: PCM, Bits: 32}:   "s32le",
		{Coding: Float, Bits: 32}: "f32le",
		{Coding: Float, Bits: 64}: "f64le",
		{Coding: ALaw, Bits: 8}:   "alaw",
		{Coding: MuLaw, Bits: 8}:  "mulaw",
	}[WAV{Coding: w.Coding, Bits: w.Bits}]
}

const (
	riffHead  = 12
	chunkHead = 8
	// maxHead is how much may stand before the samples.
	maxHead = 64 << 10
)

// Recognise reports whether b, the first bytes of a source, begins a WAV file.
// more means that b is too short to tell.
func Recognise(b []byte) (ok, more bool) {
	for _, kind := range []string{"RIFF", "RF64"} {
		n := min(len(b), len(kind))
		if string(b[:n]) != kind[:n] {
			continue
		}
		if len(b) < riffHead {
			return false, true
		}
		return string(b[8:riffHead]) == "WAVE", false
	}
	return false, false
}

// errShort means that a head goes on behind what is there.
var errShort = errors.New("the head of the WAV file is not whole")

// ParseWAV reads the head of a WAV file, which b begins with, and returns where
// the samples begin. The error is errShort if b may not hold all of it.
func ParseWAV(b []byte) (w WAV, begin int, err error) {
	if ok, _ := Recognise(b); !ok {
		return WAV{}, 0, errors.New("this is no WAV file")
	}
	for at := riffHead; ; {
		if at > maxHead {
			return WAV{}, 0, errors.New("the head of the WAV file is larger than 64 KiB")
		}
		if len(b) < at+chunkHead {
			return WAV{}, 0, errShort
		}
		size := int(min(binary.LittleEndian.Uint32(b[at+4:]), 1<<30))
		id := string(b[at : at+4])
		at += chunkHead
		switch {
		case id == "data" && w == WAV{}:
			return WAV{}, 0, errNoFormat
		case id == "data": // its size means nothing: it has no end
			return w, at, nil
		case id == "fmt ":
			if w, err = parseFormat(b[at:], size); err != nil {
				return WAV{}, 0, err
			}
		}
		at += size + size&1
	}
}

var errNoFormat = errors.New("the WAV file does not say what its samples are")

// parseFormat reads a format chunk of size bytes.
func parseFormat(b []byte, size int) (WAV, error) {
	const plain, extended = 16, 26 // bytes to read
	if size < plain {
		return WAV{}, errNoFormat
	}
	if len(b) < plain || size >= extended && len(b) < extended {
		return WAV{}, errShort
	}
	w := WAV{
		Coding:   Coding(binary.LittleEndian.Uint16(b)),
		Channels: int(binary.LittleEndian.Uint16(b[2:])),
		Rate:     int(min(binary.LittleEndian.Uint32(b[4:]), 1<<30)),
		Bits:     int(binary.LittleEndian.Uint16(b[14:])),
	}
	if w.Coding == extensible && size >= extended {
		w.Coding = Coding(binary.LittleEndian.Uint16(b[24:]))
	}
	switch w.Coding {
	case PCM, Float, ALaw, MuLaw:
	default:
		return WAV{}, fmt.Errorf("the samples of the WAV file are coded (format 0x%04x): send PCM", uint16(w.Coding))
	}
	if w.raw() == "" || w.Channels < 1 || w.Channels > 8 || w.Rate < 4000 || w.Rate > 384_000 {
		return WAV{}, fmt.Errorf("the WAV file cannot be played: %v", w)
	}
	return w, nil
}
