package ts

import (
	"encoding/binary"

	"headwater/mux"
)

// maxSpacing is the largest distance of units from which the time of one
// without PTS is guessed; more is a reset of the source (hls-rules C16).
const maxSpacing = 10 * mux.ClockRate

// pesHeader is what the head of a PES packet says.
type pesHeader struct {
	size           int // where the elementary stream begins
	hasPTS, hasDTS bool
	pts, dts       mux.Ticks // raw, 33 bits
}

// parsePES reads the head of the PES packet at the start of b. need is not 0
// if it wants more bytes than b holds, and tells how many from the start. ok is
// false if b is not a PES packet. What the specification forbids is taken for
// absent: a length too small for a timestamp, a timestamp without any marker bit.
//
// ISO/IEC 13818-1 §2.4.3.6.
func parsePES(b []byte) (h pesHeader, need int, ok bool) {
	const fixed, withTimes = 9, 19
	if len(b) < 6 {
		return h, withTimes, true
	}
	if b[0] != 0 || b[1] != 0 || b[2] != 1 {
		return h, 0, false
	}
	switch b[3] {
	case 0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff: // maps, padding, private_stream_2, ECM, EMM…
		return pesHeader{size: 6}, 0, true
	}
	if len(b) < fixed {
		return h, withTimes, true
	}
	h.size = fixed + int(b[8])
	flags := b[7] >> 6
	if flags == 3 && b[8] >= 10 {
		if len(b) < withTimes {
			return h, withTimes, true
		}
		h.dts, h.hasDTS = timestamp(b[14:])
	}
	if flags >= 2 && b[8] >= 5 {
		if len(b) < 14 {
			return h, withTimes, true
		}
		h.pts, h.hasPTS = timestamp(b[9:])
	}
	return h, 0, true
}

// timestamp reads a PTS or DTS. A marker bit may be wrong, not all three.
func timestamp(b []byte) (t mux.Ticks, ok bool) {
	if b[0]&1+b[2]&1+b[4]&1 == 0 {
		return 0, false
	}
	t = mux.Ticks(b[0]>>1&7)<<30 | mux.Ticks(binary.BigEndian.Uint16(b[1:])>>1)<<15 | mux.Ticks(binary.BigEndian.Uint16(b[3:])>>1)
	return t, true
}

// finish delivers the unit under way on t.
func (d *Demuxer) finish(t *track) {
	t.closeRun(d.block)
	defer d.forget(t)
	first := t.runs[0][:mux.PacketSize]
	b := first[payloadOffset(first):]
	h, need, ok := parsePES(b)
	if need != 0 {
		b = d.gather(t.runs, 0, need)
		h, need, ok = parsePES(b)
	}
	if !ok || need != 0 {
		d.stats.BadPES++
		d.report(t.pid, "packet_start_code_prefix", mux.ErrInvalid)
		t.lost = true
		return
	}
	u := &d.units.take(1)[0]
	*u = mux.Unit{Track: t.index, Seq: t.seq, Size: t.size, Damaged: t.damaged || t.length > t.payload}
	d.stamp(t, u, &h)
	if t.hasPCR {
		u.HasPCR, u.PCR = true, d.newest.Nearest(t.pcr)
	}
	runs := t.runs
	switch c := d.program.Tracks[t.index].Codec; {
	case c.Video():
		runs = d.picture(t, u, &h, b)
	case c.Audio():
		u.Access = mux.AccessRandom
		d.listen(t, u, &h)
		d.playTitle(t, u)
	case c == mux.CodecID3:
		d.readTitle(t, u, &h)
	}
	u.Packets = d.slices.keep(runs)
	u.Program = d.program
	t.lost = false
	d.deliver(u)
}

// stamp gives u its times (hls-rules C15). The first timestamp of a track, and
// one that jumps, is unwrapped next to the other tracks, so that all tracks
// stay on one line.
func (d *Demuxer) stamp(t *track, u *mux.Unit, h *pesHeader) {
	switch {
	case h.hasPTS:
		raw := h.pts
		if h.hasDTS {
			raw = h.dts
		}
		if !d.clocked {
			d.clocked, d.newest = true, raw
		}
		u.DTS = d.newest.Nearest(raw)
		if t.timed {
			if own := t.dts.Nearest(raw); own-t.dts < maxSpacing && t.dts-own < maxSpacing {
				u.DTS = own
			}
		}
		u.PTS = u.DTS.Nearest(h.pts)
	case t.sound.split != nil && t.timed: // frames count time
		u.DTS, _ = t.sound.split.Next()
		u.PTS = u.DTS
	case t.timed && t.spacing > 0:
		u.DTS = t.dts + t.spacing
		u.PTS = u.DTS
	default:
		u.Untimed = true
		return
	}
	if step := u.DTS - t.dts; t.timed && step > 0 && step < maxSpacing {
		t.spacing = step
	}
	t.timed, t.dts, d.newest = true, u.DTS, u.DTS
}

// gather returns up to limit bytes of the PES packet in runs, from byte skip
// on, in memory that the next call reuses.
func (d *Demuxer) gather(runs [][]byte, skip, limit int) []byte {
	d.scratch = appendPayload(d.scratch[:0], runs, skip, limit)
	return d.scratch
}

// appendPayload appends up to limit bytes of the payload of the packets in runs, from byte skip on.
func appendPayload(dst []byte, runs [][]byte, skip, limit int) []byte {
	end := len(dst) + limit
	for _, r := range runs {
		for ; len(r) > 0 && len(dst) < end; r = r[mux.PacketSize:] {
			b := r[payloadOffset(r):mux.PacketSize]
			if skip >= len(b) {
				skip -= len(b)
				continue
			}
			b = b[skip:]
			skip = 0
			dst = append(dst, b[:min(len(b), end-len(dst))]...)
		}
	}
	return dst
}
