package codec

import (
	"fmt"

	"headwater/mux"
)

// H264Parameters reads a sequence parameter set NAL unit, from its one byte
// header on and without start code. Width and Height are what is displayed:
// cropped, but not corrected for the shape of a pixel. The frame rate is the
// VUI's time_scale/(2*num_units_in_tick). Config is a copy of sps.
//
// The error is a [*mux.ParseError]. ITU-T H.264 §7.3.2.1.1, §E.1.1;
// hls-rules B05, B09.
func H264Parameters(sps []byte) (mux.Parameters, error) {
	if len(sps) < 4 {
		return mux.Parameters{}, fault("seq_parameter_set_data", mux.ErrTruncated)
	}
	if sps[0]&0x1f != 7 {
		return mux.Parameters{}, fault("nal_unit_type", mux.ErrInvalid)
	}
	r := bitReader{b: sps[4:], nal: true}
	r.ue() // seq_parameter_set_id
	cropX, cropY := h264Chroma(&r, sps[1])
	h264Order(&r)
	r.ue()    // max_num_ref_frames
	r.read(1) // gaps_in_frame_num_value_allowed_flag
	width, height := uint64(r.ue())+1, uint64(r.ue())+1
	if !r.flag() { // frame_mbs_only_flag
		height, cropY = height*2, cropY*2
		r.read(1) // mb_adaptive_frame_field_flag
	}
	width, height = width*16, height*16
	r.read(1)     // direct_8x8_inference_flag
	if r.flag() { // frame_cropping_flag
		w, h := cropX*(uint64(r.ue())+uint64(r.ue())), cropY*(uint64(r.ue())+uint64(r.ue()))
		if w >= width || h >= height {
			return mux.Parameters{}, fault("frame_crop_offset", mux.ErrInvalid)
		}
		width, height = width-w, height-h
	}
	vui := r.flag()
	switch {
	case r.short:
		return mux.Parameters{}, fault("seq_parameter_set_data", mux.ErrTruncated)
	case width > maxSide || height > maxSide:
		return mux.Parameters{}, fault("pic_width_in_mbs_minus1", mux.ErrInvalid)
	}
	p := mux.Parameters{
		CodecString: fmt.Sprintf("avc1.%02x%02x%02x", sps[1], sps[2], sps[3]),
		Width:       int(width),
		Height:      int(height),
		Config:      string(sps),
	}
	if vui {
		p.FrameRateNum, p.FrameRateDen = h264FrameRate(&r)
	}
	return p, nil
}

// maxSide is more than any level of H.264 or H.265 allows for a side of a picture.
const maxSide = 1 << 15

// h264Chroma reads what only the high profiles have, and returns how many luma
// samples a unit of cropping is, for frames (ITU-T H.264 §7.4.2.1.1).
func h264Chroma(r *bitReader, profile byte) (cropX, cropY uint64) {
	switch profile {
	default:
		return 2, 2
	case 44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244:
	}
	chroma, separate := r.ue(), false
	if chroma == 3 {
		separate = r.flag() // separate_colour_plane_flag
	}
	r.ue()        // bit_depth_luma_minus8
	r.ue()        // bit_depth_chroma_minus8
	r.read(1)     // qpprime_y_zero_transform_bypass_flag
	if r.flag() { // seq_scaling_matrix_present_flag
		lists := 8
		if chroma == 3 {
			lists = 12
		}
		for i := range lists {
			switch {
			case !r.flag():
			case i < 6:
				h264ScalingList(r, 16)
			default:
				h264ScalingList(r, 64)
			}
		}
	}
	return cropUnits(chroma, separate)
}

// cropUnits returns SubWidthC and SubHeightC (ITU-T H.264 table 6-1, ITU-T
// H.265 table 6-1), which cropping is counted in.
func cropUnits(chroma uint32, separate bool) (x, y uint64) {
	switch {
	case separate:
		return 1, 1
	case chroma == 1:
		return 2, 2
	case chroma == 2:
		return 2, 1
	}
	return 1, 1
}

// h264ScalingList skips a scaling_list (ITU-T H.264 §7.3.2.1.1.1).
func h264ScalingList(r *bitReader, size int) {
	last := int32(8)
	for range size {
		next := (last + r.se()) & 0xff // delta_scale
		if next == 0 || r.short {
			return
		}
		last = next
	}
}

// h264Order skips how frames are numbered and ordered.
func h264Order(r *bitReader) {
	r.ue()          // log2_max_frame_num_minus4
	switch r.ue() { // pic_order_cnt_type
	case 0:
		r.ue() // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		r.read(1) // delta_pic_order_always_zero_flag
		r.se()    // offset_for_non_ref_pic
		r.se()    // offset_for_top_to_bottom_field
		for n := r.ue(); n > 0 && !r.short; n-- {
			r.se() // offset_for_ref_frame
		}
	}
}

// h264FrameRate reads vui_parameters up to the timing (ITU-T H.264 §E.1.1).
func h264FrameRate(r *bitReader) (num, den int64) {
	vuiPicture(r)
	if r.flag() { // chroma_loc_info_present_flag
		r.ue()
		r.ue()
	}
	if !r.flag() { // timing_info_present_flag
		return 0, 0
	}
	units, scale := r.read(32), r.read(32)
	if r.short {
		return 0, 0
	}
	return frameRate(uint64(scale), 2*uint64(units))
}

// vuiPicture skips the head of vui_parameters that H.264 and H.265 share: the
// shape of a pixel, overscan, and the meaning of the colours.
func vuiPicture(r *bitReader) {
	const extendedSAR = 255
	if r.flag() && r.read(8) == extendedSAR { // aspect_ratio_idc
		r.read(32)
	}
	if r.flag() { // overscan_info_present_flag
		r.read(1)
	}
	if r.flag() { // video_signal_type_present_flag
		r.read(4)
		if r.flag() { // colour_description_present_flag
			r.read(24)
		}
	}
}
