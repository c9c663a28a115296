package ts

import (
	"encoding/binary"
	"slices"

	"headwater/mux"
)

// PMT is a TS_program_map_section. Its slices alias the section it was read from.
//
// ISO/IEC 13818-1 §2.4.4.8.
type PMT struct {
	Program     uint16
	Version     uint8
	Current     bool // current_next_indicator
	PCRPID      mux.PID
	Descriptors []byte // of the program
	Streams     []Stream
}

// Stream is one elementary stream of a [PMT].
type Stream struct {
	PID         mux.PID
	Type        uint8 // stream_type
	Descriptors []byte
}

// ParsePMT reads a whole section, from table_id to CRC_32. The error is a
// [*mux.ParseError]; it wraps mux.ErrCRC, mux.ErrTruncated or mux.ErrInvalid.
func ParsePMT(section []byte) (PMT, error) {
	body, err := checkSection(section, tablePMT)
	if err != nil {
		return PMT{}, err
	}
	if len(body) < 4 {
		return PMT{}, sectionError("section_length", mux.ErrTruncated)
	}
	m := PMT{
		Program: binary.BigEndian.Uint16(section[3:]),
		Version: section[5] >> 1 & 0x1f,
		Current: section[5]&1 != 0,
		PCRPID:  pid13(body),
	}
	info := int(binary.BigEndian.Uint16(body[2:]) & 0x0fff)
	body = body[4:]
	if info > len(body) {
		return PMT{}, sectionError("program_info_length", mux.ErrInvalid)
	}
	m.Descriptors, body = body[:info:info], body[info:]
	for len(body) > 0 {
		if len(body) < 5 {
			return PMT{}, sectionError("section_length", mux.ErrInvalid)
		}
		s := Stream{Type: body[0], PID: pid13(body[1:])}
		n := int(binary.BigEndian.Uint16(body[3:]) & 0x0fff)
		body = body[5:]
		if n > len(body) {
			return PMT{}, sectionError("ES_info_length", mux.ErrInvalid)
		}
		s.Descriptors, body = body[:n:n], body[n:]
		m.Streams = append(m.Streams, s)
	}
	return m, nil
}

// BuildPMT returns the section of a PMT that lists the given tracks of p only,
// in the given order, with CRC (hls-rules C03). Descriptors come from p.PMT,
// but for those of conditional access. AC-3 and E-AC-3 in the DVB form (type
// 0x06 with a descriptor) are listed in the ATSC form, which all players take
// (hls-rules C19). A track of timed ID3 that p.PMT does not list gets the
// descriptors that announce it (hls-rules C34). The version_number depends on
// the content only.
func BuildPMT(p *mux.Program, tracks []int, pcr mux.PID) []byte {
	sent, _ := ParsePMT(p.PMT) // no section (raw audio) leaves it empty: no descriptors
	s := buildPMT(p, tracks, pcr, &sent)
	if len(s) > maxSection { // the ATSC forms can be longer than what was sent
		s = buildPMT(p, tracks, pcr, &PMT{})
	}
	return s
}

func buildPMT(p *mux.Program, tracks []int, pcr mux.PID, sent *PMT) []byte {
	s := []byte{tablePMT, 0, 0, byte(p.Number >> 8), byte(p.Number), 0xc1, 0, 0,
		0xe0 | byte(pcr>>8), byte(pcr), 0, 0}
	s = appendDescriptors(s, sent.Descriptors, tagCA)
	if slices.ContainsFunc(tracks, func(i int) bool { return sent.lacksID3(&p.Tracks[i]) }) {
		s = appendMetadataPointer(s, p.Number)
	}
	setLength(s[10:], 0xf000, len(s)-12)
	for _, i := range tracks {
		t := &p.Tracks[i]
		typ := t.StreamType
		start := len(s)
		s = append(s, typ, 0xe0|byte(t.PID>>8), byte(t.PID), 0, 0)
		info := sent.descriptors(t.PID)
		switch {
		case typ == typePrivatePES && t.Codec == mux.CodecAC3:
			s[start] = typeAC3
			s = append(s, tagRegistration, 4, 'A', 'C', '-', '3')
			s = appendDescriptors(s, info, tagCA, tagDVBAC3, tagRegistration)
		case typ == typePrivatePES && t.Codec == mux.CodecEAC3:
			s[start] = typeEAC3
			s = append(s, tagRegistration, 4, 'E', 'A', 'C', '3')
			s = appendDescriptors(s, info, tagCA, tagDVBEAC3, tagRegistration)
		case sent.lacksID3(t):
			s = appendMetadataDescriptor(s)
		case sent.Streams == nil && len(t.Language) == 3:
			s = append(s, tagLanguage, 4, t.Language[0], t.Language[1], t.Language[2], 0)
		default:
			s = appendDescriptors(s, info, tagCA)
		}
		setLength(s[start+3:], 0xf000, len(s)-start-5)
	}
	s = append(s, 0, 0, 0, 0) // CRC_32
	setLength(s[1:], 0xb000, len(s)-3)
	sealSection(s)
	return s
}

// lacksID3 reports whether t is timed ID3 that m does not list.
func (m *PMT) lacksID3(t *mux.Track) bool {
	return t.StreamType == StreamTypeID3 && t.Codec == mux.CodecID3 &&
		!slices.ContainsFunc(m.Streams, func(s Stream) bool { return s.PID == t.PID })
}

// descriptors returns those of the stream on pid, nil if it is not listed.
func (m *PMT) descriptors(pid mux.PID) []byte {
	for i := range m.Streams {
		if m.Streams[i].PID == pid {
			return m.Streams[i].Descriptors
		}
	}
	return nil
}

// setLength writes a 12-bit length below the given upper bits.
func setLength(b []byte, upper uint16, n int) {
	binary.BigEndian.PutUint16(b, upper|uint16(n)&0x0fff)
}

// pid13 reads a PID from the low 13 bits of two bytes.
func pid13(b []byte) mux.PID { return mux.PID(binary.BigEndian.Uint16(b) & 0x1fff) }
