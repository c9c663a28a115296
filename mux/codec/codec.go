// Package codec reads the headers of coded video and audio: what a decoder
// must know before the first picture or sample, and whether it can start at
// an access unit. It decodes no picture and no sound.
//
//   - [ScanPicture] looks at the head of a video access unit (ITU-T H.264,
//     ITU-T H.265, ISO/IEC 13818-2); [VideoParameters] reads its parameter sets.
//   - [ParseMPEGAudio] reads an MPEG audio frame header (ISO/IEC 11172-3 §2.4.2.3).
//   - [ParseADTS] reads an ADTS header (ISO/IEC 13818-7 §6.2), and [AACProbe]
//     the raw data behind it, which alone says whether it is HE-AAC
//     (ISO/IEC 14496-3 §4.4).
//
// The functions that are called for each access unit or frame allocate
// nothing. All of them take any bytes: what breaks a rule of the specification
// is an error that wraps [mux.ErrInvalid] or [mux.ErrTruncated], never a panic.
package codec

import "headwater/mux"

// fault says which syntax element broke a rule.
func fault(field string, err error) error {
	return &mux.ParseError{Offset: -1, PID: mux.NullPID, Field: field, Err: err}
}

// frameRate returns num/den frames a second in lowest terms, or 0/0 for what
// no display shows: encoders that write the time base of a file there instead
// of a rate are common.
func frameRate(num, den uint64) (int64, int64) {
	const highest = 480
	if num == 0 || den == 0 || num > highest*den || num*10 < den {
		return 0, 0
	}
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	return int64(num / a), int64(den / a)
}
