package ts

import (
	"encoding/binary"

	"headwater/mux"
)

// track is what the demuxer knows of one elementary stream, and the unit under
// way on its PID.
type track struct {
	pid        mux.PID
	index      int // in Program.Tracks
	streamType uint8
	declared   mux.Codec // as the PMT says
	sections   bool

	cc   uint8                // of the last packet with payload
	last int                  // where that packet is in the block, or lastNone, or lastCopied
	copy [mux.PacketSize]byte // of that packet, from an earlier block
	lost bool                 // packets went missing since the last unit

	begun    bool // there was a unit
	open     bool
	seq      uint64
	run      run      // packets that follow each other in the current block
	runs     [][]byte // the unit's packets before them
	size     int      // bytes of packets
	settled  int      // runs that lie in earlier blocks
	length   int      // bytes of the PES packet, 0 if open-ended
	payload  int      // bytes of the PES packet so far
	damaged  bool
	hasPCR   bool
	pcr      mux.Ticks // raw
	orphaned bool      // payload was dropped that belongs to no unit

	lengthLies bool // units went on after the end that their length said
	timed      bool
	dts        mux.Ticks // of the last timed unit
	spacing    mux.Ticks // from the unit before to it, 0 if unknown

	video video
	sound sound
}

// Values of track.last besides a place in the block.
const (
	lastNone   = -1
	lastCopied = -2
)

// run is a range of the current block, empty if end is 0.
type run struct{ start, end int }

func newTrack(info *mux.Track) *track {
	return &track{
		pid: info.PID, streamType: info.StreamType, declared: info.Codec, cc: ccUnknown, last: lastNone,
		sections: carriesSections(info.StreamType, info.Codec),
	}
}

// trackPacket takes a packet of an elementary stream.
func (d *Demuxer) trackPacket(t *track, p []byte) {
	head := binary.BigEndian.Uint32(p)
	const transportError, scrambled = 0x800000, 0xc0
	if head&(transportError|scrambled) != 0 {
		d.spoiled(t, p)
		return
	}
	flags := adaptationFlags(p)
	off := payloadOffset(p)
	switch {
	case off > mux.PacketSize:
		d.report(t.pid, "adaptation_field_length", mux.ErrInvalid)
		d.stats.BadPES++
		t.damaged = t.open
		return
	case head&0x10 == 0: // no payload
		if flags&flagDiscontinuity != 0 {
			t.cc = ccUnknown
		}
		if head&0x20 != 0 && t.open {
			d.add(t, p, flags, 0)
		}
		return
	}
	if uint8(head&15) != (t.cc+1)&15 && !d.jump(t, p, flags) {
		return
	}
	t.cc, t.last = uint8(head&15), d.pos
	switch {
	case t.sections:
		d.sectionUnit(t, p)
		return
	case head>>16&flagUnitStart != 0:
		d.begin(t, p[off:])
	case !t.open:
		d.orphan(t)
		return
	}
	d.add(t, p, flags, mux.PacketSize-off)
	if t.length != 0 && t.payload >= t.length && !t.lengthLies {
		d.finish(t)
	}
}

// spoiled drops a packet with transport_error_indicator or scrambled payload (hls-rules C20).
func (d *Demuxer) spoiled(t *track, p []byte) {
	if p[1]&0x80 != 0 {
		d.stats.Transport++
	} else {
		d.stats.Scrambled++
	}
	t.damaged = t.open
	if cc := Continuity(p); p[3]&0x10 != 0 && t.cc != ccUnknown && cc == (t.cc+1)&15 {
		t.cc, t.last = cc, lastNone // it is counted as what it is, not as a gap too
	}
	if p[1]&flagUnitStart != 0 && t.open { // what follows is not of the unit under way
		d.finish(t)
	}
	t.lost = true
}

// jump deals with a continuity_counter that did not count on. It returns false
// for a packet that was sent twice (ISO/IEC 13818-1 §2.4.3.3; hls-rules C05).
func (d *Demuxer) jump(t *track, p []byte, flags byte) bool {
	switch {
	case t.cc == ccUnknown || flags&flagDiscontinuity != 0:
		return true
	case Continuity(p) == t.cc && repeats(p, t.lastPacket(d.block)):
		d.stats.Duplicates++
		return false
	}
	d.stats.Continuity++
	d.report(t.pid, "continuity_counter", mux.ErrInvalid)
	t.damaged = t.open
	if p[1]&flagUnitStart != 0 && t.open { // the end of the unit under way is what went missing
		d.finish(t)
	}
	t.lost = true
	return true
}

// orphan counts payload without a start, once a unit. Before the first unit it
// is just the middle of one.
func (d *Demuxer) orphan(t *track) {
	if t.orphaned || !t.begun {
		return
	}
	t.orphaned = true
	d.stats.BadPES++
	d.report(t.pid, "PES_packet_length", mux.ErrInvalid)
	if !t.lost && t.length != 0 { // it goes on after its end: from now on a unit ends where the next begins
		t.lengthLies = true
	}
	t.lost = true
}

// begin ends the unit under way and starts one with the given first payload.
func (d *Demuxer) begin(t *track, payload []byte) {
	if t.open {
		d.finish(t)
	}
	t.open, t.begun, t.orphaned, t.seq = true, true, false, d.position()
	t.length, t.payload = 0, 0
	if len(payload) >= 6 {
		if n := int(binary.BigEndian.Uint16(payload[4:])); n != 0 {
			t.length = 6 + n
		}
	}
}

// add puts a packet with n bytes of payload to the unit under way.
func (d *Demuxer) add(t *track, p []byte, flags byte, n int) {
	if t.size >= maxUnit || d.pending >= maxPending {
		d.stats.BadPES++
		d.report(t.pid, "PES_packet_length", mux.ErrTooLarge)
		d.forget(t)
		t.orphaned, t.lost = true, true
		return
	}
	if t.run.end == d.pos && t.run.end != 0 {
		t.run.end += mux.PacketSize
	} else {
		t.closeRun(d.block)
		t.run = run{d.pos, d.pos + mux.PacketSize}
	}
	t.size += mux.PacketSize
	d.pending += mux.PacketSize
	t.payload += n
	if flags&flagPCR != 0 && !t.hasPCR && p[4] >= 7 {
		t.hasPCR, t.pcr = true, pcrBase(p[6:])
	}
}

// closeRun turns the run, which lies in block, into a slice. Its capacity
// reaches to the end of the block: who lists the bytes of several units can
// tell by it that they are neighbours, and send them as one.
func (t *track) closeRun(block []byte) {
	if t.run.end != 0 {
		t.runs = append(t.runs, block[t.run.start:t.run.end])
		t.run = run{}
	}
}

// settle is called when the block is full. What a unit under way has little of
// in the block is copied, so that a PID with few packets does not keep whole
// blocks; so is the last packet.
func (t *track) settle(d *Demuxer) {
	const little = 16 // part of a block
	t.closeRun(d.block)
	size := 0
	for _, r := range t.runs[t.settled:] {
		size += len(r)
	}
	if size < len(d.block)/little {
		for i := t.settled; i < len(t.runs); i++ {
			t.runs[i] = d.memory.keep(t.runs[i])
		}
	}
	t.settled = len(t.runs)
	if t.last >= 0 {
		copy(t.copy[:], d.block[t.last:])
		t.last = lastCopied
	}
}

// lastPacket returns the last packet with payload, nil if there is none to compare with.
func (t *track) lastPacket(block []byte) []byte {
	switch t.last {
	case lastNone:
		return nil
	case lastCopied:
		return t.copy[:]
	}
	return block[t.last : t.last+mux.PacketSize]
}

// forget ends the unit under way on t.
func (d *Demuxer) forget(t *track) {
	d.pending -= t.size
	clear(t.runs)
	t.runs, t.run, t.settled = t.runs[:0], run{}, 0
	t.open, t.damaged, t.hasPCR, t.size = false, false, false, 0
}

// sectionUnit delivers a packet of a track that carries sections as it is.
func (d *Demuxer) sectionUnit(t *track, p []byte) {
	u := &d.units.take(1)[0]
	*u = mux.Unit{Program: d.program, Track: t.index, Seq: d.position(), Untimed: true, Size: len(p)}
	u.Packets = d.slices.take(1)
	u.Packets[0] = p
	d.deliver(u)
}

// deliver gives a unit to the caller.
func (d *Demuxer) deliver(u *mux.Unit) {
	d.stats.Units++
	d.stats.Frames += uint64(len(u.Frames))
	d.out = append(d.out, u)
}

// flushTracks ends what is under way on tracks, in the order of the input.
func (d *Demuxer) flushTracks(tracks []*track) {
	for {
		var first *track
		for _, t := range tracks {
			if t.open && (first == nil || t.seq < first.seq) {
				first = t
			}
		}
		if first == nil {
			return
		}
		d.finish(first)
	}
}
