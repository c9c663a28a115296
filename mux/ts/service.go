package ts

import (
	"bytes"
	"encoding/binary"

	"headwater/mux"
)

// patience is how many packets after the first PMT those of other programs are waited for.
const patience = 2000

// services are the programs that the PAT lists.
type services struct {
	sections [][]byte // of the PAT, by section_number
	list     []*service
	chosen   *service

	// Of a PMT that never comes nothing can be known: impatient ends the
	// waiting, at the latest at the packet number deadline (0: not yet set).
	impatient bool
	deadline  uint64
}

// service is a program of the PAT.
type service struct {
	number  uint16
	pid     mux.PID // of its PMT
	section []byte  // its PMT, nil until it came
	pmt     PMT
}

// associate takes a program_association_section, and reports whether it changed the list.
func (v *services) associate(s []byte) (changed bool, err error) {
	if len(s) >= 12 && int(s[6]) < len(v.sections) && bytes.Equal(v.sections[s[6]], s) {
		return false, nil
	}
	body, err := checkSection(s, tablePAT)
	switch {
	case err != nil:
		return false, err
	case len(body)%4 != 0 || s[6] > s[7]:
		return false, sectionError("section_length", mux.ErrInvalid)
	case s[5]&1 == 0: // not yet applicable
		return false, nil
	}
	number, last := int(s[6]), int(s[7])
	if len(v.sections) != last+1 || !v.sameVersion(s) {
		v.sections = make([][]byte, last+1)
	}
	v.sections[number] = bytes.Clone(s)
	v.rebuild()
	return true, nil
}

// sameVersion reports whether s can stand beside the sections that are known.
func (v *services) sameVersion(s []byte) bool {
	for i, known := range v.sections {
		if i != int(s[6]) && known != nil {
			return bytes.Equal(known[3:6], s[3:6]) // transport_stream_id, version_number
		}
	}
	return true
}

// rebuild makes list from the sections. Services that stay keep their PMT.
func (v *services) rebuild() {
	old := v.list
	v.list = nil
	for _, s := range v.sections {
		if s == nil {
			continue
		}
		for b := s[8 : len(s)-4]; len(b) >= 4 && len(v.list) < maxServices; b = b[4:] {
			number, pid := binary.BigEndian.Uint16(b), pid13(b[2:])
			if number == 0 || !tablePID(pid) || v.find(pid, number) != nil { // 0 is the network PID
				continue
			}
			v.list = append(v.list, keepService(old, number, pid))
		}
	}
	if v.chosen != nil && v.find(v.chosen.pid, v.chosen.number) == nil {
		v.chosen, v.impatient, v.deadline = nil, false, 0
	}
}

func keepService(old []*service, number uint16, pid mux.PID) *service {
	for _, s := range old {
		if s.number == number && s.pid == pid {
			return s
		}
	}
	return &service{number: number, pid: pid}
}

// tablePID reports whether a PMT may be on pid: neither on one of the fixed
// tables nor on that of stuffing (ISO/IEC 13818-1 table 2-3).
func tablePID(pid mux.PID) bool { return pid >= 0x10 && pid != mux.NullPID }

// find returns the service of a PMT, or nil.
func (v *services) find(pid mux.PID, number uint16) *service {
	for _, s := range v.list {
		if s.pid == pid && s.number == number {
			return s
		}
	}
	return nil
}

// choose settles on a service if that can be done: the wanted one, or the
// first with video, or if none has, the first with audio.
func (v *services) choose(wanted uint16) {
	if v.chosen != nil {
		return
	}
	var audio *service
	for _, s := range v.list {
		switch {
		case wanted != 0 && s.number != wanted:
			continue
		case s.section == nil:
			if !v.impatient && wanted == 0 {
				return
			}
			continue
		case wanted != 0 || s.pmt.carries(mux.Codec.Video):
			v.chosen = s
			return
		case audio == nil && s.pmt.carries(mux.Codec.Audio):
			audio = s
		}
	}
	v.chosen = audio
}

// carries reports whether a stream of m has a codec of the kind.
func (m *PMT) carries(kind func(mux.Codec) bool) bool {
	program := registration(m.Descriptors)
	for i := range m.Streams {
		if kind(codecOf(&m.Streams[i], program)) {
			return true
		}
	}
	return false
}
