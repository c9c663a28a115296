package programme

import "headwater/mux"

// packet is 188 bytes that start with the sync byte. Its methods never read
// past the end, whatever the lengths inside say.
type packet []byte

func (p packet) pid() mux.PID     { return mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2]) }
func (p packet) hasPayload() bool { return p[3]&0x10 != 0 }

// payload returns the offset of the payload, or len(p) if there is none.
func (p packet) payload() int {
	switch p[3] >> 4 & 3 {
	case 1:
		return 4
	case 3:
		return min(5+int(p[4]), len(p))
	}
	return len(p)
}

// pcr returns the offset of program_clock_reference_base (ISO/IEC 13818-1 §2.4.3.4).
func (p packet) pcr() (at int, ok bool) {
	return 6, p[3]&0x20 != 0 && p[4] >= 7 && p[4] <= 183 && p[5]&0x10 != 0
}

// timestamps returns the offsets of PTS and DTS of the PES packet that starts
// in p, 0 where there is none (ISO/IEC 13818-1 §2.4.3.6).
func (p packet) timestamps() (pts, dts int) {
	at := p.payload()
	if p[1]&0x40 == 0 || at+14 > len(p) || p[at] != 0 || p[at+1] != 0 || p[at+2] != 1 || !timed(p[at+3]) {
		return 0, 0
	}
	switch flags := p[at+7] >> 6; {
	case flags == 2:
		return at + 9, 0
	case flags == 3 && at+19 <= len(p):
		return at + 9, at + 14
	}
	return 0, 0
}

// timed reports whether PES packets of this stream_id have the header with
// timestamps: audio, video, private_stream_1 and extended stream_ids.
func timed(id byte) bool { return id >= 0xc0 && id <= 0xef || id == 0xbd || id == 0xfd }

// video reports whether a PES packet of video starts in p.
func (p packet) video() bool { return p[p.payload()+3]>>4 == 0xe }

// dts returns the raw decoding time of the PES packet that starts in p.
func (p packet) dts() (mux.Ticks, bool) {
	pts, dts := p.timestamps()
	switch {
	case dts > 0:
		return readTimestamp(p[dts:]), true
	case pts > 0:
		return readTimestamp(p[pts:]), true
	}
	return 0, false
}

// readTimestamp reads the 33 bits that 5 bytes carry with their marker bits.
func readTimestamp(b []byte) mux.Ticks {
	return mux.Ticks(b[0]>>1&7)<<30 | mux.Ticks(b[1])<<22 | mux.Ticks(b[2]>>1)<<15 |
		mux.Ticks(b[3])<<7 | mux.Ticks(b[4]>>1)
}

// shiftTimestamp adds d to a PTS or DTS; prefix and marker bits stay.
func shiftTimestamp(b []byte, d mux.Ticks) {
	t := (readTimestamp(b) + d) & (mux.Wrap - 1)
	b[0] = b[0]&0xf1 | byte(t>>30)<<1
	b[1] = byte(t >> 22)
	b[2] = b[2]&1 | byte(t>>15)<<1
	b[3] = byte(t >> 7)
	b[4] = b[4]&1 | byte(t)<<1
}

// shiftPCR adds d to the base of a PCR; the 27 MHz extension stays.
func shiftPCR(b []byte, d mux.Ticks) {
	base := mux.Ticks(b[0])<<25 | mux.Ticks(b[1])<<17 | mux.Ticks(b[2])<<9 | mux.Ticks(b[3])<<1 | mux.Ticks(b[4]>>7)
	base = (base + d) & (mux.Wrap - 1)
	b[0], b[1], b[2], b[3] = byte(base>>25), byte(base>>17), byte(base>>9), byte(base>>1)
	b[4] = b[4]&0x7f | byte(base)<<7
}

// clocks follows the decoding times of the PIDs of one lap, unwrapped.
type clocks struct {
	newest    mux.Ticks // of any PID
	started   bool
	pids      map[mux.PID]*clock
	reference *clock // the first video PID, else the first PID
	video     bool   // the reference has video
}

type clock struct{ first, last, step mux.Ticks }

// add takes the raw decoding time of the PES packet that starts in p and returns it unwrapped.
func (c *clocks) add(p packet, raw mux.Ticks) mux.Ticks {
	if !c.started {
		c.started, c.newest, c.pids = true, raw, map[mux.PID]*clock{}
	}
	t := c.newest.Nearest(raw)
	c.newest = max(c.newest, t)
	k := c.pids[p.pid()]
	if k == nil {
		k = &clock{first: t, last: t}
		c.pids[p.pid()] = k
		if video := p.video(); c.reference == nil || video && !c.video {
			c.reference, c.video = k, video
		}
		return t
	}
	k.step, k.last = t-k.last, t
	return t
}

// span returns the length of a lap by the reference PID.
func (c *clocks) span() mux.Ticks { return c.reference.last - c.reference.first + c.reference.step }
