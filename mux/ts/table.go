package ts

import (
	"bytes"

	"headwater/mux"
)

// What the packets of a PID are, in Demuxer.kinds.
const (
	kindNone  = iota
	kindNull  // stuffing
	kindTable // PAT or a PMT
	kindTrack // and above: the index of a track
)

// Limits on what tables may make the demuxer keep.
const (
	maxServices = 128 // programs of a PAT; those beyond are not seen
	maxTracks   = 200 // of a program; a PMT of 1024 bytes holds 201
)

// table is a PID that carries PAT or PMT sections.
type table struct {
	pid mux.PID
	cc  uint8
	asm assembler
}

// tablePacket takes a packet of a PID that carries tables.
func (d *Demuxer) tablePacket(pid mux.PID, p []byte) {
	payload, start, ok := d.plainPayload(pid, p)
	if !ok || len(payload) == 0 {
		return
	}
	t := d.tableOf(pid)
	cc := Continuity(p)
	switch {
	case cc == t.cc: // sent twice, or 16 were lost: sections of the first kind change nothing
		d.stats.Duplicates++
		if !start {
			return
		}
	case t.cc != ccUnknown && cc != (t.cc+1)&15 && adaptationFlags(p)&flagDiscontinuity == 0:
		d.stats.Continuity++
		t.asm.reset()
	}
	t.cc = cc
	// A section may change the tables, and with them what t points into.
	asm := t.asm
	ok = asm.packet(payload, start, func(section []byte) { d.section(pid, section) })
	if t = d.tableOf(pid); t != nil {
		t.asm = asm
	}
	if !ok {
		d.stats.BadPSI++
		d.report(pid, "pointer_field", mux.ErrInvalid)
	}
}

// plainPayload returns the payload of a packet that must be neither damaged
// nor scrambled, and its payload_unit_start_indicator.
func (d *Demuxer) plainPayload(pid mux.PID, p []byte) (payload []byte, start, ok bool) {
	switch {
	case p[1]&0x80 != 0:
		d.stats.Transport++
		return nil, false, false
	case p[3]&0xc0 != 0:
		d.stats.Scrambled++
		return nil, false, false
	}
	off := payloadOffset(p)
	if off > mux.PacketSize {
		d.stats.BadPSI++
		d.report(pid, "adaptation_field_length", mux.ErrInvalid)
		return nil, false, false
	}
	return p[off:], p[1]&flagUnitStart != 0, true
}

// tableOf returns the table on pid, or nil.
func (d *Demuxer) tableOf(pid mux.PID) *table {
	for i := range d.tables {
		if d.tables[i].pid == pid {
			return &d.tables[i]
		}
	}
	return nil
}

// section takes a whole section.
func (d *Demuxer) section(pid mux.PID, s []byte) {
	var err error
	switch {
	case pid == 0 && s[0] == tablePAT:
		err = d.pat(s)
	case pid != 0 && s[0] == tablePMT:
		err = d.pmt(pid, s)
	}
	if err != nil {
		d.stats.BadPSI++
		d.fault = mux.ParseError{Offset: int64(d.position()), PID: pid, Field: "section", Err: err}
		if e, ok := err.(*mux.ParseError); ok {
			d.fault.Field, d.fault.Err = e.Field, e.Err
		}
	}
}

// pat takes a program_association_section.
func (d *Demuxer) pat(s []byte) error {
	changed, err := d.services.associate(s)
	if err != nil || !changed {
		return err
	}
	d.route()
	d.reconsider()
	return nil
}

// pmt takes a TS_program_map_section.
func (d *Demuxer) pmt(pid mux.PID, s []byte) error {
	if len(s) < 5 {
		return sectionError("section_length", mux.ErrTruncated)
	}
	v := d.services.find(pid, uint16(s[3])<<8|uint16(s[4]))
	if v == nil {
		return nil
	}
	if bytes.Equal(s, v.section) {
		if d.program == nil && d.services.chosen == nil { // every PMT that comes has come
			d.services.impatient = true
			d.reconsider()
		}
		return nil
	}
	m, err := ParsePMT(s)
	if err != nil || !m.Current {
		return err
	}
	v.section = bytes.Clone(s)
	v.pmt, _ = ParsePMT(v.section) // so that it aliases what is kept
	if d.services.deadline == 0 {
		d.services.deadline = d.stats.Packets + patience
	}
	d.reconsider()
	return nil
}

// unreferenced takes a packet of a PID that nothing points to.
func (d *Demuxer) unreferenced(p []byte) {
	d.stats.Unreferenced++
	if p[1]&0x80 != 0 {
		d.stats.Transport++
	}
	if v := &d.services; v.deadline != 0 && v.chosen == nil && !v.impatient && d.stats.Packets >= v.deadline {
		v.impatient = true
		d.reconsider()
	}
}

// route rebuilds kinds from tables and tracks.
func (d *Demuxer) route() {
	old := d.tables
	d.tables = []table{{pid: 0, cc: ccUnknown}}
	for _, v := range d.services.list {
		if d.tableOf(v.pid) == nil {
			d.tables = append(d.tables, table{pid: v.pid, cc: ccUnknown})
		}
	}
	clear(d.kinds[:])
	d.kinds[mux.NullPID] = kindNull
	for i := range d.tables {
		t := &d.tables[i]
		for _, o := range old {
			if o.pid == t.pid {
				*t = o
			}
		}
		d.kinds[t.pid] = kindTable
	}
	for i, t := range d.tracks {
		d.kinds[t.pid] = uint8(kindTrack + i)
	}
}
