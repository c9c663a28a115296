package muxtest

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"headwater/mux"
)

// Ogg is one link of an Ogg stream: a logical bitstream whose packets of sound
// hold their number and nothing that can be heard. [NewOgg] makes one.
type Ogg struct {
	Codec    mux.Codec // CodecVorbis, CodecOpus or CodecFLAC
	Serial   uint32
	Rate     int // hertz, of the granule positions
	Channels int
	Comments []string // "TITLE=x"
	Packets  int      // of sound on a page
	Samples  int      // in a packet
	Size     int      // bytes of a packet, at least 9
	First    int64    // granule position before the first page
}

// NewOgg returns a link of c with 4 pages a second and two comments.
func NewOgg(c mux.Codec) Ogg {
	o := Ogg{Codec: c, Serial: 7, Rate: 48000, Channels: 2, Packets: 10, Samples: 1200, Size: 60}
	o.Comments = []string{"ARTIST=An Artist", "TITLE=A Title"}
	return o
}

// Headers returns the header pages.
func (o Ogg) Headers() []byte {
	first := OggPage{Flags: 2, Serial: o.Serial}
	rest := OggPage{Serial: o.Serial, Sequence: 1}
	le := binary.LittleEndian
	switch o.Codec {
	case mux.CodecVorbis:
		b := append([]byte("\x01vorbis\x00\x00\x00\x00"), byte(o.Channels))
		b = le.AppendUint32(b, uint32(o.Rate))
		b = append(b, make([]byte, 12)...)
		first.Lace(append(b, 0xb8, 1))
		rest.Lace(append(append([]byte("\x03vorbis"), o.comments()...), 1), append([]byte("\x05vorbis"), make([]byte, 700)...))
	case mux.CodecOpus:
		b := append([]byte("OpusHead\x01"), byte(o.Channels), 0x38, 1) // pre-skip 312
		b = le.AppendUint32(b, uint32(o.Rate))
		first.Lace(append(b, 0, 0, 0))
		rest.Lace(append([]byte("OpusTags"), o.comments()...))
	case mux.CodecFLAC:
		b := append([]byte("\x7fFLAC\x01\x00\x00\x01fLaC\x00\x00\x00\x22"), make([]byte, 10)...)
		b = binary.BigEndian.AppendUint32(b, uint32(o.Rate)<<12|uint32(o.Channels-1)<<9|15<<4)
		first.Lace(append(b, make([]byte, 20)...))
		comments := o.comments()
		n := len(comments)
		rest.Lace(append([]byte{0x84, byte(n >> 16), byte(n >> 8), byte(n)}, comments...))
	}
	return append(first.Bytes(), rest.Bytes()...)
}

func (o Ogg) comments() []byte {
	le := binary.LittleEndian
	b := append(le.AppendUint32(nil, 4), "test"...)
	b = le.AppendUint32(b, uint32(len(o.Comments)))
	for _, c := range o.Comments {
		b = append(le.AppendUint32(b, uint32(len(c))), c...)
	}
	return b
}

// Page returns page n of sound, from 0.
func (o Ogg) Page(n int) []byte {
	p := OggPage{Serial: o.Serial, Sequence: uint32(n + 2)}
	p.Granule = o.First + int64((n+1)*o.Packets*o.Samples)
	if o.Codec == mux.CodecOpus {
		p.Granule += 312
	}
	for i := range o.Packets {
		b := make([]byte, o.Size)
		b[0] = 0xff // as a frame of FLAC begins, and nothing else
		copy(b[1:], fmt.Sprintf("%08d", n*o.Packets+i))
		p.Lace(b)
	}
	return p.Bytes()
}

// Bytes returns the header pages and so many pages of sound.
func (o Ogg) Bytes(pages int) []byte {
	b := o.Headers()
	for n := range pages {
		b = append(b, o.Page(n)...)
	}
	return b
}

// OggPage is one page (RFC 3533 §6).
type OggPage struct {
	Flags    byte // 1: continued, 2: first, 4: last
	Granule  int64
	Serial   uint32
	Sequence uint32
	Lacing   []byte
	Body     []byte
}

// Lace puts whole packets on the page.
func (p *OggPage) Lace(packets ...[]byte) {
	for _, b := range packets {
		for n := len(b); ; n -= 255 {
			p.Lacing = append(p.Lacing, byte(min(n, 255)))
			if n < 255 {
				break
			}
		}
		p.Body = append(p.Body, b...)
	}
}

// Bytes returns the page with its checksum.
func (p *OggPage) Bytes() []byte {
	le := binary.LittleEndian
	b := append([]byte("OggS\x00"), p.Flags)
	b = le.AppendUint64(b, uint64(p.Granule))
	b = le.AppendUint32(b, p.Serial)
	b = le.AppendUint32(b, p.Sequence)
	b = append(b, 0, 0, 0, 0, byte(len(p.Lacing)))
	b = append(append(b, p.Lacing...), p.Body...)
	le.PutUint32(b[22:], oggChecksum(b))
	return b
}

// SealOgg puts the right checksum into every page of b that is there whole,
// whatever else is wrong with it.
func SealOgg(b []byte) {
	const head = 27
	for {
		at := bytes.Index(b, []byte("OggS"))
		if at < 0 || len(b) < at+head {
			return
		}
		b = b[at:]
		size := head + int(b[head-1])
		for _, n := range b[head:min(size, len(b))] {
			size += int(n)
		}
		if size > len(b) {
			return
		}
		clear(b[22:26])
		binary.LittleEndian.PutUint32(b[22:], oggChecksum(b[:size]))
		b = b[size:]
	}
}

// oggChecksum is the definition, bit by bit.
func oggChecksum(b []byte) (crc uint32) {
	for _, c := range b {
		crc ^= uint32(c) << 24
		for range 8 {
			high := crc >> 31
			crc = crc<<1 ^ high*0x04c11db7
		}
	}
	return crc
}
