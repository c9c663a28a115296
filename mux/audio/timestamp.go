package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"headwater/mux"
	"headwater/mux/id3"
)

// timestampOwner names the PRIV frame that carries the time of the first
// sample of a packed audio segment (RFC 8216 §3.4).
const timestampOwner = "com.apple.streaming.transportStreamTimestamp"

// timestampSize is the length of the time, timestampBody that of the frame
// behind its header.
const (
	timestampSize = 8
	timestampBody = len(timestampOwner) + 1 + timestampSize
)

// AppendHeadTag appends to dst the ID3v2.4 tag that a packed audio segment
// starts with: a PRIV frame with the low 33 bits of ts, the time of the
// segment's first sample, and behind it the frames of the title that is in
// force there; nil if none is known. RFC 8216 §3.4; hls-rules C21, C38.
func AppendHeadTag(dst []byte, ts mux.Ticks, title *mux.Title) []byte {
	time := binary.BigEndian.AppendUint64(make([]byte, 0, timestampSize), uint64(ts&(mux.Wrap-1)))
	frames := id3.AppendPrivate(make([]byte, 0, 128), timestampOwner, time)
	if title != nil {
		frames = id3.AppendTitle(frames, *title)
	}
	return id3.Append(dst, frames)
}

// ParseTimestampTag reads the ID3v2 tag at the start of b and returns the time
// in it, 0 to 2^33-1, and the length of the whole tag in bytes. Other frames
// in the tag are passed over. The error wraps [mux.ErrInvalid] if b does not
// start with such a tag, [mux.ErrTruncated] if it ends inside it.
func ParseTimestampTag(b []byte) (ts mux.Ticks, size int, err error) {
	size = id3.Size(b)
	switch {
	case size == 0:
		return 0, 0, fmt.Errorf("read timestamp tag: ID3v2 header: %w", mux.ErrInvalid)
	case size > len(b):
		return 0, 0, fmt.Errorf("read timestamp tag of %d bytes: %w", size, mux.ErrTruncated)
	}
	owner := []byte(timestampOwner + "\x00")
	for frames := b[id3.HeaderSize:size]; len(frames) > id3.FrameHeaderSize; {
		n := id3.FrameSize(b[3], frames)
		body := frames[id3.FrameHeaderSize:]
		if n < 0 || n > len(body) {
			break
		}
		if bytes.HasPrefix(frames, []byte("PRIV")) && bytes.HasPrefix(body[:n], owner) && n == timestampBody {
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
