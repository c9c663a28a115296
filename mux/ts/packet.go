package ts

import (
	"bytes"

	"headwater/mux"
)

// Syntax of the packet and section headers (ISO/IEC 13818-1 §2.4.3.2, §2.4.4.4).
const (
	syncByte = 0x47

	flagUnitStart = 0x40 // payload_unit_start_indicator, with the PID

	tablePAT = 0x00
	tablePMT = 0x02
	// maxSection is the length of the longest PAT or PMT section.
	maxSection = 1024
)

// ccUnknown stands for a continuity_counter that has no predecessor.
const ccUnknown = 0xff

// Flags of the adaptation field (ISO/IEC 13818-1 §2.4.3.4).
const (
	flagDiscontinuity = 0x80
	flagRandomAccess  = 0x40
	flagPriority      = 0x20
	flagPCR           = 0x10
)

// payloadOffset returns where the payload of a packet begins: 188 if it has
// none, more if its adaptation_field_length lies.
func payloadOffset(p []byte) int {
	switch p[3] & 0x30 {
	case 0x10:
		return 4
	case 0x30:
		return 5 + int(p[4])
	}
	return mux.PacketSize
}

// adaptationFlags returns the flags of the adaptation field, 0 without one.
func adaptationFlags(p []byte) byte {
	if p[3]&0x20 == 0 || p[4] == 0 {
		return 0
	}
	return p[5]
}

// repeats reports whether p is q sent again: equal but for the PCR (ISO/IEC 13818-1 §2.4.3.3).
func repeats(p, q []byte) bool {
	if len(q) != mux.PacketSize {
		return false
	}
	if adaptationFlags(p)&flagPCR != 0 && p[4] >= 7 {
		return bytes.Equal(p[:6], q[:6]) && bytes.Equal(p[12:], q[12:])
	}
	return bytes.Equal(p, q)
}
