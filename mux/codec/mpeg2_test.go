package codec_test

import (
	"errors"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
)

func TestMPEG2Parameters(t *testing.T) {
	tests := []struct {
		name, seq string
		want      mux.Parameters
	}{
		{"MPEG-2 Main Profile, PAL", "b316012013ffffe018000001b5148a00010000",
			mux.Parameters{CodecString: "mp4v.61", Width: 352, Height: 288, FrameRateNum: 25, FrameRateDen: 1}},
		{"MPEG-2 Main Profile, NTSC", "b32d01e014ffffe018000001b5148a00010000",
			mux.Parameters{CodecString: "mp4v.61", Width: 720, Height: 480, FrameRateNum: 30000, FrameRateDen: 1001}},
		{"MPEG-1", "b316012013ffffe018", mux.Parameters{CodecString: "mp4v.6A", Width: 352, Height: 288, FrameRateNum: 25, FrameRateDen: 1}},
		{"4:2:2 profile with a doubled rate", "b32d01e014ffffe018000001b5185a00010020",
			mux.Parameters{CodecString: "mp4v.65", Width: 720, Height: 480, FrameRateNum: 60000, FrameRateDen: 1001}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := codec.MPEG2Parameters(unhex(t, tt.seq))
			got.Config = ""
			if err != nil || got != tt.want {
				t.Errorf("MPEG2Parameters(%s) = %+v, %v, want %+v", tt.seq, got, err, tt.want)
			}
		})
	}
}

// Quantiser matrices may change within a stream that is otherwise the same.
func TestMPEG2ConfigWithoutMatrices(t *testing.T) {
	plain := unhex(t, "b32d01e014ffffe018"+"000001b5148a00010000")
	matrix := unhex(t, "b32d01e014ffffe01a")
	for range 64 {
		matrix = append(matrix, 0x10)
	}
	matrix = append(matrix, unhex(t, "000001b5148a00010000")...)
	p, err := codec.MPEG2Parameters(plain)
	if err != nil {
		t.Fatal(err)
	}
	q, err := codec.MPEG2Parameters(matrix)
	if err != nil || p != q {
		t.Errorf("MPEG2Parameters with a matrix = %+v, %v, want %+v", q, err, p)
	}
}

func TestMPEG2ParametersRefuses(t *testing.T) {
	tests := []struct {
		name, seq string
		want      error
	}{
		{"a short header", "b31601", mux.ErrTruncated},
		{"a picture", "00000fffffffffffff", mux.ErrInvalid},
		{"no width", "b300012013ffffe018", mux.ErrInvalid},
	}
	for _, tt := range tests {
		if _, err := codec.MPEG2Parameters(unhex(t, tt.seq)); !errors.Is(err, tt.want) {
			t.Errorf("%s: MPEG2Parameters(%s) = %v, want %v", tt.name, tt.seq, err, tt.want)
		}
	}
}
