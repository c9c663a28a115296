package ts

import (
	"fmt"

	mpeg2 "github.com/yapingcat/gomedia/go-mpeg2"

	"headwater/mux"
	"headwater/mux/codec"
)

// audioLead is how much the PCR is behind the PTS of raw audio.
const audioLead = mux.ClockRate / 10

// maxAudioPES bounds the frames of one PES packet, whose PES_packet_length has 16 bits.
const maxAudioPES = 0xffff - 13

// AudioMuxer puts raw audio frames into transport stream packets. gomedia's
// muxer does the framing; it counts milliseconds, so its PTS and PCR are
// replaced by exact ones. It is not safe for concurrent use.
type AudioMuxer struct {
	track  mux.Track
	muxer  *mpeg2.TSMuxer
	source uint16 // gomedia's PID of the track

	cc      uint8
	pts     mux.Ticks // of the PES packet being written
	payload []byte    // its frames
	packets []byte    // its packets
	memory  slab[byte]
}

// NewAudioMuxer returns a muxer for a track of raw audio. The track's
// StreamType is 0x0f for CodecAAC, 0x03 or 0x04 for CodecMP3; its PID is that
// of all packets. Keep one muxer for the life of a stream: its
// continuity_counter runs on. The error says which of these is not so.
func NewAudioMuxer(track mux.Track) (*AudioMuxer, error) {
	m := &AudioMuxer{track: track, memory: slab[byte]{most: 64 << 10}}
	switch {
	case !tablePID(track.PID):
		return nil, fmt.Errorf("mux audio to PID 0x%04x: %w", track.PID, mux.ErrInvalid)
	case track.Codec == mux.CodecAAC && track.StreamType == typeADTS:
	case track.Codec == mux.CodecMP3 && (track.StreamType == typeMPEG1Audio || track.StreamType == typeMPEG2Audio):
	default:
		return nil, fmt.Errorf("mux %v as stream type 0x%02x: %w", track.Codec, track.StreamType, mux.ErrInvalid)
	}
	m.open()
	return m, nil
}

// open begins anew with gomedia.
func (m *AudioMuxer) open() {
	m.muxer = mpeg2.NewTSMuxer()
	m.source = m.muxer.AddStream(mpeg2.TS_STREAM_TYPE(m.track.StreamType))
	m.muxer.OnPacket = m.packet
}

// Write returns the packets of one PES packet that holds frames, which follow
// each other: one to eight are usual. Its PTS is that of the first frame. The
// first packet carries a PCR, 100 ms before the PTS, and the indicators of
// random access and data alignment. The bytes of the frames are as given. The
// packets are immutable, in slices of a multiple of 188 bytes.
//
// The error wraps mux.ErrInvalid or mux.ErrTooLarge if a frame is not what its
// header says or they are too many; nothing was written then.
func (m *AudioMuxer) Write(frames []mux.Frame) (packets [][]byte, err error) {
	if len(frames) == 0 {
		return nil, nil
	}
	m.payload = m.payload[:0]
	for i := range frames {
		if err := m.check(frames[i].Data); err != nil {
			return nil, fmt.Errorf("mux %v frame at %v: %w", m.track.Codec, frames[i].PTS.Duration(), err)
		}
		m.payload = append(m.payload, frames[i].Data...)
	}
	if len(m.payload) > maxAudioPES {
		return nil, fmt.Errorf("mux %d %v frames of %d bytes into one PES packet: %w", len(frames), m.track.Codec, len(m.payload), mux.ErrTooLarge)
	}
	cc := m.cc
	m.pts, m.packets = frames[0].PTS, m.packets[:0]
	if err := m.write(); err != nil {
		m.cc = cc
		return nil, fmt.Errorf("mux %v frame at %v: %w", m.track.Codec, m.pts.Duration(), err)
	}
	packets = [][]byte{m.memory.open(len(m.packets))}
	copy(packets[0], m.packets)
	return packets, nil
}

// check tells whether frame is one whole frame of the track's codec.
func (m *AudioMuxer) check(frame []byte) error {
	size := 0
	if m.track.Codec == mux.CodecAAC {
		h, err := codec.ParseADTS(frame)
		if err != nil {
			return err
		}
		size = h.Size
	} else {
		h, err := codec.ParseMPEGAudio(frame)
		if err != nil {
			return err
		}
		size = h.Size
	}
	if size != len(frame) {
		return fmt.Errorf("header says %d bytes, there are %d: %w", size, len(frame), mux.ErrInvalid)
	}
	return nil
}

// write hands payload to gomedia. Should that panic, it costs these frames.
func (m *AudioMuxer) write() (err error) {
	defer func() {
		if r := recover(); r != nil {
			m.open()
			err = fmt.Errorf("gomedia: %v", r)
		}
	}()
	// A time that stands still keeps gomedia from repeating its tables.
	return m.muxer.Write(m.source, m.payload, 1, 1)
}

// packet takes a packet from gomedia, whose memory is its own, and makes its
// PID, continuity_counter and times right. gomedia's tables are dropped.
func (m *AudioMuxer) packet(p []byte) {
	if len(p) != mux.PacketSize || p[0] != syncByte || uint16(pid13(p[1:])) != m.source {
		return
	}
	m.packets = append(m.packets, p...)
	p = m.packets[len(m.packets)-mux.PacketSize:]
	p[1] = p[1]&0xe0 | byte(m.track.PID>>8)
	p[2] = byte(m.track.PID)
	p[3] = p[3]&0xf0 | m.cc&15
	m.cc++
	if adaptationFlags(p)&flagPCR != 0 {
		p[5] |= flagRandomAccess
		putPCR(p[6:], m.pts-audioLead)
	}
	if p[1]&0x40 == 0 {
		return
	}
	const alignment, prefixBoth, prefixDTS = 0x04, 3, 1
	pes := p[payloadOffset(p):]
	pes[6] |= alignment
	putTimestamp(pes[9:], prefixBoth, m.pts)
	putTimestamp(pes[14:], prefixDTS, m.pts)
}
