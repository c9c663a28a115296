package codec

import (
	"bytes"

	"headwater/mux"
)

// Picture is what the head of one video access unit says. Its slices alias the
// bytes that were scanned. Offsets count from their start.
type Picture struct {
	// Access is whether a decoder can start here as far as the coded picture
	// tells; whether its parameter sets are there is not considered.
	Access mux.Access
	// HasParameters means that a parameter set of each kind that the codec has
	// stands before the picture: SPS and PPS, for HEVC also a VPS, for MPEG-2
	// a sequence header.
	HasParameters bool
	// HasAUD means that the access unit begins with an access unit delimiter;
	// AfterAUD is where it ends, which is where parameter sets may be put in.
	// It is 0 without one.
	HasAUD   bool
	AfterAUD int
	// SPS, PPS and VPS are the first NAL unit of each kind, without start
	// code; nil if absent. For MPEG-2, SPS is the sequence header with its
	// extensions, as [MPEG2Parameters] wants it.
	SPS, PPS, VPS []byte
	// ParameterSets runs from the start code of the first parameter set to the
	// end of the last, with whatever stands between; nil if there is none.
	ParameterSets []byte
	// Done means that the picture itself was reached: more bytes of the access
	// unit would change nothing. Without it, a parameter set that ends the
	// input may be cut short.
	Done bool
}

// ScanPicture reads the head of an access unit of H.264, HEVC or MPEG-2 video
// as a byte stream (ITU-T H.264 annex B, ITU-T H.265 annex B, ISO/IEC 13818-2
// §6.2). b holds the first bytes of it; the scan ends where the coded picture
// begins. Any other codec yields the zero Picture. It does not allocate.
//
// What is [mux.AccessRandom] and what [mux.AccessRecovery] (hls-rules C11):
//
//   - H.264: an IDR picture is random. A recovery point SEI makes recovery, and
//     so does a picture known to be all I slices: its first slice says so
//     (slice_type 7), or it has slice_type 2 behind a delimiter with
//     primary_pic_type 0. slice_type 2 alone speaks of one slice only.
//   - HEVC: IDR and BLA are random, CRA and a recovery point SEI recovery.
//   - MPEG-2: an I picture is random in a closed group, or if it is the first
//     of its group in output order; any other I picture is recovery.
func ScanPicture(c mux.Codec, b []byte) Picture {
	s := scanner{b: b, codec: c}
	switch c {
	case mux.CodecH264, mux.CodecHEVC, mux.CodecMPEG2Video:
		s.scan()
	}
	return s.p
}

// VideoParameters reads the parameter sets that [ScanPicture] found with the
// reader for c. The error wraps [mux.ErrTruncated] if there is none.
func VideoParameters(c mux.Codec, p Picture) (mux.Parameters, error) {
	switch c {
	case mux.CodecH264:
		return H264Parameters(p.SPS)
	case mux.CodecHEVC:
		return HEVCParameters(p.SPS)
	case mux.CodecMPEG2Video:
		return MPEG2Parameters(p.SPS)
	}
	return mux.Parameters{}, fault("codec", mux.ErrUnknownFormat)
}

// scanner walks over the NAL units, or in MPEG-2 over what start codes part.
type scanner struct {
	p     Picture
	b     []byte
	codec mux.Codec

	units    int  // passed so far
	setsFrom int  // start of p.ParameterSets
	recovery bool // a recovery point SEI was met
	allI     bool // the delimiter promises I slices only
	sequence bool // MPEG-2: what comes still belongs to the sequence header
	group    bool // MPEG-2: a group of pictures header was met
	closed   bool // MPEG-2: its closed_gop
}

// nextStartCode returns the index of the next 00 00 01 in b, or -1.
func nextStartCode(b []byte) int { return bytes.Index(b, []byte{0, 0, 1}) }

func (s *scanner) scan() {
	next := nextStartCode(s.b)
	for next >= 0 {
		from, head := next, next+3
		// The picture is tried first: its end is far off and of no interest.
		if head >= len(s.b) || s.picture(head) {
			break
		}
		end := len(s.b)
		if next = nextStartCode(s.b[head:]); next >= 0 {
			next += head
			end = next
		}
		if s.codec != mux.CodecMPEG2Video { // where a header may end with a zero
			for end > head && s.b[end-1] == 0 { // trailing_zero_8bits, zero_byte
				end--
			}
			if from > 0 && s.b[from-1] == 0 {
				from--
			}
		}
		s.unit(from, head, end)
		s.units++
	}
	p := &s.p
	p.HasParameters = p.SPS != nil && (s.codec == mux.CodecMPEG2Video ||
		p.PPS != nil && (s.codec == mux.CodecH264 || p.VPS != nil))
	if s.recovery && p.Access == mux.AccessNone {
		p.Access = mux.AccessRecovery
	}
}

// picture returns true if the coded picture begins at head, or if that cannot
// be known because b ends.
func (s *scanner) picture(head int) bool {
	switch s.codec {
	case mux.CodecH264:
		return s.pictureH264(head)
	case mux.CodecHEVC:
		return s.pictureHEVC(head)
	}
	return s.pictureMPEG2(head)
}

// unit takes note of what stands before the picture.
func (s *scanner) unit(from, head, end int) {
	switch s.codec {
	case mux.CodecH264:
		s.unitH264(from, head, end)
	case mux.CodecHEVC:
		s.unitHEVC(from, head, end)
	case mux.CodecMPEG2Video:
		s.unitMPEG2(from, head, end)
	}
}

// pictureH264: ITU-T H.264 table 7-1, §7.3.3.
func (s *scanner) pictureH264(head int) bool {
	switch s.b[head] & 0x1f {
	case 5: // IDR
		s.p.Access, s.p.Done = mux.AccessRandom, true
	case 1, 2: // a slice, or partition A of one
		const longest = 3 * 8 // bytes of two Exp-Golomb codes with all that may be between, rounded up
		r := bitReader{b: s.b[head+1 : min(head+1+longest, len(s.b))], nal: true}
		r.ue() // first_mb_in_slice
		slice := r.ue()
		if s.p.Done = !r.short; s.p.Done && (slice == 7 || slice == 2 && s.allI) {
			s.p.Access = mux.AccessRecovery
		}
	case 3, 4: // partitions B and C
		s.p.Done = true
	default:
		return false
	}
	return true
}

func (s *scanner) unitH264(from, head, end int) {
	nal := s.b[head:end:end]
	switch s.b[head] & 0x1f {
	case 6:
		s.recovery = s.recovery || recoveryPoint(nal[1:])
	case 7:
		s.parameterSet(&s.p.SPS, from, head, end)
	case 8:
		s.parameterSet(&s.p.PPS, from, head, end)
	case 13, 15: // extension of, and further kind of, sequence parameter set
		s.parameterSets(from, end)
	case 9:
		s.delimiter(end)
		s.allI = len(nal) > 1 && nal[1]>>5 == 0 // primary_pic_type
	}
}

// pictureHEVC: ITU-T H.265 table 7-1. Layers above the base are passed over.
func (s *scanner) pictureHEVC(head int) bool {
	if head+1 >= len(s.b) {
		return true
	}
	const lastVCL = 31
	kind := s.b[head] >> 1 & 0x3f
	if kind > lastVCL || hevcLayer(s.b[head:]) != 0 {
		return false
	}
	s.p.Done = true
	switch kind {
	case 16, 17, 18, 19, 20: // BLA and IDR
		s.p.Access = mux.AccessRandom
	case 21: // CRA
		s.p.Access = mux.AccessRecovery
	}
	return true
}

// hevcLayer returns nuh_layer_id of the two byte NAL unit header at the start of b.
func hevcLayer(b []byte) byte { return b[0]&1<<5 | b[1]>>3 }

func (s *scanner) unitHEVC(from, head, end int) {
	nal := s.b[head:end:end]
	if len(nal) < 2 || hevcLayer(nal) != 0 {
		return
	}
	switch nal[0] >> 1 & 0x3f {
	case 32:
		s.parameterSet(&s.p.VPS, from, head, end)
	case 33:
		s.parameterSet(&s.p.SPS, from, head, end)
	case 34:
		s.parameterSet(&s.p.PPS, from, head, end)
	case 35:
		s.delimiter(end)
	case 39: // prefix SEI
		s.recovery = s.recovery || recoveryPoint(nal[2:])
	}
}

// pictureMPEG2: ISO/IEC 13818-2 §6.2.3.
func (s *scanner) pictureMPEG2(head int) bool {
	switch code := s.b[head]; {
	case code > mpeg2LastSlice:
		return false
	case code != mpeg2Picture:
		s.p.Done = true
		return true
	}
	if head+2 >= len(s.b) {
		return true
	}
	s.p.Done = true
	const intra = 1
	temporal := int(s.b[head+1])<<2 | int(s.b[head+2])>>6 // temporal_reference
	if s.b[head+2]>>3&7 == intra {                        // picture_coding_type
		s.p.Access = mux.AccessRecovery
		if s.group && (s.closed || temporal == 0) {
			s.p.Access = mux.AccessRandom
		}
	}
	return true
}

func (s *scanner) unitMPEG2(from, head, end int) {
	switch s.b[head] {
	case mpeg2Sequence:
		s.sequence, s.p.SPS = true, nil
		s.parameterSet(&s.p.SPS, from, head, end)
	case mpeg2Extension:
		if s.sequence {
			s.p.SPS = s.b[s.setsFrom:end:end]
			s.p.SPS = s.p.SPS[nextStartCode(s.p.SPS)+3:]
			s.parameterSets(s.setsFrom, end)
		}
	case mpeg2UserData:
	case mpeg2Group:
		s.sequence, s.group = false, true
		s.closed = head+4 < end && s.b[head+4]&0x40 != 0
	default:
		s.sequence = false
	}
}

// parameterSet keeps the first NAL unit of a kind in set.
func (s *scanner) parameterSet(set *[]byte, from, head, end int) {
	if *set == nil {
		*set = s.b[head:end:end]
	}
	s.parameterSets(from, end)
}

// parameterSets lets the run of parameter sets reach to end.
func (s *scanner) parameterSets(from, end int) {
	if s.p.ParameterSets == nil {
		s.setsFrom = from
	}
	s.p.ParameterSets = s.b[s.setsFrom:end:end]
}

// delimiter notes an access unit delimiter that ends at end.
func (s *scanner) delimiter(end int) {
	if s.units == 0 {
		s.p.HasAUD, s.p.AfterAUD = true, end
	}
}

// recoveryPoint reports whether a supplemental enhancement information RBSP
// holds a recovery point message (ITU-T H.264 §D.1.8, ITU-T H.265 §D.2.8).
func recoveryPoint(rbsp []byte) bool {
	const payloadType = 6
	r := bitReader{b: rbsp, nal: true}
	for {
		kind, size := seiNumber(&r), seiNumber(&r)
		if r.short {
			return false
		}
		if kind == payloadType {
			return true
		}
		r.skip(8 * size)
	}
}

// seiNumber reads a payloadType or payloadSize (ITU-T H.264 §7.3.2.3.1).
func seiNumber(r *bitReader) int {
	n := 0
	for {
		c := int(r.read(8))
		n += c
		if c != 0xff {
			return n
		}
	}
}
