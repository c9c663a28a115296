package check

import (
	"headwater/mux"
	"headwater/mux/ts"
)

// maxPCRGap is the largest distance of two PCRs, 100 ms (ISO/IEC 13818-1 §2.7.2, hls-rules C07).
const maxPCRGap = mux.ClockRate / 10

// examineTS reads a transport stream segment: first its packets, then the PES
// packets that a demuxer makes of them. The demuxer is new for each segment,
// so it knows nothing that the segment itself does not say.
func examineTS(s *segment, b []byte, e *edge) {
	if rest := len(b) % mux.PacketSize; rest != 0 {
		s.find("C04", "its length of %d bytes is not a multiple of 188", len(b))
		b = b[:len(b)-rest]
	}
	d := ts.NewDemuxer(ts.Options{})
	var units []*mux.Unit
	for rest := b; len(rest) > 0; {
		n := copy(d.Buffer(), rest)
		units = append(units, d.Advance(n)...)
		rest = rest[n:]
	}
	units = append(units, d.Flush()...)
	program := d.Program()
	if program == nil {
		s.find("C01", "it holds no program: PAT or PMT is missing or damaged")
		return
	}
	s.tracks = program.Tracks
	reference := program.Reference()
	if reference < 0 {
		s.find("C01", "it has neither video nor audio")
		return
	}
	p := packets{
		segment: s, edge: e, program: program, reference: program.Tracks[reference].PID,
		started: map[mux.PID]bool{}, straddle: map[mux.PID]bool{},
	}
	for at := 0; at < len(b); at += mux.PacketSize {
		if !p.examine(b[at:at+mux.PacketSize], at/mux.PacketSize) {
			return
		}
	}
	p.finish()
	examineTracks(s, program)
	examineUnits(s, program, reference, units, p.marked)
	examineTimed(s, program, units)
}

// packets looks at a segment packet by packet.
type packets struct {
	segment *segment
	edge    *edge
	program *mux.Program

	reference mux.PID // of the track that decides where segments begin

	started  map[mux.PID]bool // PIDs of which a PES packet has begun
	straddle map[mux.PID]bool // PIDs whose first PES packet began in another segment
	tables   int              // packets of PAT and PMT at the start
	media    bool             // something else was seen
	nulls    int
	damaged  int
	gap      mux.Ticks // largest distance of PCRs
	pcrs     int
	broken   map[mux.PID]bool // PIDs with a continuity error, told once
	marked   bool             // the first packet of the first picture has random_access_indicator
}

// examine looks at packet number n. It returns false if nothing after it can be trusted.
func (p *packets) examine(b []byte, n int) bool {
	if b[0] != 0x47 {
		p.segment.find("C04", "packet %d does not start with the sync byte 0x47", n)
		return false
	}
	pid := mux.PID(b[1]&0x1f)<<8 | mux.PID(b[2])
	if pid == mux.NullPID {
		p.nulls++
		return true
	}
	if b[1]&0x80 != 0 || b[3]&0xc0 != 0 {
		p.damaged++
	}
	p.order(b, pid, n)
	discontinuity := b[3]&0x20 != 0 && b[4] > 0 && b[5]&0x80 != 0
	p.count(b, pid, n, discontinuity)
	if pid == p.program.PCRPID {
		p.clock(b, discontinuity)
	}
	if p.isPES(pid) && b[3]&0x10 != 0 {
		if b[1]&0x40 != 0 {
			if !p.started[pid] && pid == p.reference {
				p.marked = b[3]&0x20 != 0 && b[4] > 0 && b[5]&0x40 != 0
			}
			p.started[pid] = true
		} else if !p.started[pid] {
			p.straddle[pid] = true
		}
	}
	return true
}

// order: packet 0 is the PAT, then comes the PMT, then all else (hls-rules C01).
func (p *packets) order(b []byte, pid mux.PID, n int) {
	switch {
	case p.media:
	case n == 0 && pid != 0:
		p.segment.find("C01", "its first packet is of PID 0x%04x, not the PAT", pid)
		p.media = true
	case pid == 0 && n == 0, pid == p.program.PMTPID:
		p.tables++
	case p.tables < 2:
		p.segment.find("C01", "packet %d, of PID 0x%04x, comes before the PMT", n, pid)
		p.media = true
	default:
		p.media = true
	}
}

// count holds the continuity counters, also over the edge of the segment (hls-rules C05).
func (p *packets) count(b []byte, pid mux.PID, n int, discontinuity bool) {
	value, payload := b[3]&15, b[3]&0x10 != 0
	last, known := p.edge.continuity[pid]
	next := counter{value: value}
	ok := true
	switch {
	case !known || discontinuity:
	case !payload:
		ok = value == last.value
		next.duplicates = last.duplicates
	case value == last.value:
		next.duplicates = last.duplicates + 1
		ok = next.duplicates == 1
	default:
		ok = value == (last.value+1)&15
	}
	p.edge.continuity[pid] = next
	if !ok && !p.broken[pid] {
		if p.broken == nil {
			p.broken = map[mux.PID]bool{}
		}
		p.broken[pid] = true
		p.segment.find("C05", "the continuity counter of PID 0x%04x is %d after %d in packet %d", pid, value, last.value, n)
	}
}

// clock measures the distance of PCRs, also over the edge of the segment (hls-rules C07).
func (p *packets) clock(b []byte, discontinuity bool) {
	if b[3]&0x20 == 0 || b[4] < 7 || b[5]&0x10 == 0 {
		return
	}
	pcr := mux.Ticks(b[6])<<25 | mux.Ticks(b[7])<<17 | mux.Ticks(b[8])<<9 | mux.Ticks(b[9])<<1 | mux.Ticks(b[10]>>7)
	if p.edge.hasPCR && !discontinuity {
		p.gap = max(p.gap, p.edge.pcr.Nearest(pcr)-p.edge.pcr)
	}
	p.edge.pcr, p.edge.hasPCR = pcr, true
	p.pcrs++
}

func (p *packets) isPES(pid mux.PID) bool {
	for i := range p.program.Tracks {
		t := &p.program.Tracks[i]
		if t.PID == pid {
			return t.Codec.Video() || t.Codec.Audio() || t.Codec == mux.CodecID3
		}
	}
	return false
}

// finish tells what the packets add up to.
func (p *packets) finish() {
	s := p.segment
	if p.nulls > 0 {
		s.find("C04", "%d of its packets are stuffing (PID 0x1fff)", p.nulls)
	}
	if p.damaged > 0 {
		s.find("C20", "%d of its packets are scrambled or marked as damaged", p.damaged)
	}
	if p.pcrs == 0 {
		s.find("C07", "it has no PCR on PID 0x%04x, where its PMT says it is", p.program.PCRPID)
	} else if p.gap > maxPCRGap {
		s.find("C07", "two PCRs are %d ms apart, which may be 100 ms", p.gap*1000/mux.ClockRate)
	}
	for i := range p.program.Tracks {
		t := &p.program.Tracks[i]
		if !p.straddle[t.PID] {
			continue
		}
		rule := "C12"
		if t.Codec.Audio() {
			rule = "C13"
		}
		s.find(rule, "a PES packet of %v, PID 0x%04x, began in the segment before", t.Codec, t.PID)
	}
}
