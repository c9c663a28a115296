package folder

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"

	"headwater/mux"
)

// readTags returns the title that the ID3 tags of a file tell, and where what
// follows the ID3v2 tags begins (id3.org, id3v2.4.0-structure §3). A file of
// size bytes may lie about all of it.
func readTags(r io.ReaderAt, size int64) (t mux.Title, begin int64) {
	const mostTags = 8
	for range mostTags {
		var head [10]byte
		if _, err := r.ReadAt(head[:], begin); err != nil || string(head[:3]) != "ID3" || head[3] == 0xff {
			break
		}
		n := int64(syncsafe(head[6:]))
		end := min(begin+10+n, size)
		if found := readID3v2(r, head, begin+10, end); t == (mux.Title{}) {
			t = found
		}
		if begin = end; head[5]&0x10 != 0 { // a footer
			begin = min(begin+10, size)
		}
	}
	if t == (mux.Title{}) {
		t = readID3v1(r, size)
	}
	return t.Clean(), begin
}

// readID3v2 walks the frames of a tag from at to end. It reads no more of the
// file than the heads of the frames and the texts.
func readID3v2(r io.ReaderAt, tag [10]byte, at, end int64) (t mux.Title) {
	const (
		unsynchronised = 0x80
		extended       = 0x40
		mostFrames     = 1000
		longestText    = 4 << 10
	)
	if tag[3] > 2 && tag[5]&extended != 0 {
		var b [4]byte
		if _, err := r.ReadAt(b[:], at); err != nil {
			return t
		}
		if tag[3] == 3 {
			at += 4 + int64(binary.BigEndian.Uint32(b[:]))
		} else {
			at += int64(syncsafe(b[:]))
		}
	}
	for range mostFrames {
		id, head, n := frameHead(r, tag[3], at)
		if id == "" || at+head+n > end {
			break
		}
		at += head
		var to *string
		switch id {
		case "TIT2", "TT2":
			to = &t.Name
		case "TPE1", "TP1":
			to = &t.Artist
		}
		if to != nil {
			text := make([]byte, min(n, longestText))
			if _, err := r.ReadAt(text, at); err != nil {
				break
			}
			if tag[5]&unsynchronised != 0 {
				text = bytes.ReplaceAll(text, []byte{0xff, 0}, []byte{0xff})
			}
			*to = decodeText(text)
		}
		at += n
	}
	return t
}

// frameHead reads the head of a frame of an ID3v2 tag of some version: the
// length of the head and of what follows. id is "" if there is none.
func frameHead(r io.ReaderAt, version byte, at int64) (id string, head, n int64) {
	var b [10]byte
	head = 10
	if version == 2 {
		head = 6
	}
	if _, err := r.ReadAt(b[:head], at); err != nil || b[0] == 0 {
		return "", 0, 0
	}
	switch version {
	case 2:
		return string(b[:3]), head, int64(b[3])<<16 | int64(b[4])<<8 | int64(b[5])
	case 3:
		return string(b[:4]), head, int64(binary.BigEndian.Uint32(b[4:]))
	}
	return string(b[:4]), head, int64(syncsafe(b[4:]))
}

// decodeText returns the first string of a text frame, as UTF-8.
func decodeText(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	encoding, b := b[0], b[1:]
	var text string
	switch encoding {
	case 1, 2: // UTF-16
		var order binary.ByteOrder = binary.BigEndian
		if len(b) >= 2 && b[0] == 0xff && b[1] == 0xfe {
			order = binary.LittleEndian
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = order.Uint16(b[2*i:])
		}
		text = strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
	case 3:
		text = string(b)
	default:
		text = latin1(b)
	}
	text, _, _ = strings.Cut(text, "\x00")
	return text
}

// readID3v1 reads the tag at the end of a file (id3.org, ID3v1).
func readID3v1(r io.ReaderAt, size int64) (t mux.Title) {
	const length = 128
	var b [length]byte
	if size < length {
		return t
	}
	if _, err := r.ReadAt(b[:], size-length); err != nil || string(b[:3]) != "TAG" {
		return t
	}
	field := func(b []byte) string {
		b, _, _ = bytes.Cut(b, []byte{0})
		return latin1(b)
	}
	return mux.Title{Name: field(b[3:33]), Artist: field(b[33:63])}
}

// latin1 returns text in ISO 8859-1 as UTF-8.
func latin1(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// syncsafe returns the 28 bits in the low 7 bits of each of 4 bytes.
func syncsafe(b []byte) int {
	return int(b[0]&0x7f)<<21 | int(b[1]&0x7f)<<14 | int(b[2]&0x7f)<<7 | int(b[3]&0x7f)
}
