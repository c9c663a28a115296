package check_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"headwater/cmd/headwater/check"
	"headwater/mux"
	"headwater/mux/ts"
)

// A segment of MPEG-2 video starts with a sequence header and an I picture: it
// has no IDR, and no SPS (hls-rules C09, C10; ISO/IEC 13818-2 §6.1.1.6).
func TestMPEG2Segment(t *testing.T) {
	const (
		sequence = "000001b316012013ffffe018" + "000001b5148a00010000"
		openGOP  = "000001b800080000"
		shutGOP  = "000001b800080040"
		intra    = "00000100000ffff8" + "000001b58ffff34180" + "0000010113f8"
		leading  = "00000100008ffff8" + "000001b58ffff34180" + "0000010113f8" // two B pictures are shown before it
		other    = "000001000057fff8" + "000001b58ffff34180" + "0000010113f8"
	)
	for _, tt := range []struct {
		name, picture string
		want          []string
	}{
		{"an open group", sequence + openGOP + intra, nil},
		{"an open group with leading B pictures", sequence + openGOP + leading, nil},
		{"a closed group", sequence + shutGOP + intra, nil},
		{"not even an I picture", sequence + other, []string{"C09: its first picture is not a keyframe"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range check.Problems(mpeg2Segment(t, tt.picture)) {
				if p[:3] == "C09" || p[:3] == "C10" {
					got = append(got, p)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("problems %q, want %q", got, tt.want)
			}
		})
	}
}

// mpeg2Segment returns a transport stream of three pictures, the first as given.
func mpeg2Segment(t *testing.T, first string) []byte {
	t.Helper()
	p := &mux.Program{
		Number: 1, PMTPID: 0x1000, PCRPID: videoPID,
		Tracks: []mux.Track{{PID: videoPID, StreamType: 2, Codec: mux.CodecMPEG2Video}},
	}
	b := ts.AppendPAT(nil, p.Number, p.PMTPID, 0)
	b = ts.AppendSection(b, p.PMTPID, 0, ts.BuildPMT(p, []int{0}, videoPID))
	for i := range byte(3) {
		picture, err := hex.DecodeString(first)
		if err != nil {
			t.Fatal(err)
		}
		pes := []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, i << 5, 1}
		pes = append(pes, picture...)
		stuffing := mux.PacketSize - 4 - 1 - 1 - len(pes)
		b = append(b, 0x47, 0x40|videoPID>>8, videoPID&0xff, 0x30|i, byte(1+stuffing), 0x40)
		b = append(b, bytes.Repeat([]byte{0xff}, stuffing)...)
		b = append(b, pes...)
	}
	return b
}
