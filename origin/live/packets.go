package live

import (
	"bytes"
	"slices"

	"headwater/mux"
	"headwater/mux/ts"
)

// psiInterval is how often PAT and PMT are repeated, in media time (hls-rules C02).
const psiInterval = 400 * mux.ClockRate / 1000

// packetForm makes batches of transport stream packets: all units as the
// source sent them, with the source's own PMT, and a PAT and the PMT before
// each random access point of pictures and twice a second (hls-rules F01,
// C02, C03). There is one for all listeners: they share its counters.
type packetForm struct {
	program  *mux.Program
	section  []byte    // of the PMT that was sent last
	pat, pmt uint8     // continuity counters of the next packets
	psiTime  mux.Ticks // of the last PSI
	psiSent  bool
	last     []counter // of each PID
	fresh    []mux.PID // PIDs seen since the last break
	marking  bool      // the first packet of a PID that is not in fresh is marked as a discontinuity
}

// counter is the continuity_counter that a PID had last.
type counter struct {
	pid mux.PID
	cc  uint8
}

func (f *packetForm) parts(*batch, *mux.Unit) bool { return false }

func (f *packetForm) anew() form { return &packetForm{} }

// add adds a unit of a time to b, and what must be told before it.
func (f *packetForm) add(b *batch, u *mux.Unit, at mux.Ticks, broke bool) {
	if broke && f.program != nil {
		f.psiSent, f.marking, f.fresh = false, true, f.fresh[:0]
	}
	first := len(b.slices) == 0
	picture := b.video && first && b.start != mux.AccessNone
	var psi []byte
	if f.needsPSI(u.Program, at) || picture {
		psi = f.appendPSI(psi)
		f.psiTime, f.psiSent = at, true
	}
	if first && b.start != mux.AccessNone {
		b.join = &joint{program: f.program, section: f.section, pat: f.pat, pmt: f.pmt, last: slices.Clone(f.last), psi: len(psi) > 0}
	}
	if len(u.Packets) > 0 {
		psi = f.follow(psi, u)
	}
	if len(psi) > 0 {
		b.slices = append(b.slices, psi)
	}
	b.slices = append(b.slices, u.Packets...)
}

// follow keeps the counter of the unit's PID. If the packets before the unit
// were another source's, a packet is appended that says so (hls-rules C08).
func (f *packetForm) follow(psi []byte, u *mux.Unit) []byte {
	pid := u.Program.Tracks[u.Track].PID
	if f.marking && !slices.Contains(f.fresh, pid) {
		f.fresh = append(f.fresh, pid)
		psi = ts.AppendDiscontinuity(psi, pid, ts.Continuity(u.Packets[0])-1)
	}
	tail := u.Packets[len(u.Packets)-1]
	cc := ts.Continuity(tail[len(tail)-mux.PacketSize:])
	for i := range f.last {
		if f.last[i].pid == pid {
			f.last[i].cc = cc
			return psi
		}
	}
	f.last = append(f.last, counter{pid, cc})
	return psi
}

// needsPSI reports whether PAT and PMT go before a unit of p.
func (f *packetForm) needsPSI(p *mux.Program, at mux.Ticks) bool {
	if p != f.program {
		f.program = p
		if section := sectionOf(p); !bytes.Equal(section, f.section) {
			f.section = section
			return true
		}
	}
	since := at - f.psiTime
	return !f.psiSent || since >= psiInterval || since < -psiInterval
}

// sectionOf returns the PMT of a program: as sent, or made for raw audio.
func sectionOf(p *mux.Program) []byte {
	if p.PMT != nil {
		return p.PMT
	}
	tracks := make([]int, len(p.Tracks))
	for i := range tracks {
		tracks[i] = i
	}
	return ts.BuildPMT(p, tracks, p.PCRPID)
}

func (f *packetForm) appendPSI(b []byte) []byte {
	b = ts.AppendPAT(b, f.program.Number, f.program.PMTPID, f.pat)
	f.pat++
	before := len(b)
	b = ts.AppendSection(b, f.program.PMTPID, f.pmt, f.section)
	f.pmt += uint8((len(b) - before) / mux.PacketSize)
	return b
}

// joint is what there was before a batch.
type joint struct {
	program  *mux.Program
	section  []byte
	pat, pmt uint8 // continuity counters of the next packets after those at its start
	last     []counter
	psi      bool // the batch begins with PAT and PMT
}

// bridge returns what is sent to a listener that begins with the batch: PAT
// and PMT, if those are not in it, and before them, if it was somewhere else
// before, that all counters jump (hls-rules F02, C08).
func (j *joint) bridge(moved bool) *batch {
	if j == nil {
		return nil
	}
	sections := ts.AppendSection(nil, j.program.PMTPID, 0, j.section)
	n := uint8(len(sections) / mux.PacketSize)
	pat, pmt := j.pat-1, j.pmt-n // of the first PSI that it will see
	var p []byte
	if moved {
		p = ts.AppendDiscontinuity(p, 0, pat-1)
		p = ts.AppendDiscontinuity(p, j.program.PMTPID, pmt-1)
		for _, c := range j.last {
			p = ts.AppendDiscontinuity(p, c.pid, c.cc)
		}
	}
	if !j.psi {
		p = ts.AppendPAT(p, j.program.Number, j.program.PMTPID, pat)
		p = ts.AppendSection(p, j.program.PMTPID, pmt, j.section)
	}
	if p == nil {
		return nil
	}
	b := &batch{slices: [][]byte{p}}
	b.seal()
	return b
}
