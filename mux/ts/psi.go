package ts

import (
	"encoding/binary"

	"headwater/mux"
)

// checkSection checks length and CRC of a long section of the given table, and
// returns what stands between last_section_number and CRC_32.
func checkSection(s []byte, table byte) (body []byte, err error) {
	switch {
	case len(s) < 12:
		return nil, sectionError("section_length", mux.ErrTruncated)
	case s[0] != table:
		return nil, sectionError("table_id", mux.ErrInvalid)
	case s[1]&0x80 == 0:
		return nil, sectionError("section_syntax_indicator", mux.ErrInvalid)
	case sectionSize(s) != len(s):
		return nil, sectionError("section_length", mux.ErrInvalid)
	case len(s) > maxSection:
		return nil, sectionError("section_length", mux.ErrTooLarge)
	case crc32(s) != 0:
		return nil, sectionError("CRC_32", mux.ErrCRC)
	}
	return s[8 : len(s)-4], nil
}

func sectionError(field string, err error) error {
	return &mux.ParseError{Offset: -1, PID: mux.NullPID, Field: field, Err: err}
}

// sectionSize returns the whole size of the section whose first three bytes are b.
func sectionSize(b []byte) int { return 3 + int(binary.BigEndian.Uint16(b[1:])&0x0fff) }

// assembler puts the sections of one PID together (ISO/IEC 13818-1 §2.4.4.2).
type assembler struct {
	buf    []byte // the section under way
	skip   int    // bytes still to come of a section that nobody wants
	synced bool   // false until the first pointer_field, and after a loss
}

// reset drops the section under way: packets were lost.
func (a *assembler) reset() { a.buf, a.skip, a.synced = a.buf[:0], 0, false }

// packet takes the payload of the next packet and calls emit with each section
// that it completes, valid during the call. Sections longer than a PAT or PMT
// may be are passed over. ok is false if a pointer_field or length lied.
func (a *assembler) packet(payload []byte, start bool, emit func(section []byte)) (ok bool) {
	if !start {
		if a.synced {
			a.fill(payload, false, emit)
		}
		return true
	}
	if len(payload) == 0 || 1+int(payload[0]) > len(payload) {
		a.reset()
		return false
	}
	head, rest := payload[1:1+payload[0]], payload[1+payload[0]:]
	if a.synced && len(head) > 0 {
		a.fill(head, false, emit)
	}
	ok = len(a.buf) == 0 && a.skip == 0 // else the next section starts inside the last
	a.reset()
	a.synced = true
	a.fill(rest, true, emit)
	return ok
}

// fill consumes bytes of sections that follow each other. fresh tells that a
// section may start in b; without it b only continues the one under way.
func (a *assembler) fill(b []byte, fresh bool, emit func([]byte)) {
	for len(b) > 0 {
		if a.skip > 0 {
			n := min(a.skip, len(b))
			a.skip -= n
			b = b[n:]
			continue
		}
		if len(a.buf) == 0 && (!fresh || b[0] == 0xff) { // stuffing up to the end of the packet
			return
		}
		want := 3
		if len(a.buf) >= 3 {
			want = sectionSize(a.buf)
		}
		n := min(want-len(a.buf), len(b))
		a.buf = append(a.buf, b[:n]...)
		b = b[n:]
		switch {
		case len(a.buf) < 3:
		case sectionSize(a.buf) > maxSection:
			a.skip = sectionSize(a.buf) - len(a.buf)
			a.buf = a.buf[:0]
		case len(a.buf) == sectionSize(a.buf):
			emit(a.buf)
			a.buf = a.buf[:0]
		}
	}
}
