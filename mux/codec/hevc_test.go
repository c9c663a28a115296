package codec_test

import (
	"errors"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
)

// spsHEVC are sequence parameter sets written by x265.
var spsHEVC = []struct {
	name, sps string
	want      mux.Parameters
}{
	{"1080p at 29.97", "420101016000000300900000030000030078a003c0801107cb965654a4c2f01680800001f480003a9804",
		mux.Parameters{CodecString: "hvc1.1.6.L120.90", Width: 1920, Height: 1080, FrameRateNum: 30000, FrameRateDen: 1001}},
	{"Main 10, cropped to 362 lines", "42010102200000030090000003000003005aa005020171f2365959a4932bc05a020000030002000003006410",
		mux.Parameters{CodecString: "hvc1.2.4.L90.90", Width: 640, Height: 362, FrameRateNum: 50, FrameRateDen: 1}},
	{"two temporal sub-layers and scaling lists", "42010201600000030090000003000003003c0000a00a080b9f7965652b2c9272bc05a02000000300200000030321",
		mux.Parameters{CodecString: "hvc1.1.6.L60.90", Width: 320, Height: 180, FrameRateNum: 25, FrameRateDen: 1}},
}

// hls-rules B06, B09
func TestHEVCParameters(t *testing.T) {
	for _, tt := range spsHEVC {
		t.Run(tt.name, func(t *testing.T) {
			sps := unhex(t, tt.sps)
			tt.want.Config = string(sps)
			got, err := codec.HEVCParameters(sps)
			if err != nil || got != tt.want {
				t.Errorf("HEVCParameters(%s) = %+v, %v, want %+v", tt.sps, got, err, tt.want)
			}
		})
	}
}

// hls-rules B06: the string is made of profile_tier_level alone.
func TestHEVCCodecString(t *testing.T) {
	tests := []struct {
		name                        string
		space, tier, profile        uint64
		compatibility, flags, level uint64
		want                        string
	}{
		{"Main, all constraints zero but one", 0, 0, 1, 0x60000000, 0xb00000000000, 93, "hvc1.1.6.L93.B0"},
		{"Main 10, High tier", 0, 1, 2, 0x20000000, 0x900000000000, 153, "hvc1.2.4.H153.90"},
		{"profile space B", 2, 0, 1, 0x60000000, 0xb00000000000, 120, "hvc1.B1.6.L120.B0"},
		{"no constraint at all", 0, 0, 1, 0x60000000, 0, 93, "hvc1.1.6.L93"},
		{"zero bytes between stay", 0, 0, 4, 0x08000000, 0x9e0800000001, 123, "hvc1.4.10.L123.9E.8.0.0.0.1"},
	}
	for _, tt := range tests {
		var w bitWriter
		w.bytes(0x42, 0x01)
		w.bits(8, 1) // sps_video_parameter_set_id, no sub-layers, sps_temporal_id_nesting_flag
		w.bits(2, tt.space)
		w.bits(1, tt.tier)
		w.bits(5, tt.profile)
		w.bits(32, tt.compatibility)
		w.bits(48, tt.flags)
		w.bits(8, tt.level)
		w.ue(0, 1, 320, 240)
		w.bits(8, 0x40)
		p, err := codec.HEVCParameters(w.nal())
		if err != nil || p.CodecString != tt.want || p.Width != 320 || p.Height != 240 {
			t.Errorf("%s: HEVCParameters = %+v, %v, want %s", tt.name, p, err, tt.want)
		}
	}
}

func TestHEVCParametersRefuses(t *testing.T) {
	tests := []struct {
		name, sps string
		want      error
	}{
		{"nothing", "", mux.ErrTruncated},
		{"a video parameter set", "40010c01ffff", mux.ErrInvalid},
		{"an end inside the profile", "4201010160000003", mux.ErrTruncated},
	}
	for _, tt := range tests {
		if _, err := codec.HEVCParameters(unhex(t, tt.sps)); !errors.Is(err, tt.want) {
			t.Errorf("%s: HEVCParameters(%s) = %v, want %v", tt.name, tt.sps, err, tt.want)
		}
	}
}

// Everything that may stand before the frame rate, so that one element read
// too much or too little shows.
func TestHEVCParametersWithAllElements(t *testing.T) {
	var w bitWriter
	w.bytes(0x42, 0x01)
	w.bits(8, 0<<4|2<<1|1) // two more sub-layers
	w.bits(8, 1)           // Main
	w.bits(32, 0x60000000)
	w.bits(48, 0xb00000000000)
	w.bits(8, 93)
	w.bits(16, 0b11_01_000000000000) // the first has profile and level, the second a level
	w.bits(32, 0)
	w.bits(32, 0)
	w.bits(24+8+8, 0)
	w.ue(0, 3)   // sps_seq_parameter_set_id, chroma_format_idc
	w.bits(1, 1) // separate_colour_plane_flag
	w.ue(328, 248)
	w.bits(1, 1)
	w.ue(1, 2, 3, 4) // conf_win_offset, in luma samples
	w.ue(0, 0, 4)    // bit depths, log2_max_pic_order_cnt_lsb_minus4
	w.bits(1, 1)     // sps_sub_layer_ordering_info_present_flag
	w.ue(1, 0, 0, 2, 1, 0, 3, 1, 0)
	w.ue(0, 3, 0, 3, 2, 2)
	w.bits(2, 0b11) // scaling lists with data
	for size := range 4 {
		for matrix := 0; matrix < 6; matrix++ {
			if size == 3 && matrix%3 != 0 {
				continue
			}
			if matrix == 3 {
				w.bits(1, 0)
				w.ue(1)
				continue
			}
			w.bits(1, 1)
			if size > 1 {
				w.ue(8)
			}
			for range min(64, 1<<(4+2*size)) {
				w.ue(2)
			}
		}
	}
	w.bits(2, 0b11) // amp_enabled_flag, sample_adaptive_offset_enabled_flag
	w.bits(1, 1)    // pcm_enabled_flag
	w.bits(8, 0x77)
	w.ue(0, 2)
	w.bits(1, 0)
	w.ue(3)    // num_short_term_ref_pic_sets
	w.ue(2, 1) // the first: two before, one after
	for range 3 {
		w.ue(0)
		w.bits(1, 1)
	}
	w.bits(2, 0b11) // the second is predicted from it
	w.ue(0)
	w.bits(7, 0b1_01_00_01) // used; unused but kept; dropped; unused but kept
	w.bits(2, 0b10)         // the third from the second, which has three
	w.ue(1)
	w.bits(4, 0b1111)
	w.bits(1, 1) // long_term_ref_pics_present_flag
	w.ue(2)
	w.bits(18, 0x15555)
	w.bits(3, 0b111) // sps_temporal_mvp, strong_intra_smoothing, vui_parameters_present
	w.bits(9, 0b1_11111111)
	w.bits(32, 0x00280021) // extended aspect ratio
	w.bits(2, 0b11)        // overscan
	w.bits(6, 0b1_010_0_1) // video signal with colours
	w.bits(24, 0x010101)
	w.bits(1, 1)
	w.ue(0, 0) // chroma location
	w.bits(3, 0b001)
	w.bits(1, 1)
	w.ue(0, 0, 0, 0) // default display window
	w.bits(1, 1)
	w.bits(32, 1001)
	w.bits(32, 24000)
	w.bits(8, 0x40)
	p, err := codec.HEVCParameters(w.nal())
	if err != nil || p.Width != 325 || p.Height != 241 || p.FrameRateNum != 24000 || p.FrameRateDen != 1001 {
		t.Errorf("HEVCParameters = %dx%d at %d/%d, %v, want 325x241 at 24000/1001", p.Width, p.Height, p.FrameRateNum, p.FrameRateDen, err)
	}
}
