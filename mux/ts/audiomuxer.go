package ts

import (
	"fmt"

	"headwater/mux"
	"headwater/mux/codec"
)

// audioLead is how much the PCR is behind the PTS of raw audio.
const audioLead = mux.ClockRate / 10

// maxAudioPES bounds the frames of one PES packet, whose PES_packet_length has 16 bits.
const maxAudioPES = 0xffff - 13

// AudioMuxer puts raw audio frames into transport stream packets. gomedia's
// muxer frames a PES packet of each length once; what it counts in
// milliseconds, PTS and PCR, is replaced by what is exact. It is not safe for
// concurrent use.
type AudioMuxer struct {
	track   mux.Track
	cc      uint8
	moulder *moulder
	memory  slab[byte]
}

// NewAudioMuxer returns a muxer for a track of raw audio. The track's
// StreamType is 0x0f for CodecAAC, 0x03 or 0x04 for CodecMP3; its PID is that
// of all packets. Keep one muxer for the life of a stream: its
// continuity_counter runs on. The error says which of these is not so.
func NewAudioMuxer(track mux.Track) (*AudioMuxer, error) {
	m := &AudioMuxer{track: track, moulder: newMoulder(track), memory: slab[byte]{most: 64 << 10}}
	switch {
	case !tablePID(track.PID):
		return nil, fmt.Errorf("mux audio to PID 0x%04x: %w", track.PID, mux.ErrInvalid)
	case track.Codec == mux.CodecAAC && track.StreamType == typeADTS:
	case track.Codec == mux.CodecMP3 && (track.StreamType == typeMPEG1Audio || track.StreamType == typeMPEG2Audio):
	default:
		return nil, fmt.Errorf("mux %v as stream type 0x%02x: %w", track.Codec, track.StreamType, mux.ErrInvalid)
	}
	return m, nil
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
	size := 0
	for i := range frames {
		if err := m.check(frames[i].Data); err != nil {
			return nil, fmt.Errorf("mux %v frame at %v: %w", m.track.Codec, frames[i].PTS.Duration(), err)
		}
		size += len(frames[i].Data)
	}
	if size > maxAudioPES {
		return nil, fmt.Errorf("mux %d %v frames of %d bytes into one PES packet: %w", len(frames), m.track.Codec, size, mux.ErrTooLarge)
	}
	made, err := m.moulder.mould(size)
	if err != nil {
		return nil, fmt.Errorf("mux %v frame at %v: %w", m.track.Codec, frames[0].PTS.Duration(), err)
	}
	out := m.memory.open(len(made.lengths) * mux.PacketSize)
	m.fill(out, made, frames)
	return [][]byte{out}, nil
}

// fill makes the packets of a PES packet that holds frames.
func (m *AudioMuxer) fill(out []byte, made mould, frames []mux.Frame) {
	heads, n, rest := made.heads, 0, frames[0].Data
	for i, length := range made.lengths {
		p := out[i*mux.PacketSize:][:mux.PacketSize]
		at := copy(p, heads[:length])
		heads = heads[length:]
		m.stamp(p, frames[0].PTS)
		for at < len(p) {
			k := copy(p[at:], rest)
			if rest = rest[k:]; len(rest) == 0 && at+k < len(p) {
				n++
				rest = frames[n].Data
			}
			at += k
		}
	}
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

// stamp makes the PID, continuity_counter and times of a packet right.
func (m *AudioMuxer) stamp(p []byte, pts mux.Ticks) {
	p[1] = p[1]&0xe0 | byte(m.track.PID>>8)
	p[2] = byte(m.track.PID)
	p[3] = p[3]&0xf0 | m.cc&15
	m.cc++
	if adaptationFlags(p)&flagPCR != 0 {
		p[5] |= flagRandomAccess
		putPCR(p[6:], pts-audioLead)
	}
	if p[1]&flagUnitStart == 0 {
		return
	}
	const alignment, prefixBoth, prefixDTS = 0x04, 3, 1
	pes := p[payloadOffset(p):]
	pes[6] |= alignment
	putTimestamp(pes[9:], prefixBoth, pts)
	putTimestamp(pes[14:], prefixDTS, pts)
}
