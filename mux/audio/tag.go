package audio

import (
	"bytes"
	"encoding/binary"

	"headwater/mux/id3"
)

// maxTag is how far the size that a tag tells of itself is believed. What a
// larger one holds beyond it is searched for frames like any other bytes, so
// that a size that lies costs no more audio than that.
const maxTag = 1 << 20

// tagSize returns the length of the metadata tag that begins at the start of
// b, which holds tagHead bytes or all that there are; 0 if none does. Known
// are ID3v2 (id3.org, id3v2.4.0-structure §3.1), ID3v1 with its extension, and
// APEv2 with a header. They are no audio (hls-rules C26).
func tagSize(b []byte) int {
	switch {
	case len(b) < tagHead:
		return 0
	case bytes.HasPrefix(b, []byte("ID3")):
		return min(id3.Size(b), maxTag)
	case bytes.HasPrefix(b, []byte("TAG+")):
		return 227
	case bytes.HasPrefix(b, []byte("TAG")):
		return 128
	case bytes.HasPrefix(b, []byte("APETAGEX")):
		const head = 32
		return int(min(head+uint64(binary.LittleEndian.Uint32(b[12:])), maxTag))
	}
	return 0
}
