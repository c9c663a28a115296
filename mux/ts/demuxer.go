// Package ts reads and writes MPEG transport streams (ISO/IEC 13818-1).
//
// [Demuxer] finds packets, follows the tables of one program and groups the
// packets into PES units without copying them: a unit is slices of the blocks
// that the input was read into. What it changes on the way is little: it puts
// parameter sets before keyframes that lack them, and sets a
// random_access_indicator that is missing. The other half of the package
// writes what an output needs of its own: tables, clock references, and
// packets for raw audio ([AudioMuxer]).
package ts

import (
	"headwater/mux"
)

// Sizes of the blocks that input is read into. The first is small, so that a
// connection that says nothing costs little; the packets of a block go up to
// the size classes of the allocator.
const (
	firstBlock = 21 * mux.PacketSize  // 4 KiB
	lastBlock  = 697 * mux.PacketSize // 128 KiB
	leastRead  = mux.PacketSize       // room that Buffer returns at least
	// lotBlocks is how many blocks the units of a lot lie in at most: all of
	// them live as long as one of the units does.
	lotBlocks = 16
)

// Bounds on the packets of one PES packet, and of all that are under way, in bytes.
const (
	maxUnit    = 16 << 20
	maxPending = 4 * maxUnit
)

// Options says how to read a stream.
type Options struct {
	// Program is the program_number to read. 0 means the first program in the
	// PAT with video, else the first with audio.
	Program uint16
}

// Demuxer makes units of a transport stream. Read into [Demuxer.Buffer], call
// [Demuxer.Advance], at the end [Demuxer.Flush]. How the input is cut into
// reads makes no difference to the units. No input makes it fail: what is
// broken is dropped and counted. Titles in timed ID3 are also put on the units
// of the first audio track that they begin with. It is not safe for concurrent use.
type Demuxer struct {
	options Options

	block  []byte // never changed below filled
	filled int
	pos    int    // the next packet; beyond filled if bytes between packets are still to come
	blocks uint   // so far
	offset uint64 // of block[0] in the input
	stride int    // from packet to packet; 0 without sync

	kinds    *[8192]uint8 // what each PID is for; made with the first packet
	tables   []table
	services services
	tracks   []*track // as in program.Tracks
	program  *mux.Program

	pending int // bytes of the units under way
	titles  titles
	clocked bool
	newest  mux.Ticks // DTS of the timed unit delivered last

	units   slab[mux.Unit]
	slices  slab[[]byte]
	frames  slab[mux.Frame]
	memory  slab[byte]
	scratch []byte      // payload gathered across packets
	split   []mux.Frame // frames of one unit

	out   []*mux.Unit
	stats mux.Stats
	fault mux.ParseError
}

// NewDemuxer returns a demuxer. It takes no memory to speak of until bytes arrive.
func NewDemuxer(o Options) *Demuxer {
	return &Demuxer{
		options: o,
		units:   slab[mux.Unit]{most: 256},
		slices:  slab[[]byte]{most: 2048},
		frames:  slab[mux.Frame]{most: 512},
		memory:  slab[byte]{most: 64 << 10},
	}
}

// Buffer returns where to read the next bytes into: the free rest of the
// current block, at least 188 bytes. It is valid until the next call of
// Advance. Bytes given to Advance must not be changed ever after.
func (d *Demuxer) Buffer() []byte {
	if len(d.block)-d.filled < leastRead {
		d.roll()
	}
	return d.block[d.filled:]
}

// roll begins a new block with the bytes that were not used up.
func (d *Demuxer) roll() {
	for _, t := range d.tracks {
		t.settle(d)
	}
	used := min(d.pos, d.filled)
	rest := d.block[used:d.filled]
	size := min(max(firstBlock, 2*len(d.block)), lastBlock)
	d.block = make([]byte, size)
	if d.blocks++; d.blocks%lotBlocks == 0 {
		d.units.part()
		d.slices.part()
	}
	d.filled = copy(d.block, rest)
	d.pos -= used
	d.offset += uint64(used)
}

// Advance takes n bytes that were read into Buffer, and returns the units that
// they complete. The slice is valid until the next call; the units are
// immutable and may be kept.
func (d *Demuxer) Advance(n int) []*mux.Unit {
	n = max(0, min(n, len(d.block)-d.filled))
	d.filled += n
	d.stats.Bytes += uint64(n)
	clear(d.out)
	d.out = d.out[:0]
	d.scan(false)
	return d.out
}

// Flush returns what the end of the input completes. The demuxer is of no use afterwards.
func (d *Demuxer) Flush() []*mux.Unit {
	clear(d.out)
	d.out = d.out[:0]
	d.scan(true)
	d.flushTracks(d.tracks)
	d.stats.Skipped += uint64(max(0, d.filled-d.pos))
	return d.out
}

// Stats returns what was met so far.
func (d *Demuxer) Stats() mux.Stats {
	s := d.stats
	if d.fault.Err != nil {
		fault := d.fault
		s.LastError = &fault
	}
	return s
}

// Program returns the program that newly delivered units belong to, nil until
// its PMT was seen.
func (d *Demuxer) Program() *mux.Program { return d.program }

// Stride returns the distance of packets: 188, 192 or 204 bytes; 0 without sync.
func (d *Demuxer) Stride() int { return d.stride }

// scan consumes all whole packets. final tells that nothing will follow.
func (d *Demuxer) scan(final bool) {
	for d.stride != 0 || d.sync(final) {
		if !d.packets() {
			return
		}
		d.stats.SyncLosses++
		d.report(mux.NullPID, "sync_byte", mux.ErrSyncLost)
		d.stride = 0
	}
}

// sync looks for packets from pos on, and passes over what is none.
func (d *Demuxer) sync(final bool) bool {
	if d.pos >= d.filled {
		return false
	}
	at, stride := findSync(d.block[d.pos:d.filled], final)
	d.stats.Skipped += uint64(at)
	d.pos += at
	d.stride = stride
	if stride == 0 {
		return false
	}
	if d.kinds == nil {
		d.kinds = new([8192]uint8)
		d.route()
	}
	return true
}

// packets consumes packets up to the end of the input, or until one lacks its
// sync byte: it returns true then.
func (d *Demuxer) packets() (lost bool) {
	b := d.block[:d.filled]
	for d.pos+mux.PacketSize <= len(b) {
		p := b[d.pos : d.pos+mux.PacketSize : d.pos+mux.PacketSize]
		if p[0] != syncByte {
			return true
		}
		d.stats.Packets++
		pid := mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2])
		switch kind := d.kinds[pid]; kind {
		case kindNone:
			d.unreferenced(p)
		case kindNull:
			d.stats.Null++
		case kindTable:
			d.tablePacket(pid, p)
		default:
			d.trackPacket(d.tracks[kind-kindTrack], p)
		}
		d.pos += d.stride
	}
	return false
}

// position returns the place of the current packet in the input.
func (d *Demuxer) position() uint64 { return d.offset + uint64(d.pos) }

// report notes the newest fault.
func (d *Demuxer) report(pid mux.PID, field string, err error) {
	d.fault = mux.ParseError{Offset: int64(d.position()), PID: pid, Field: field, Err: err}
}
