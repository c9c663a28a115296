package live

import (
	"bytes"
	"context"
	"slices"

	"headwater/mux"
	"headwater/mux/ts"
)

// psiInterval is how often PAT and PMT are repeated, in media time (hls-rules C02).
const psiInterval = 400 * mux.ClockRate / 1000

// TSReader reads a tail as a transport stream: PAT, PMT, then a random access
// point, then all units as the source sent them, with the source's own PMT
// (hls-rules F01, C03).
type TSReader struct {
	cursor
	items   [batch]item
	pending []item // of items: not yet begun

	skipping bool // until a place to start
	program  *mux.Program
	section  []byte    // of the PMT that was announced last
	pat, pmt uint8     // continuity counters of the next packets
	psiTime  mux.Ticks // media time of the last PSI
	psiSent  bool
	fresh    []mux.PID // PIDs seen since the last jump
	marking  bool      // the first packet of a PID that is not in fresh is marked as a discontinuity

	queue [][]byte // what goes out next; aliases units and scratch
	part  int      // bytes of queue[0] that are out
	psi   []byte   // scratch
}

// NewTSReader returns a reader of t that starts when its first Next is called.
func NewTSReader(t *Tail) *TSReader { return &TSReader{cursor: cursor{tail: t}} }

// Size is about 64 KiB, in whole packets.
func (r *TSReader) Size() int { return 340 * mux.PacketSize }

// Next appends whole packets.
func (r *TSReader) Next(ctx context.Context, dst []byte) ([]byte, error) {
	for {
		dst = r.drain(dst)
		if cap(dst)-len(dst) < mux.PacketSize {
			return dst, nil
		}
		if len(r.pending) == 0 {
			if len(dst) > 0 {
				return dst, nil
			}
			n, jumped, err := r.take(ctx, &r.items)
			if err != nil {
				return dst, err
			}
			r.pending = r.items[:n]
			if jumped {
				r.jump()
			}
		}
		it := r.pending[0]
		r.pending[0] = item{} // a listener that hangs holds no memory
		r.pending = r.pending[1:]
		r.queueItem(it)
	}
}

// drain moves as much of the queue to dst as fits, in whole packets.
func (r *TSReader) drain(dst []byte) []byte {
	for len(r.queue) > 0 {
		room := (cap(dst) - len(dst)) / mux.PacketSize * mux.PacketSize
		if room == 0 {
			return dst
		}
		rest := r.queue[0][r.part:]
		n := min(room, len(rest))
		dst = append(dst, rest[:n]...)
		r.part += n
		if r.part == len(r.queue[0]) {
			r.queue, r.part = r.queue[1:], 0
		}
	}
	r.queue = nil
	return dst
}

// jump forgets what the listener was told: what comes next follows on nothing.
func (r *TSReader) jump() {
	r.skipping, r.psiSent = true, false
	r.marking = r.program != nil // the first start needs no marks
	r.fresh = r.fresh[:0]
}

// queueItem queues a unit and what the listener must be told before it.
func (r *TSReader) queueItem(it item) {
	if it.broke && r.program != nil {
		r.jump()
	}
	if r.skipping {
		if it.start == mux.AccessNone {
			return
		}
		r.skipping = false
	}
	u := it.unit
	r.psi = r.psi[:0:0] // the last one may still be queued
	if r.needsPSI(it) {
		r.appendPSI(u.Program)
		r.psiTime, r.psiSent = it.time, true
	}
	pid := u.Program.Tracks[u.Track].PID
	if r.marking && !slices.Contains(r.fresh, pid) && len(u.Packets) > 0 {
		// The packets of this PID before here were not sent: its counter jumps.
		r.fresh = append(r.fresh, pid)
		r.psi = ts.AppendDiscontinuity(r.psi, pid, ts.Continuity(u.Packets[0])-1)
	}
	if len(r.psi) > 0 {
		r.queue = append(r.queue, r.psi)
	}
	r.queue = append(r.queue, u.Packets...)
}

// needsPSI reports whether PAT and PMT go before an item.
func (r *TSReader) needsPSI(it item) bool {
	if it.unit.Program != r.program {
		r.program = it.unit.Program
		if section := sectionOf(r.program); !bytes.Equal(section, r.section) {
			r.section = section
			return true
		}
	}
	since := it.time - r.psiTime
	return !r.psiSent || since >= psiInterval || since < -psiInterval
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

func (r *TSReader) appendPSI(p *mux.Program) {
	r.psi = ts.AppendPAT(r.psi, p.Number, p.PMTPID, r.pat)
	r.pat++
	before := len(r.psi)
	r.psi = ts.AppendSection(r.psi, p.PMTPID, r.pmt, r.section)
	r.pmt += uint8((len(r.psi) - before) / mux.PacketSize)
}
