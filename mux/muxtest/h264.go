package muxtest

import "headwater/mux"

// bits writes syntax elements most significant bit first.
type bits struct {
	b []byte
	n int // bits written
}

func (w *bits) u(n int, v uint64) {
	for i := n - 1; i >= 0; i-- {
		if w.n%8 == 0 {
			w.b = append(w.b, 0)
		}
		w.b[w.n/8] |= byte(v>>i&1) << (7 - w.n%8)
		w.n++
	}
}

// ue writes an unsigned Exp-Golomb code (ISO/IEC 14496-10 §9.1).
func (w *bits) ue(v uint64) {
	n := 0
	for (v+1)>>n > 1 {
		n++
	}
	w.u(n, 0)
	w.u(n+1, v+1)
}

// align pads with zero bits.
func (w *bits) align() {
	w.n = len(w.b) * 8
}

// appendNAL appends a start code and the NAL unit of header and payload, with emulation prevention.
func appendNAL(dst []byte, header byte, rbsp []byte) []byte {
	dst = append(dst, 0, 0, 0, 1, header)
	zeros := 0
	for _, c := range rbsp {
		if zeros >= 2 && c <= 3 {
			dst = append(dst, 3)
			zeros = 0
		}
		dst = append(dst, c)
		if c == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return dst
}

// trailing ends an RBSP.
func (w *bits) trailing() []byte {
	w.u(1, 1)
	w.align()
	return w.b
}

// sps returns the SPS of s as an RBSP: Main profile, level 3.
func sps(s *Stream) []byte {
	w := &bits{}
	w.u(8, 77)
	w.u(8, 0)
	w.u(8, 30)
	w.ue(0)  // seq_parameter_set_id
	w.ue(0)  // log2_max_frame_num_minus4
	w.ue(0)  // pic_order_cnt_type
	w.ue(12) // log2_max_pic_order_cnt_lsb_minus4
	w.ue(2)  // max_num_ref_frames
	w.u(1, 0)
	w.ue(uint64(s.Width/16 - 1))
	w.ue(uint64(s.Height/16 - 1))
	w.u(2, 3) // frame_mbs_only_flag, direct_8x8_inference_flag
	w.u(1, 0) // frame_cropping_flag
	w.u(1, 1) // vui_parameters_present_flag
	w.u(4, 0) // aspect_ratio, overscan, video_signal_type, chroma_loc
	w.u(1, 1) // timing_info_present_flag
	w.u(32, uint64(s.FrameRateDen))
	w.u(32, uint64(2*s.FrameRateNum))
	w.u(1, 1) // fixed_frame_rate_flag
	w.u(3, 0) // nal_hrd, vcl_hrd, pic_struct
	w.u(1, 1) // bitstream_restriction_flag
	w.u(1, 1)
	w.ue(0)
	w.ue(0)
	w.ue(10)
	w.ue(10)
	w.ue(uint64(min(s.BFrames, 1))) // max_num_reorder_frames
	w.ue(2)                         // max_dec_frame_buffering
	return w.trailing()
}

// pps returns the PPS: CAVLC, no frills.
func pps() []byte {
	w := &bits{}
	w.ue(0)
	w.ue(0)
	w.u(2, 0) // entropy_coding_mode_flag, bottom_field_pic_order
	w.ue(0)   // num_slice_groups_minus1
	w.ue(0)
	w.ue(0)
	w.u(3, 0) // weighted prediction
	w.ue(0)   // pic_init_qp
	w.ue(0)
	w.ue(0)
	w.u(3, 0)
	return w.trailing()
}

// picture returns the access unit of x. Macroblocks are grey, or skipped.
func picture(s *Stream, x *Sample) []byte {
	var au []byte
	if !s.NoAUD {
		au = appendNAL(au, 0x09, []byte{0xf0})
	}
	if x.parasets {
		au = append(au, ParameterSets(*s)...)
	}
	size := s.VideoBytes
	if x.Kind.Keyframe() {
		size *= 4
	}
	switch x.Kind {
	case KindIDR:
		au = appendNAL(au, 0x65, slice(s, x, 7))
	case KindRecovery:
		au = appendNAL(au, 0x06, []byte{6, 1, 0xc4, 0x80}) // recovery point, exact
		au = appendNAL(au, 0x61, slice(s, x, 7))
	case KindP:
		au = appendNAL(au, 0x61, slice(s, x, 5))
	case KindB:
		au = appendNAL(au, 0x01, slice(s, x, 6))
	}
	if fill := size - len(au) - 6; fill > 0 {
		au = append(au, 0, 0, 0, 1, 0x0c)
		for range fill {
			au = append(au, 0xff)
		}
		au = append(au, 0x80)
	}
	return au
}

// ParameterSets returns SPS and PPS of the stream, each behind a start code.
func ParameterSets(s Stream) []byte {
	s = s.withDefaults()
	return appendNAL(appendNAL(nil, 0x67, sps(&s)), 0x68, pps())
}

func slice(s *Stream, x *Sample, typ uint64) []byte {
	w := &bits{}
	w.ue(0) // first_mb_in_slice
	w.ue(typ)
	w.ue(0)
	w.u(4, uint64(x.refs)&15) // frame_num
	if x.Kind == KindIDR {
		w.ue(uint64(x.idr) & 1) // idr_pic_id
	}
	w.u(16, uint64(2*(x.display-x.idr))&0xffff) // pic_order_cnt_lsb
	switch x.Kind {
	case KindB:
		w.u(1, 1) // direct_spatial_mv_pred_flag
		w.u(3, 0) // no override, lists as they are
	case KindP:
		w.u(2, 0)
		w.u(1, 0) // adaptive_ref_pic_marking_mode_flag
	case KindIDR:
		w.u(2, 0)
	case KindRecovery:
		w.u(1, 0)
	}
	w.ue(0) // slice_qp_delta
	blocks := s.Width / 16 * (s.Height / 16)
	if x.Kind.Keyframe() {
		for range blocks {
			w.u(8, 0x27) // I_16x16, DC, no residual
		}
	} else {
		w.ue(uint64(blocks)) // mb_skip_run
	}
	return w.trailing()
}

// videoParameters returns what the SPS of s says.
func videoParameters(s *Stream) mux.Parameters {
	nal := appendNAL(nil, 0x67, sps(s))[4:]
	return mux.Parameters{
		CodecString: "avc1.4d001e", Width: s.Width, Height: s.Height,
		FrameRateNum: s.FrameRateNum, FrameRateDen: s.FrameRateDen, Config: string(nal),
	}
}
