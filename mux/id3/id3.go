// Package id3 writes ID3v2.4 tags and reads the title out of tags of all
// versions: what of ID3 a live stream needs.
//
//   - [Append] and [AppendTitle] write a tag and the frames of a title.
//   - [Reader] reads the title of an ID3v2 tag as its bytes come, [Parse] at once.
//   - [ParseV1] reads the 128 bytes that old files end with.
//
// id3.org: id3v2.4.0-structure and -frames (2000), id3v2.3.0 (1999), id3v2-00 (1998).
package id3

import "encoding/binary"

// HeaderSize is the length of the header that an ID3v2 tag begins with.
const HeaderSize = 10

// FrameHeaderSize is the length of the header of a frame, but for version 2.2.
const FrameHeaderSize = 10

// Flags of a tag, in byte 5 of its header.
const (
	flagUnsync   = 0x80
	flagExtended = 0x40
	flagFooter   = 0x10
)

// Size returns the length of the ID3v2 tag that b starts with, header and
// footer included: at most 256 MB. It is 0 if b does not start with the header
// of one, of which it wants [HeaderSize] bytes (id3v2.4.0-structure §3.1).
func Size(b []byte) int {
	if len(b) < HeaderSize || string(b[:3]) != "ID3" || b[3] == 0xff || b[4] == 0xff {
		return 0
	}
	n, ok := syncsafe(b[6:])
	if !ok {
		return 0
	}
	if b[5]&flagFooter != 0 {
		n += HeaderSize
	}
	return HeaderSize + n
}

// FrameSize returns the size of what follows the frame header at the start of
// b, which holds [FrameHeaderSize] bytes, in a tag of the given version, 3 or 4.
// It is negative if that is no size. In version 4 it has four times 7 bits.
func FrameSize(version byte, b []byte) int {
	if version < 4 {
		return int(int32(binary.BigEndian.Uint32(b[4:])))
	}
	n, ok := syncsafe(b[4:])
	if !ok {
		return -1
	}
	return n
}

// syncsafe returns the 28 bits in the low 7 bits of the first four bytes of b.
// It is not ok if one of the others is set.
func syncsafe(b []byte) (n int, ok bool) {
	for _, c := range b[:4] {
		n = n<<7 | int(c&0x7f)
	}
	return n, (b[0]|b[1]|b[2]|b[3])&0x80 == 0
}

// putSyncsafe writes n as four times 7 bits into the first four bytes of b.
func putSyncsafe(b []byte, n int) {
	for i := range 4 {
		b[i] = byte(n>>(21-7*i)) & 0x7f
	}
}
