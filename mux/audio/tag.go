package audio

import (
	"bytes"
	"encoding/binary"
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
		return min(id3Size(b), maxTag)
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

// id3Size returns the length of the ID3v2 tag that b starts with, header and
// footer included, or 0 if the header is not one.
func id3Size(b []byte) int {
	const (
		head   = 10
		footer = 0x10
	)
	if len(b) < head || b[0] != 'I' || b[1] != 'D' || b[2] != '3' || b[3] == 0xff || b[4] == 0xff {
		return 0
	}
	size := binary.BigEndian.Uint32(b[6:])
	if size&0x80808080 != 0 { // four times 7 bits
		return 0
	}
	n := syncsafe(size)
	if b[5]&footer != 0 {
		n += head
	}
	return head + n
}

// syncsafe returns the 28 bits in the low 7 bits of each byte of v.
func syncsafe(v uint32) int {
	return int(v&0x7f | v>>1&0x3f80 | v>>2&0x1fc000 | v>>3&0xfe00000)
}
