package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"headwater/mux"
)

// timestampOwner names the PRIV frame that carries the time of the first
// sample of a packed audio segment (RFC 8216 §3.4).
const timestampOwner = "com.apple.streaming.transportStreamTimestamp"

const (
	id3Head   = 10
	privHead  = 10
	privBody  = len(timestampOwner) + 1 + 8
	tagLength = id3Head + privHead + privBody
)

// AppendTimestampTag appends to dst the ID3v2.4 tag that a packed audio
// segment starts with: one PRIV frame with the low 33 bits of ts, the time of
// the segment's first sample. RFC 8216 §3.4; hls-rules C21.
func AppendTimestampTag(dst []byte, ts mux.Ticks) []byte {
	dst = append(dst, "ID3\x04\x00\x00"...)
	dst = append(dst, 0, 0, 0, privHead+byte(privBody)) // below 128, so four times 7 bits are no matter
	dst = append(dst, "PRIV"...)
	dst = append(dst, 0, 0, 0, byte(privBody), 0, 0)
	dst = append(dst, timestampOwner...)
	dst = append(dst, 0)
	return binary.BigEndian.AppendUint64(dst, uint64(ts&(mux.Wrap-1)))
}

// ParseTimestampTag reads the ID3v2 tag at the start of b and returns the time
// in it, 0 to 2^33-1, and the length of the whole tag in bytes. Other frames
// in the tag are passed over. The error wraps [mux.ErrInvalid] if b does not
// start with such a tag, [mux.ErrTruncated] if it ends inside it.
func ParseTimestampTag(b []byte) (ts mux.Ticks, size int, err error) {
	size = id3Size(b)
	switch {
	case size == 0:
		return 0, 0, fmt.Errorf("read timestamp tag: ID3v2 header: %w", mux.ErrInvalid)
	case size > len(b):
		return 0, 0, fmt.Errorf("read timestamp tag of %d bytes: %w", size, mux.ErrTruncated)
	}
	owner := []byte(timestampOwner + "\x00")
	for frames := b[id3Head:size]; len(frames) > privHead; {
		n := id3FrameSize(b[3], frames)
		body := frames[privHead:]
		if n < 0 || n > len(body) {
			break
		}
		if bytes.HasPrefix(frames, []byte("PRIV")) && bytes.HasPrefix(body[:n], owner) && n == privBody {
			v := binary.BigEndian.Uint64(body[len(owner):n])
			if v >= uint64(mux.Wrap) {
				break // hls-rules C21: 33 bits
			}
			return mux.Ticks(v), size, nil
		}
		frames = body[n:]
	}
	return 0, 0, fmt.Errorf("read timestamp tag: PRIV %s: %w", timestampOwner, mux.ErrInvalid)
}

// id3FrameSize returns the size that the ID3v2 frame header at the start of b
// tells, negative if it is none: in version 4 it has four times 7 bits.
func id3FrameSize(version byte, b []byte) int {
	size := binary.BigEndian.Uint32(b[4:])
	if version < 4 {
		return int(int32(size))
	}
	if size&0x80808080 != 0 {
		return -1
	}
	return syncsafe(size)
}
