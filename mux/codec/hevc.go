package codec

import (
	"fmt"
	"math/bits"
	"strings"

	"headwater/mux"
)

// HEVCParameters reads a sequence parameter set NAL unit, from its two byte
// header on and without start code. Width and Height are what is displayed:
// cropped, but not corrected for the shape of a pixel. The frame rate is the
// VUI's. Config is a copy of sps.
//
// The error is a [*mux.ParseError]. ITU-T H.265 §7.3.2.2.1, §E.2.1;
// hls-rules B06, B09.
func HEVCParameters(sps []byte) (mux.Parameters, error) {
	if len(sps) < 3 {
		return mux.Parameters{}, fault("seq_parameter_set_rbsp", mux.ErrTruncated)
	}
	if sps[0]>>1&0x3f != 33 {
		return mux.Parameters{}, fault("nal_unit_type", mux.ErrInvalid)
	}
	r := bitReader{b: sps[2:], nal: true}
	r.read(4) // sps_video_parameter_set_id
	subLayers := int(r.read(3))
	r.read(1) // sps_temporal_id_nesting_flag
	codec := hevcProfile(&r, subLayers)
	r.ue() // sps_seq_parameter_set_id
	chroma := r.ue()
	separate := chroma == 3 && r.flag() // separate_colour_plane_flag
	width, height := uint64(r.ue()), uint64(r.ue())
	if r.flag() { // conformance_window_flag
		x, y := cropUnits(chroma, separate)
		w, h := x*(uint64(r.ue())+uint64(r.ue())), y*(uint64(r.ue())+uint64(r.ue()))
		if w >= width || h >= height {
			return mux.Parameters{}, fault("conf_win_offset", mux.ErrInvalid)
		}
		width, height = width-w, height-h
	}
	switch {
	case r.short:
		return mux.Parameters{}, fault("seq_parameter_set_rbsp", mux.ErrTruncated)
	case width == 0 || height == 0 || width > maxSide || height > maxSide:
		return mux.Parameters{}, fault("pic_width_in_luma_samples", mux.ErrInvalid)
	}
	p := mux.Parameters{CodecString: codec, Width: int(width), Height: int(height), Config: string(sps)}
	p.FrameRateNum, p.FrameRateDen = hevcFrameRate(&r, subLayers)
	return p, nil
}

// hevcProfile reads profile_tier_level (ITU-T H.265 §7.3.3) and spells it as
// ISO/IEC 14496-15 annex E.3 does: hvc1.1.6.L93.B0.
func hevcProfile(r *bitReader, subLayers int) string {
	space, tier, profile := r.read(2), r.read(1), r.read(5)
	compatibility := bits.Reverse32(r.read(32))
	var constraints [6]byte
	for i := range constraints {
		constraints[i] = byte(r.read(8))
	}
	level := r.read(8)

	var s strings.Builder
	s.WriteString("hvc1.")
	if space > 0 {
		s.WriteByte("ABC"[space-1])
	}
	fmt.Fprintf(&s, "%d.%X.%c%d", profile, compatibility, "LH"[tier], level)
	used := len(constraints)
	for used > 0 && constraints[used-1] == 0 {
		used--
	}
	for _, c := range constraints[:used] {
		fmt.Fprintf(&s, ".%X", c)
	}

	var present uint32 // two flags for each of 8 sub-layers
	if subLayers > 0 {
		present = r.read(16)
	}
	for i := range subLayers {
		if present>>(15-2*i)&1 == 1 { // sub_layer_profile_present_flag
			r.skip(88)
		}
		if present>>(14-2*i)&1 == 1 { // sub_layer_level_present_flag
			r.skip(8)
		}
	}
	return s.String()
}

// hevcFrameRate reads on from bit_depth_luma_minus8 to the timing in the VUI.
func hevcFrameRate(r *bitReader, subLayers int) (num, den int64) {
	r.ue() // bit_depth_luma_minus8
	r.ue() // bit_depth_chroma_minus8
	orderBits := int(r.ue()) + 4
	layers := 1
	if r.flag() { // sps_sub_layer_ordering_info_present_flag
		layers = subLayers + 1
	}
	for range 3 * layers {
		r.ue()
	}
	for range 6 { // block and transform sizes and depths
		r.ue()
	}
	if r.flag() { // scaling_list_enabled_flag
		hevcScalingLists(r)
	}
	r.read(2)     // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	if r.flag() { // pcm_enabled_flag
		r.read(8)
		r.ue()
		r.ue()
		r.read(1)
	}
	if !hevcReferenceSets(r) {
		return 0, 0
	}
	if r.flag() { // long_term_ref_pics_present_flag
		for n := r.ue(); n > 0 && !r.short; n-- {
			r.skip(orderBits + 1)
		}
	}
	r.read(2) // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
	if !r.flag() {
		return 0, 0
	}
	return hevcVUI(r)
}

// hevcScalingLists skips scaling_list_data, if there is any (ITU-T H.265 §7.3.4).
func hevcScalingLists(r *bitReader) {
	if !r.flag() { // sps_scaling_list_data_present_flag
		return
	}
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for matrix := 0; matrix < 6; matrix += step {
			if !r.flag() { // scaling_list_pred_mode_flag
				r.ue() // scaling_list_pred_matrix_id_delta
				continue
			}
			if size > 1 {
				r.se() // scaling_list_dc_coef_minus8
			}
			for range min(64, 1<<(4+2*size)) {
				r.se() // scaling_list_delta_coef
			}
		}
	}
}

// hevcReferenceSets skips the st_ref_pic_sets of a sequence parameter set
// (ITU-T H.265 §7.3.7). It returns false if they break a rule.
func hevcReferenceSets(r *bitReader) bool {
	sets := r.ue() // num_short_term_ref_pic_sets
	if sets > 64 {
		return false
	}
	pictures := uint32(0) // NumDeltaPocs of the set before
	for i := range sets {
		if i > 0 && r.flag() { // inter_ref_pic_set_prediction_flag
			r.read(1) // delta_rps_sign
			r.ue()    // abs_delta_rps_minus1
			n := uint32(0)
			for range pictures + 1 {
				used := r.flag() // used_by_curr_pic_flag
				if !used {
					used = r.flag() // use_delta_flag
				}
				if used {
					n++
				}
			}
			pictures = n
			continue
		}
		negative, positive := r.ue(), r.ue()
		if negative > 16 || positive > 16 {
			return false
		}
		pictures = negative + positive
		for range pictures {
			r.ue()    // delta_poc_minus1
			r.read(1) // used_by_curr_pic_flag
		}
	}
	return !r.short
}

// hevcVUI reads vui_parameters up to the timing (ITU-T H.265 §E.2.1).
func hevcVUI(r *bitReader) (num, den int64) {
	vuiPicture(r)
	if r.flag() { // chroma_loc_info_present_flag
		r.ue()
		r.ue()
	}
	r.read(3)     // neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
	if r.flag() { // default_display_window_flag
		for range 4 {
			r.ue()
		}
	}
	if !r.flag() { // vui_timing_info_present_flag
		return 0, 0
	}
	units, scale := r.read(32), r.read(32)
	if r.short {
		return 0, 0
	}
	return frameRate(uint64(scale), uint64(units))
}
