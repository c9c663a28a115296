package muxtest

import (
	"headwater/mux"
	"headwater/mux/ts"
)

// pcrLead is how much earlier than the DTS the PCR is.
const pcrLead = mux.ClockRate / 10

// writer turns samples into packets and units.
type writer struct {
	*timeline
	program *mux.Program
	pmt     []byte
	cc      [4]uint8 // of PAT, PMT, video, audio
	packets int64    // written, for Lose
	raw     int64    // frames of raw audio
	seq     uint64

	started bool
	psi     mux.Ticks // Time of the last PAT
	pcrs    bool
	pcr     mux.Ticks // Time of the last PCR
}

func newWriter(s Stream) *writer {
	p := NewProgram(s)
	return &writer{timeline: newTimeline(s), program: p, pmt: p.PMT}
}

// NewProgram returns the program of a stream, with known parameters. Its
// tracks are the video, then the audio.
func NewProgram(s Stream) *mux.Program {
	s = s.withDefaults()
	p := &mux.Program{Number: 1, PMTPID: PMTPID, PCRPID: VideoPID}
	if s.Video != 0 {
		p.Tracks = append(p.Tracks, mux.Track{
			PID: VideoPID, StreamType: 0x1b, Codec: s.Video, Parameters: videoParameters(&s)})
	}
	if s.Audio != 0 {
		t := mux.Track{PID: VideoPID, StreamType: 0x0f, Codec: s.Audio,
			Language: s.Language, Parameters: audioParameters(&s)}
		if s.Video != 0 {
			t.PID = AudioPID
		}
		if s.Audio == mux.CodecMP3 {
			t.StreamType = 0x03
			if s.SampleRate < 32000 {
				t.StreamType = 0x04
			}
		}
		p.Tracks = append(p.Tracks, t)
	}
	if s.Raw {
		p.Timing = mux.TimingSamples
		return p
	}
	all := []int{0, 1}
	p.PMT = ts.BuildPMT(p, all[:len(p.Tracks)], p.PCRPID)
	return p
}

// bytes returns the bytes of x and of the tables that are due before it.
func (w *writer) bytes(x *Sample) []byte {
	if w.s.Raw {
		return frame(&w.s, x.Number)
	}
	var b []byte
	if !w.started || w.s.PSIEvery > 0 && (x.Kind.Keyframe() || x.Time-w.psi >= w.s.PSIEvery) {
		w.started, w.psi = true, x.Time
		b = ts.AppendPAT(b, 1, PMTPID, w.cc[0])
		b = ts.AppendSection(b, PMTPID, w.cc[1], w.pmt)
		w.cc[0]++
		w.cc[1] += uint8(len(b)/mux.PacketSize - 1)
	}
	b, w.cc[2+x.Track] = AppendPES(b, w.describe(x), w.cc[2+x.Track])
	if w.s.Lose == nil {
		return b
	}
	kept := b[:0]
	for ; len(b) > 0; b = b[mux.PacketSize:] {
		if !w.s.Lose(w.packets) {
			kept = append(kept, b[:mux.PacketSize]...)
		}
		w.packets++
	}
	return kept
}

// payload returns the elementary stream bytes of x.
func (w *writer) payload(x *Sample) []byte {
	if x.Kind != KindAudio {
		return picture(&w.s, x)
	}
	var b []byte
	for i := range x.Frames {
		b = append(b, frame(&w.s, x.Number+int64(i))...)
	}
	return b
}

// describe returns the PES packet of x.
func (w *writer) describe(x *Sample) PES {
	p := PES{PID: w.program.Tracks[x.Track].PID, StreamID: 0xe0, PTS: x.PTS, DTS: x.DTS,
		RandomAccess: x.Kind.Keyframe(), Unbounded: !w.s.VideoLength, Payload: w.payload(x)}
	if x.Kind == KindAudio {
		p.StreamID, p.Unbounded = 0xc0, false
	}
	if x.Track == 0 && w.s.PCREvery >= 0 && (!w.pcrs || x.Time-w.pcr >= w.s.PCREvery) {
		p.HasPCR, p.PCR = true, x.DTS-pcrLead
		w.pcrs, w.pcr = true, x.Time
	}
	return p
}

// unit returns the unit of x.
func (w *writer) unit(x *Sample) *mux.Unit {
	u := &mux.Unit{Program: w.program, Track: x.Track, Seq: w.seq, PTS: x.PTS, DTS: x.DTS}
	w.seq++
	switch x.Kind {
	case KindAudio, KindIDR:
		u.Access = mux.AccessRandom
	case KindRecovery:
		u.Access = mux.AccessRecovery
	}
	if w.s.Raw { // the sample count is the clock: it starts at 0, and does not see what was not sent
		u.PTS = w.audioTime(w.raw)
		u.DTS = u.PTS
		w.raw++
	}
	for i := range int64(x.Frames) {
		u.Frames = append(u.Frames, mux.Frame{PTS: u.PTS + w.audioTime(i), Data: frame(&w.s, x.Number+i),
			Samples: samplesPerFrame(w.s.Audio, w.s.SampleRate), Rate: w.s.SampleRate})
	}
	if w.s.Raw {
		return u
	}
	p := w.describe(x)
	u.HasPCR, u.PCR = p.HasPCR, p.PCR
	packets, cc := AppendPES(nil, p, w.cc[2+x.Track])
	w.cc[2+x.Track] = cc
	u.Packets, u.Size = [][]byte{packets}, len(packets)
	return u
}
