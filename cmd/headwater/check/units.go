package check

import (
	"slices"

	"headwater/mux"
	"headwater/mux/codec"
)

// examineTracks holds the PMT to what players can use (hls-rules C18, C19).
func examineTracks(s *segment, p *mux.Program) {
	audio := 0
	for _, t := range p.Tracks {
		if t.Codec.Audio() {
			audio++
		}
		if want := streamTypes(t.Codec); len(want) > 0 && !slices.Contains(want, t.StreamType) {
			s.find("C19", "%v on PID 0x%04x has stream_type 0x%02x in the PMT, which players do not take for it", t.Codec, t.PID, t.StreamType)
		}
	}
	if audio > 1 {
		s.find("C18", "it has %d audio tracks; players take one of a segment", audio)
	}
}

// streamTypes returns the stream_types by which players know a codec.
func streamTypes(c mux.Codec) []uint8 {
	switch c {
	case mux.CodecH264:
		return []uint8{0x1b}
	case mux.CodecAAC:
		return []uint8{0x0f}
	case mux.CodecMP3:
		return []uint8{0x03, 0x04}
	case mux.CodecAC3:
		return []uint8{0x81}
	case mux.CodecEAC3:
		return []uint8{0x87}
	case mux.CodecID3:
		return []uint8{0x15}
	}
	return nil
}

// examineUnits looks at the PES packets: where they start, when they are due,
// and whether a player can start here. marked tells that the first one of the
// reference track has random_access_indicator, which the demuxer adds.
func examineUnits(s *segment, p *mux.Program, reference int, units []*mux.Unit, marked bool) {
	var times []mux.Ticks
	pcrLate := false
	for _, u := range units {
		if u.Untimed {
			continue
		}
		if u.HasPCR && u.PCR > u.DTS && !pcrLate {
			pcrLate = true
			s.find("C07", "a PCR is %d ms later than the decoding time of the PES packet that it stands in", (u.PCR-u.DTS)*1000/mux.ClockRate)
		}
		if u.Track != reference {
			continue
		}
		if len(times) == 0 && u.Program.Tracks[u.Track].Codec.Video() {
			examineStart(s, u, marked)
		}
		times = append(times, u.PTS)
		for _, f := range u.Frames[min(1, len(u.Frames)):] {
			times = append(times, f.PTS)
		}
	}
	if len(times) == 0 {
		s.find("C01", "it has no PES packet of %v", p.Tracks[reference].Codec)
		return
	}
	s.start, s.timed = times[0], true
	slices.Sort(times)
	s.last = times[len(times)-1]
	s.frame = medianStep(times)
	for i, t := range p.Tracks {
		if t.Codec.Framed() {
			examineFrames(s, t, units, i)
		}
	}
}

// examineStart holds the first picture to hls-rules C09 and C10.
func examineStart(s *segment, u *mux.Unit, marked bool) {
	c := u.Program.Tracks[u.Track].Codec
	picture := codec.ScanPicture(c, elementary(u))
	switch {
	case picture.Access == mux.AccessNone:
		s.find("C09", "its first picture is not a keyframe")
		return
	case c == mux.CodecMPEG2Video: // starts at an I picture behind a sequence header, with an open GOP or not (ISO/IEC 13818-2 §6.1.1.6)
	case picture.Access == mux.AccessRecovery:
		s.find("C09", "its first picture is not an IDR: pictures that are shown before it may be missing")
	case !marked:
		s.find("C09", "its first picture is an IDR, but random_access_indicator is not set")
	}
	if !picture.HasParameters {
		s.find("C10", "%s before its first picture", missing(c))
	}
}

// missing says which parameter sets of a codec are not there.
func missing(c mux.Codec) string {
	switch c {
	case mux.CodecMPEG2Video:
		return "there is no sequence header"
	case mux.CodecHEVC:
		return "VPS, SPS and PPS do not stand"
	}
	return "SPS and PPS do not stand"
}

// examineFrames checks that the audio of a segment is whole frames (hls-rules C13).
func examineFrames(s *segment, t mux.Track, units []*mux.Unit, track int) {
	var all []byte
	for _, u := range units {
		if u.Track == track && !u.Untimed {
			all = append(all, elementary(u)...)
		}
	}
	w := walk(all, t.Codec)
	switch {
	case w.junk > 0 && w.frames == 0:
		s.find("C13", "its audio does not start with a frame")
	case w.junk > 0:
		s.find("C13", "its %v is not whole frames: %d bytes belong to none", t.Codec, w.junk)
	}
}

// elementary returns the payload of the PES packet in u, nil if it is none.
func elementary(u *mux.Unit) []byte {
	b := pes(u)
	if len(b) < 9 || len(b) < 9+int(b[8]) {
		return nil
	}
	return b[9+int(b[8]):]
}

// pes returns the PES packet in u as far as its length says.
func pes(u *mux.Unit) []byte {
	b := make([]byte, 0, u.Size)
	for _, run := range u.Packets {
		for p := run; len(p) >= mux.PacketSize; p = p[mux.PacketSize:] {
			at := 4
			if p[3]&0x20 != 0 {
				at += 1 + int(p[4])
			}
			if p[3]&0x10 != 0 && at < mux.PacketSize {
				b = append(b, p[at:mux.PacketSize]...)
			}
		}
	}
	if len(b) < 6 {
		return b
	}
	if size := int(b[4])<<8 | int(b[5]); size > 0 && 6+size < len(b) {
		b = b[:6+size]
	}
	return b
}

// medianStep returns the usual distance of sorted times, 0 if there is one only.
func medianStep(times []mux.Ticks) mux.Ticks {
	if len(times) < 2 {
		return 0
	}
	steps := make([]mux.Ticks, 0, len(times)-1)
	for i, t := range times[1:] {
		steps = append(steps, t-times[i])
	}
	slices.Sort(steps)
	return steps[len(steps)/2]
}
