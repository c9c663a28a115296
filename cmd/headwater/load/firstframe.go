package load

import (
	"bytes"
	"strings"

	"headwater/mux"
	"headwater/mux/codec"
)

// firstFrame waits for the first thing in a body that a player can do something with.
type firstFrame struct {
	whole func([]byte) bool // does it hold a whole frame?
	held  []byte
	found bool
}

// maxHeld is enough for any audio frame that begins anywhere in the body.
const maxHeld = 32 << 10

// newFirstFrame returns one for a content type: a whole audio frame of MP3 or
// ADTS, in a transport stream a packet with the start of a PES packet, and one
// byte of anything else.
func newFirstFrame(contentType string) firstFrame {
	media, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	switch strings.TrimSpace(media) {
	case "audio/mpeg", "audio/mp3", "audio/x-mpeg":
		return firstFrame{whole: hasMP3}
	case "audio/aac", "audio/aacp", "audio/x-aac":
		return firstFrame{whole: hasADTS}
	case "video/mp2t":
		return firstFrame{whole: hasPES}
	}
	return firstFrame{whole: func(b []byte) bool { return len(b) > 0 }}
}

// take reports whether the first frame is complete with p.
func (f *firstFrame) take(p []byte) bool {
	f.held = append(f.held, p[:min(len(p), maxHeld-len(f.held))]...)
	if f.whole(f.held) || len(f.held) == maxHeld { // what it is not in 32 KiB is something else
		f.found, f.held = true, nil
	}
	return f.found
}

func hasMP3(b []byte) bool {
	return hasFrame(b, func(b []byte) (int, error) {
		h, err := codec.ParseMPEGAudio(b)
		return h.Size, err
	})
}

func hasADTS(b []byte) bool {
	return hasFrame(b, func(b []byte) (int, error) {
		h, err := codec.ParseADTS(b)
		return h.Size, err
	})
}

// hasFrame reports whether a header that size understands stands somewhere in b
// with all of its frame.
func hasFrame(b []byte, size func([]byte) (int, error)) bool {
	for {
		at := bytes.IndexByte(b, 0xff)
		if at < 0 {
			return false
		}
		b = b[at:]
		if n, err := size(b); err == nil && n > 0 && n <= len(b) {
			return true
		}
		b = b[1:]
	}
}

// hasPES reports whether b holds a packet in which a PES packet starts
// (ISO/IEC 13818-1 §2.4.3.3, §2.4.3.6).
func hasPES(b []byte) bool {
	for ; len(b) >= mux.PacketSize; b = b[1:] {
		if b[0] != 0x47 || len(b) > mux.PacketSize && b[mux.PacketSize] != 0x47 {
			continue
		}
		at := 4
		if b[3]&0x20 != 0 { // adaptation field
			at += 1 + int(b[4])
		}
		if b[1]&0x40 != 0 && b[3]&0x10 != 0 && at+3 <= mux.PacketSize && bytes.HasPrefix(b[at:], []byte{0, 0, 1}) {
			return true
		}
	}
	return false
}
