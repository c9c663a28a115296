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
