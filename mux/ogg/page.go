package ogg

import "encoding/binary"

const (
	capture  = "OggS"
	headSize = 27 // of a page, without the segment table; all of it has at most 65,307
)

// Bits of header_type_flag (RFC 3533 §6).
const (
	flagContinued = 1 << iota // the page begins with the rest of a packet
	flagBegin                 // it is the first of its logical bitstream
	flagEnd                   // it is the last
)

// noGranule is the granule position of a page on which no packet ends; other
// negative ones mean nothing.
const noGranule = -1

// page is one page. What it refers to is immutable.
type page struct {
	raw      []byte // all of it
	flags    byte
	granule  int64 // position at the end of the last packet that ends here, or noGranule
	serial   uint32
	sequence uint32
	lacing   []byte // the segment table: lengths of the pieces of body
	body     []byte
}

// measure returns how many bytes there must be at the start of b to know more
// of the page that begins there: the length of all of it once b holds its head.
// It reports false if no page begins there.
func measure(b []byte) (size int, ok bool) {
	n := min(len(b), len(capture))
	if string(b[:n]) != capture[:n] {
		return 0, false
	}
	const version, allFlags = 0, flagContinued | flagBegin | flagEnd
	if len(b) > 4 && b[4] != version || len(b) > 5 && b[5] > allFlags {
		return 0, false
	}
	if len(b) < headSize {
		return headSize, true
	}
	size = headSize + int(b[headSize-1])
	if len(b) < size {
		return size, true
	}
	for _, n := range b[headSize:size] {
		size += int(n)
	}
	return size, true
}

// parse reads the page that b is, whole. It reports false if its checksum is wrong.
func parse(b []byte) (page, bool) {
	segments := int(b[headSize-1])
	p := page{
		raw:      b,
		flags:    b[5],
		granule:  int64(binary.LittleEndian.Uint64(b[6:])),
		serial:   binary.LittleEndian.Uint32(b[14:]),
		sequence: binary.LittleEndian.Uint32(b[18:]),
		lacing:   b[headSize : headSize+segments],
		body:     b[headSize+segments:],
	}
	p.granule = max(p.granule, noGranule)
	return p, binary.LittleEndian.Uint32(b[checksumAt:]) == checksum(b)
}

func (p *page) continued() bool { return p.flags&flagContinued != 0 }
func (p *page) begins() bool    { return p.flags&flagBegin != 0 }

// hasStart reports whether a packet begins on the page.
func (p *page) hasStart() bool {
	if !p.continued() {
		return true
	}
	for i, n := range p.lacing {
		if n < 255 { // the packet that came with the page before ends here
			return i+1 < len(p.lacing)
		}
	}
	return false
}

const (
	checksumAt   = 22
	checksumSize = 4
)

// checksum returns the CRC_checksum of a page: a CRC-32 with the bits of each
// byte from the highest on, over the page with its own field as zeros.
func checksum(b []byte) uint32 {
	crc := crcOf(0, b[:checksumAt])
	crc = crcOf(crc, make([]byte, checksumSize))
	return crcOf(crc, b[checksumAt+checksumSize:])
}

// crcNibble holds the checksum of each four-bit value, of polynomial 0x04c11db7.
var crcNibble = [16]uint32{
	0x00000000, 0x04c11db7, 0x09823b6e, 0x0d4326d9, 0x130476dc, 0x17c56b6b, 0x1a864db2, 0x1e475005,
	0x2608edb8, 0x22c9f00f, 0x2f8ad6d6, 0x2b4bcb61, 0x350c9b64, 0x31cd86d3, 0x3c8ea00a, 0x384fbdbd,
}

// crcOf goes on with a checksum over b. Four bits a step are enough for sound.
func crcOf(crc uint32, b []byte) uint32 {
	for _, c := range b {
		crc = crc<<4 ^ crcNibble[byte(crc>>28)^c>>4]
		crc = crc<<4 ^ crcNibble[byte(crc>>28)^c&0x0f]
	}
	return crc
}
