package muxtest

import "headwater/mux"

// PES is one PES packet to be written.
type PES struct {
	PID          mux.PID
	StreamID     byte
	PTS, DTS     mux.Ticks // written modulo 2^33; DTS only if it is another value
	NoPTS        bool
	HasPCR       bool
	PCR          mux.Ticks
	RandomAccess bool // random_access_indicator
	Unbounded    bool // PES_packet_length 0, as it also is where 16 bits do not hold it
	HeaderStuff  int  // stuffing bytes at the end of the PES header, up to 245
	FirstPayload int  // if not 0, the first packet carries only so many bytes
	Payload      []byte
}

// AppendPES appends the packets of p, the first with continuity_counter cc,
// and returns the counter for the next packet of the PID.
func AppendPES(dst []byte, p PES, cc uint8) ([]byte, uint8) {
	b := append(p.header(), p.Payload...)
	for first := true; first || len(b) > 0; first = false {
		room := mux.PacketSize - 4
		var field []byte // adaptation field without its length
		if first && (p.HasPCR || p.RandomAccess) {
			field = []byte{0}
			if p.RandomAccess {
				field[0] |= 0x40
			}
			if p.HasPCR {
				field[0] |= 0x10
				v := uint64(p.PCR) & (1<<33 - 1)
				field = append(field, byte(v>>25), byte(v>>17), byte(v>>9), byte(v>>1), byte(v<<7)|0x7e, 0)
			}
		}
		if field != nil {
			room -= 1 + len(field)
		}
		n := min(room, len(b))
		if first && p.FirstPayload > 0 {
			n = min(n, p.FirstPayload)
		}
		head := [4]byte{0x47, byte(p.PID>>8) & 0x1f, byte(p.PID), 0x10 | cc&15}
		if first {
			head[1] |= 0x40
		}
		cc++
		if field != nil || n < room {
			head[3] |= 0x20
		}
		dst = append(dst, head[:]...)
		if head[3]&0x20 != 0 {
			length := mux.PacketSize - 5 - n
			dst = append(dst, byte(length))
			if length > 0 && field == nil {
				field = []byte{0}
			}
			dst = append(dst, field...)
			for range length - len(field) {
				dst = append(dst, 0xff)
			}
		}
		dst = append(dst, b[:n]...)
		b = b[n:]
	}
	return dst, cc & 15
}

func (p *PES) header() []byte {
	h := []byte{0, 0, 1, p.StreamID, 0, 0, 0x84, 0, byte(p.HeaderStuff)}
	switch {
	case p.NoPTS:
	case p.DTS == p.PTS:
		h[7], h[8] = 0x80, h[8]+5
		h = appendTimestamp(h, 2, p.PTS)
	default:
		h[7], h[8] = 0xc0, h[8]+10
		h = appendTimestamp(h, 3, p.PTS)
		h = appendTimestamp(h, 1, p.DTS)
	}
	for range p.HeaderStuff {
		h = append(h, 0xff)
	}
	if n := len(h) - 6 + len(p.Payload); !p.Unbounded && n <= 0xffff {
		h[4], h[5] = byte(n>>8), byte(n)
	}
	return h
}

func appendTimestamp(b []byte, prefix byte, t mux.Ticks) []byte {
	v := uint64(t) & (1<<33 - 1)
	return append(b, prefix<<4|byte(v>>29)&0x0e|1, byte(v>>22), byte(v>>14)|1, byte(v>>7), byte(v<<1)|1)
}
