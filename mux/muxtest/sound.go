package muxtest

import (
	"encoding/binary"
	"slices"

	"headwater/mux"
	"headwater/mux/codec"
)

var adtsRates = [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000}

// samplesPerFrame returns the samples in a frame of c at rate.
func samplesPerFrame(c mux.Codec, rate int) int {
	switch {
	case c == mux.CodecAAC:
		return 1024
	case rate < 32000:
		return 576
	}
	return 1152
}

// frame returns audio frame n: silence, with n in its ancillary data.
func frame(s *Stream, n int64) []byte {
	if s.Audio == mux.CodecMP3 {
		return mp3Frame(s, n)
	}
	return adtsFrame(s, n)
}

// adtsFrame returns an AAC-LC frame that holds its number in a data stream
// element (ISO/IEC 14496-3 §4.4.2.1, §1.A.2).
func adtsFrame(s *Stream, n int64) []byte {
	size := max(int(int64(s.BitRate)*1024/int64(s.SampleRate)/8), 40)
	w := &bits{b: make([]byte, 0, size)}
	index := max(slices.Index(adtsRates[:], s.SampleRate), 0)
	w.u(12, 0xfff)
	w.u(4, 1) // MPEG-4, no CRC
	w.u(2, 1) // LC
	w.u(4, uint64(index))
	w.u(1, 0)
	w.u(3, uint64(s.Channels))
	w.u(4, 0)
	w.u(13, uint64(size))
	w.u(11, 0x7ff)
	w.u(2, 0)
	if s.Channels == 1 {
		w.u(7, 0) // single_channel_element
		silence(w)
	} else {
		w.u(3, 1) // channel_pair_element
		w.u(5, 0) // common_window 0
		silence(w)
		silence(w)
	}
	stamp := binary.BigEndian.AppendUint64(nil, uint64(n))
	for {
		count := size - (w.n+16+7)/8 - 1 // bytes of an element that fills the frame
		if count < 0 {
			break
		}
		if count > 254 {
			count = min(254, count-3) // room for one more
		}
		w.u(3, 4) // data_stream_element
		w.u(4, 0)
		w.u(1, 1) // data_byte_align_flag
		w.u(8, uint64(count))
		w.align()
		k := min(len(stamp), count)
		w.b = append(append(w.b, stamp[:k]...), make([]byte, count-k)...)
		w.align()
		stamp = nil
	}
	w.u(3, 7) // END
	w.align()
	return w.b
}

// silence writes an individual_channel_stream without spectral data.
func silence(w *bits) {
	w.u(8, 100) // global_gain
	w.u(11, 0)  // ics_info: long window, max_sfb 0
	w.u(3, 0)   // no pulse, TNS, gain control
}

var (
	mp3Rates    = [...]int{44100, 48000, 32000}
	mp3BitRates = [2][15]int{ // layer III of MPEG-1 and of MPEG-2, kbit/s
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
)

// mp3Frame returns a layer III frame with empty granules; its number stands
// behind the side information (ISO/IEC 11172-3 §2.4.1).
func mp3Frame(s *Stream, n int64) []byte {
	version, low, scale, side := byte(0xfb), 0, 144, 32
	if s.SampleRate < 32000 {
		version, low, scale, side = 0xf3, 1, 72, 17
	}
	mode := byte(0x00)
	if s.Channels == 1 {
		mode, side = 0xc0, (side+2)/2 // 17, 9
	}
	rate := max(slices.Index(mp3Rates[:], s.SampleRate<<low), 0)
	index := max(slices.Index(mp3BitRates[low][:], s.BitRate/1000), 1)
	bytes := int64(scale) * int64(mp3BitRates[low][index]) * 1000
	size, next := n*bytes/int64(s.SampleRate), (n+1)*bytes/int64(s.SampleRate)
	b := make([]byte, next-size)
	padding := byte(0)
	if int64(len(b)) > bytes/int64(s.SampleRate) {
		padding = 2
	}
	copy(b, []byte{0xff, version, byte(index)<<4 | byte(rate)<<2 | padding, mode})
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(n))
	copy(b[4+side:], stamp[:])
	return b
}

// audioParameters returns what the frames of s say.
func audioParameters(s *Stream) mux.Parameters {
	f := frame(s, 0)
	if s.Audio == mux.CodecMP3 {
		h, err := codec.ParseMPEGAudio(f)
		if err != nil {
			panic(err) // the stream asks for a rate that MP3 does not have
		}
		return h.Parameters()
	}
	p, err := codec.AACParameters(f)
	if err != nil {
		panic(err)
	}
	return p
}
