package segmenter

import (
	"encoding/binary"
	"hash/crc32"
	"slices"

	"headwater/mux"
	"headwater/mux/ts"
)

// Distances of PCRs in a segment, in media time (hls-rules C07).
const (
	pcrEvery = 95 * mux.ClockRate / 1000 // at most between two, else one is inserted
	pcrLead  = mux.ClockRate / 10        // DTS - PCR if the source has none, and of wrapped audio
)

// tsBuilder lists the bytes of a transport stream segment.
type tsBuilder struct {
	data [][]byte

	ref   mux.PID   // carries the PCR
	lead  mux.Ticks // DTS - PCR of the source
	pcr   mux.Ticks // the newest PCR, source time
	begun bool      // pcr is valid
}

// buildTS fills in the bytes of a transport stream segment: PAT, PMT, the title
// in force, then the units in the order of the input, and other titles before
// the sound that they begin with. They are a function of the slot and its
// titles alone, so that every origin makes the same (hls-rules C01-C08, C34-C36, H22).
func buildTS(seg *Segment, o *openSlot, t *tags) {
	p := t.program
	b := &tsBuilder{ref: p.Tracks[o.layout.ref].PID, lead: pcrLead}
	o.sort()

	pmt := ts.BuildPMT(p, t.tracks, b.ref)
	packets := uint64(len(ts.AppendSection(nil, p.PMTPID, 0, pmt)) / mux.PacketSize)
	b.emit(ts.AppendPAT(nil, p.Number, p.PMTPID, uint8(seg.Sequence&15)))
	b.emit(ts.AppendSection(nil, p.PMTPID, uint8(seg.Sequence*packets&15), pmt))

	for _, tag := range t.due(t.start) {
		b.emit(tag)
	}
	sound := o.sound()
	marked := map[mux.PID]bool{}
	for _, u := range o.units {
		if u.HasPCR && p.Tracks[o.layout.ref].PID == u.Program.Tracks[u.Track].PID {
			b.lead = max(0, u.DTS-u.PCR)
			break
		}
	}
	for _, u := range o.units {
		pid := u.Program.Tracks[u.Track].PID
		if u.Track == sound && len(t.marks) > 0 {
			for _, tag := range t.due(o.reaches(u)) {
				b.emit(tag)
			}
		}
		if seg.Discontinuity && !marked[pid] {
			marked[pid] = true
			b.discontinuity(u, pid)
		}
		if pid == b.ref {
			b.clock(u)
		}
		for _, run := range u.Packets {
			b.emit(run)
		}
	}
	b.end(o)
	seg.finish(b.data)
}

// emit lists packets, joining them to what was listed before where they are
// neighbours in memory.
func (b *tsBuilder) emit(p []byte) { b.data = join(b.data, p) }

// discontinuity marks the first packet of a PID after an EXT-X-DISCONTINUITY (hls-rules C08).
func (b *tsBuilder) discontinuity(u *mux.Unit, pid mux.PID) {
	cc := (ts.Continuity(u.Packets[0]) - 1) & 15
	if pid == b.ref {
		b.setPCR(u.DTS - b.lead)
		b.emit(ts.AppendPCR(nil, pid, cc, b.pcr, true))
		return
	}
	b.emit(ts.AppendDiscontinuity(nil, pid, cc))
}

// clock inserts PCRs before a unit of the reference track where the source
// sends too few: one before the first unit, and never 100 ms without.
func (b *tsBuilder) clock(u *mux.Unit) {
	cc := (ts.Continuity(u.Packets[0]) - 1) & 15
	if !b.begun && !startsWithPCR(u.Packets[0]) {
		b.setPCR(u.DTS - b.lead)
		b.emit(ts.AppendPCR(nil, b.ref, cc, b.pcr, false))
	}
	now := u.DTS - b.lead
	if u.HasPCR {
		now = u.PCR
	}
	b.bridge(now, cc)
	if u.HasPCR || now-b.pcr >= mux.ClockRate {
		b.setPCR(now)
	}
}

// bridge inserts PCRs between the newest one and now.
func (b *tsBuilder) bridge(now mux.Ticks, cc uint8) {
	for b.begun && now-b.pcr > pcrEvery && now-b.pcr < mux.ClockRate {
		b.setPCR(b.pcr + min(pcrEvery, (now-b.pcr+1)/2))
		b.emit(ts.AppendPCR(nil, b.ref, cc, b.pcr, false))
	}
}

// end inserts PCRs from the last unit of the reference track to where the next
// segment begins, for the first PCR there is its own.
func (b *tsBuilder) end(o *openSlot) {
	var last, before *mux.Unit
	for _, u := range o.units {
		if u.Program.Tracks[u.Track].PID == b.ref {
			before, last = last, u
		}
	}
	if before == nil || o.lost || o.broken {
		return
	}
	end := o.end - o.shift
	if o.layout.ref != o.layout.audio { // of pictures that is a PTS: decoding goes on at the pace it had
		end = 2*last.DTS - before.DTS
	}
	tail := last.Packets[len(last.Packets)-1]
	b.bridge(end-b.lead, ts.Continuity(tail[len(tail)-mux.PacketSize:]))
}

// startsWithPCR reports whether the first packet of p carries a PCR (ISO/IEC
// 13818-1 §2.4.3.4).
func startsWithPCR(p []byte) bool { return p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x10 != 0 }

func (b *tsBuilder) setPCR(t mux.Ticks) { b.pcr, b.begun = t, true }

// finish sets the bytes of a segment and what follows from them.
func (s *Segment) finish(data [][]byte) {
	s.Data = slices.Clip(data)
	var c, i uint32
	for _, b := range data {
		s.Size += int64(len(b))
		c = crc32.Update(c, castagnoli, b)
		i = crc32.Update(i, crc32.IEEETable, b)
	}
	binary.BigEndian.PutUint32(s.Sum[:4], c)
	binary.BigEndian.PutUint32(s.Sum[4:], i)
}

// join appends b to data: to its last slice if b follows that one in memory.
func join(data [][]byte, b []byte) [][]byte {
	if n := len(data); n > 0 && len(b) > 0 {
		last := data[n-1]
		if rest := last[len(last):cap(last)]; len(rest) >= len(b) && &rest[0:1][0] == &b[0] {
			data[n-1] = last[:len(last)+len(b)]
			return data
		}
	}
	return append(data, b)
}
