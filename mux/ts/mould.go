package ts

import (
	"fmt"

	mpeg2 "github.com/yapingcat/gomedia/go-mpeg2"

	"headwater/mux"
)

// mould is a PES packet of audio without its bytes: what stands before them in
// each of its packets. That depends on nothing but their number.
type mould struct {
	heads   []byte  // one after the other; the first ends with that of the PES packet
	lengths []uint8 // of each
}

// mouldsKept is how many a moulder keeps. Radio of a constant bit rate needs
// two to four.
const mouldsKept = 8

// moulder has gomedia's muxer make moulds of one track. It counts milliseconds
// and chooses PIDs of its own, so these are for the caller to set.
type moulder struct {
	track mux.Track
	kept  map[int]mould // by number of bytes

	muxer  *mpeg2.TSMuxer
	source uint16 // gomedia's PID of the track
	blank  []byte // is given to gomedia in place of frames
	making mould
}

func newMoulder(track mux.Track) *moulder {
	m := &moulder{track: track, kept: map[int]mould{}}
	m.open()
	return m
}

// open begins anew with gomedia.
func (m *moulder) open() {
	m.muxer = mpeg2.NewTSMuxer()
	m.source = m.muxer.AddStream(mpeg2.TS_STREAM_TYPE(m.track.StreamType))
	m.muxer.OnPacket = m.packet
}

// mould returns that of a PES packet of size bytes. It is not to be changed.
func (m *moulder) mould(size int) (mould, error) {
	if made, ok := m.kept[size]; ok {
		return made, nil
	}
	if len(m.blank) < size {
		m.blank = make([]byte, size)
	}
	m.making = mould{}
	if err := m.write(m.blank[:size]); err != nil {
		return mould{}, err
	}
	made := m.making
	if room := len(made.lengths)*mux.PacketSize - len(made.heads); room != size {
		return mould{}, fmt.Errorf("gomedia: packets for %d bytes have room for %d", size, room)
	}
	if len(m.kept) < mouldsKept {
		m.kept[size] = made
	}
	return made, nil
}

// write hands a payload to gomedia. Should that panic, it costs these frames.
func (m *moulder) write(payload []byte) (err error) {
	defer func() {
		if r := recover(); r != nil {
			m.open()
			err = fmt.Errorf("gomedia: %v", r)
		}
	}()
	// A time that stands still keeps gomedia from repeating its tables.
	return m.muxer.Write(m.source, payload, 1, 1)
}

// packet takes the head of a packet from gomedia, whose memory is its own.
// gomedia's tables are dropped.
func (m *moulder) packet(p []byte) {
	if len(p) != mux.PacketSize || p[0] != syncByte || uint16(pid13(p[1:])) != m.source {
		return
	}
	head := payloadOffset(p)
	if p[1]&flagUnitStart != 0 {
		const fixed = 9 // of a PES packet, before PES_header_data_length
		head += fixed + int(p[head+fixed-1])
	}
	m.making.heads = append(m.making.heads, p[:head]...)
	m.making.lengths = append(m.making.lengths, uint8(head))
}
