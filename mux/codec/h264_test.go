package codec_test

import (
	"encoding/hex"
	"errors"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
)

// unhex returns the bytes that s spells.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// spsH264 are sequence parameter sets written by x264.
var spsH264 = []struct {
	name, sps string
	want      mux.Parameters
}{
	{"1080p of 1088 coded lines at 29.97", "67640028acd940780227e5c04400000fa40003a9803c60c658",
		mux.Parameters{CodecString: "avc1.640028", Width: 1920, Height: 1080, FrameRateNum: 30000, FrameRateDen: 1001}},
	{"constrained baseline without chroma format", "6742c01ed900a02ff97011000003000100000300320f162e48",
		mux.Parameters{CodecString: "avc1.42c01e", Width: 640, Height: 360, FrameRateNum: 25, FrameRateDen: 1}},
	{"interlaced, cropped by field", "6764001eacd940b424d8088000000300800000190f8a14cb",
		mux.Parameters{CodecString: "avc1.64001e", Width: 720, Height: 576, FrameRateNum: 25, FrameRateDen: 1}},
	{"4:2:2 10 bit with scaling matrices", "677a0020b6cd94056061e6f011000003000100000300640f183196",
		mux.Parameters{CodecString: "avc1.7a0020", Width: 1366, Height: 768, FrameRateNum: 50, FrameRateDen: 1}},
	{"4:4:4 with twelve scaling lists, odd crop", "67f40015919b282a33c7c5e022000003000200000300f01e2c5b2c",
		mux.Parameters{CodecString: "avc1.f40015", Width: 322, Height: 182, FrameRateNum: 60, FrameRateDen: 1}},
}

// hls-rules B05, B09
func TestH264Parameters(t *testing.T) {
	for _, tt := range spsH264 {
		t.Run(tt.name, func(t *testing.T) {
			sps := unhex(t, tt.sps)
			tt.want.Config = string(sps)
			got, err := codec.H264Parameters(sps)
			if err != nil || got != tt.want {
				t.Errorf("H264Parameters(%s) = %+v, %v, want %+v", tt.sps, got, err, tt.want)
			}
		})
	}
}

func TestH264ParametersRefuses(t *testing.T) {
	var wide bitWriter
	wide.bytes(0x67, 66, 0xc0, 30)
	wide.ue(0, 0, 2, 1)
	wide.bits(1, 0)
	wide.ue(1<<12, 9)
	wide.bits(8, 0b10001000)
	tests := []struct {
		name, sps string
		want      error
	}{
		{"nothing", "", mux.ErrTruncated},
		{"a header only", "67640028", mux.ErrTruncated},
		{"a picture parameter set", "68ebe3cb22c0", mux.ErrInvalid},
		{"an end inside the size", "67640028acd940", mux.ErrTruncated},
		{"a picture wider than any level", hex.EncodeToString(wide.nal()), mux.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := codec.H264Parameters(unhex(t, tt.sps))
			if !errors.Is(err, tt.want) {
				t.Errorf("H264Parameters(%s) = %v, want %v", tt.sps, err, tt.want)
			}
			var at *mux.ParseError
			if !errors.As(err, &at) || at.Field == "" {
				t.Errorf("H264Parameters(%s) = %v, want a ParseError that names a field", tt.sps, err)
			}
		})
	}
}

// A rate that is a time base is no rate.
func TestH264ParametersFrameRate(t *testing.T) {
	tests := []struct {
		units, scale uint32
		num, den     int64
	}{
		{1, 50, 25, 1},
		{1001, 60000, 30000, 1001},
		{1001, 48000, 24000, 1001},
		{0, 50, 0, 0},
		{1, 0, 0, 0},
		{1, 180000, 0, 0},
		{100, 10, 0, 0},
		{1 << 31, 1 << 31, 1, 2},
	}
	for _, tt := range tests {
		var w bitWriter
		w.bytes(0x67, 66, 0xc0, 30)
		w.ue(0, 0, 2, 1) // seq_parameter_set_id, log2_max_frame_num, pic_order_cnt_type, max_num_ref_frames
		w.bits(1, 0)
		w.ue(9, 9)
		w.bits(4, 0b1001) // frame_mbs_only, direct_8x8, cropping, vui
		w.bits(4, 0)      // aspect ratio, overscan, video signal, chroma location
		w.bits(1, 1)      // timing_info_present_flag
		w.bits(32, uint64(tt.units))
		w.bits(32, uint64(tt.scale))
		w.bits(8, 0x80)
		p, err := codec.H264Parameters(w.nal())
		if err != nil || p.FrameRateNum != tt.num || p.FrameRateDen != tt.den || p.Width != 160 {
			t.Errorf("H264Parameters(units %d, scale %d) = %d/%d, %v, want %d/%d",
				tt.units, tt.scale, p.FrameRateNum, p.FrameRateDen, err, tt.num, tt.den)
		}
	}
}
