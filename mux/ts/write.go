package ts

import (
	"encoding/binary"

	"headwater/mux"
)

// AppendPAT appends one packet with a program_association_section that lists
// one program. The transport_stream_id is 1 and the version_number depends on
// the content only, so that any two writers make the same bytes.
//
// ISO/IEC 13818-1 §2.4.4.3; hls-rules C01, C02.
func AppendPAT(dst []byte, program uint16, pmtPID mux.PID, cc uint8) []byte {
	s := [16]byte{tablePAT, 0xb0, 13, 0, 1, 0xc1}
	binary.BigEndian.PutUint16(s[8:], program)
	binary.BigEndian.PutUint16(s[10:], 0xe000|uint16(pmtPID))
	sealSection(s[:])
	return AppendSection(dst, 0, cc, s[:])
}

// sealSection writes a version_number made of the content, and the CRC_32 into
// the last four bytes of s. The version bits of s must be 0.
func sealSection(s []byte) {
	body := s[:len(s)-4]
	s[5] |= byte(crc32(body)&31) << 1
	binary.BigEndian.PutUint32(s[len(body):], crc32(body))
}

// AppendSection appends the packets that carry one section on pid: as many as
// it takes, the first with payload_unit_start_indicator and a pointer_field of
// 0, the last padded with FF. The first has the continuity_counter cc (its low
// four bits); each further one counts on.
//
// ISO/IEC 13818-1 §2.4.4.
func AppendSection(dst []byte, pid mux.PID, cc uint8, section []byte) []byte {
	start := byte(flagUnitStart)
	for first := true; first || len(section) > 0; first = false {
		end := len(dst) + mux.PacketSize
		dst = append(dst, syncByte, start|byte(pid>>8)&0x1f, byte(pid), 0x10|cc&0x0f)
		if first {
			dst = append(dst, 0) // pointer_field
		}
		n := min(end-len(dst), len(section))
		dst = append(dst, section[:n]...)
		for len(dst) < end {
			dst = append(dst, 0xff)
		}
		section, start, cc = section[n:], 0, cc+1
	}
	return dst
}

// AppendPCR appends one packet without payload that carries a
// program_clock_reference of pcr modulo 2^33, extension 0. Such a packet does
// not count in the continuity of its PID: cc is that of the packet before it.
// discontinuity sets discontinuity_indicator (hls-rules C08).
//
// ISO/IEC 13818-1 §2.4.3.5; hls-rules C05, C07.
func AppendPCR(dst []byte, pid mux.PID, cc uint8, pcr mux.Ticks, discontinuity bool) []byte {
	flags := byte(0x10)
	if discontinuity {
		flags |= 0x80
	}
	dst, p := appendAdaptation(dst, pid, cc, flags)
	putPCR(p[6:], pcr)
	return dst
}

// AppendDiscontinuity appends one packet without payload whose
// discontinuity_indicator is set; cc is as for [AppendPCR].
//
// ISO/IEC 13818-1 §2.4.3.5; hls-rules C08.
func AppendDiscontinuity(dst []byte, pid mux.PID, cc uint8) []byte {
	dst, _ = appendAdaptation(dst, pid, cc, 0x80)
	return dst
}

// appendAdaptation appends a packet that is all adaptation field, and returns it too.
func appendAdaptation(dst []byte, pid mux.PID, cc, flags uint8) (all, packet []byte) {
	start := len(dst)
	dst = append(dst, syncByte, byte(pid>>8)&0x1f, byte(pid), 0x20|cc&0x0f, mux.PacketSize-5, flags)
	for len(dst) < start+mux.PacketSize {
		dst = append(dst, 0xff)
	}
	return dst, dst[start:]
}

// putPCR writes base modulo 2^33 with extension 0 into the first six bytes of b.
func putPCR(b []byte, base mux.Ticks) {
	v := uint64(base) & (1<<33 - 1)
	binary.BigEndian.PutUint32(b, uint32(v>>1))
	b[4] = byte(v<<7) | 0x7e
	b[5] = 0
}

// pcrBase reads the program_clock_reference_base at the start of b, which has at least five bytes.
func pcrBase(b []byte) mux.Ticks {
	return mux.Ticks(binary.BigEndian.Uint32(b))<<1 | mux.Ticks(b[4]>>7)
}

// putTimestamp writes t modulo 2^33 as a PTS or DTS with the given four-bit
// prefix into the first five bytes of b (ISO/IEC 13818-1 table 2-21).
func putTimestamp(b []byte, prefix byte, t mux.Ticks) {
	v := uint64(t) & (1<<33 - 1)
	b[0] = prefix<<4 | byte(v>>29)&0x0e | 1
	b[1] = byte(v >> 22)
	b[2] = byte(v>>14) | 1
	b[3] = byte(v >> 7)
	b[4] = byte(v<<1) | 1
}

// Continuity returns the continuity_counter of a packet.
func Continuity(packet []byte) uint8 { return packet[3] & 0x0f }
