package codec_test

import (
	"bytes"
	"fmt"
	"testing"

	"headwater/mux"
	"headwater/mux/codec"
)

// Building blocks of access units. The NAL units are cut to what is looked at.
const (
	sc3 = "000001"
	sc4 = "00000001"

	audI   = sc4 + "0910" // primary_pic_type 0: I slices only
	audAny = sc4 + "09f0"
	sps    = sc4 + "6742c01ed900a02ff97011000003000100000300320f162e48"
	pps    = sc4 + "68cb83cb20"
	idr    = sc3 + "65888400"
)

// slice returns a non-IDR slice with the slice_type.
func slice(kind uint64) string {
	var w bitWriter
	w.bytes(0x41)
	w.ue(0, kind, 0)
	w.bits(8, 0x80)
	return sc3 + fmt.Sprintf("%x", w.b)
}

func TestScanPicture(t *testing.T) {
	const (
		recovery = sc3 + "0606" + "01c4" + "80"
		vps265   = sc4 + "40010c01ffff016000000300900000030000030078959809"
		sps265   = sc4 + "420101016000000300900000030000030078a003c0801107cb965654a4c2f01680800001f480003a9804"
		pps265   = sc4 + "4401c172b46240"
		aud265   = sc4 + "460150"

		seqMPEG2  = sc3 + "b316012013ffffe018" + sc3 + "b5148a00010000"
		gopClosed = sc3 + "b800080040"
		gopOpen   = sc3 + "b800080000"
	)
	userData := sc3 + "0605" + "ffff02"
	for range 255*2 + 2 {
		userData += "aa"
	}
	escaped := sc3 + "060508" + "0000030000030000030000" + "0601c4" + "80"
	tests := []struct {
		name  string
		codec mux.Codec
		au    string
		want  mux.Access
		sets  bool
		done  bool
	}{
		{"IDR with all sets", mux.CodecH264, audAny + sps + pps + idr, mux.AccessRandom, true, true},
		{"IDR without sets", mux.CodecH264, audAny + idr, mux.AccessRandom, false, true},
		{"IDR without picture parameter set", mux.CodecH264, sps + idr, mux.AccessRandom, false, true},
		{"P slice", mux.CodecH264, audAny + slice(0), mux.AccessNone, false, true},
		{"P slices only", mux.CodecH264, slice(5), mux.AccessNone, false, true},
		{"I slices only, says the slice", mux.CodecH264, sps + pps + slice(7), mux.AccessRecovery, true, true},
		{"an I slice among others", mux.CodecH264, audAny + slice(2), mux.AccessNone, false, true},
		{"an I slice, and the delimiter promises more", mux.CodecH264, audI + slice(2), mux.AccessRecovery, false, true},
		{"a recovery point before P slices", mux.CodecH264, audAny + recovery + slice(0), mux.AccessRecovery, false, true},
		{"a recovery point behind long user data", mux.CodecH264, userData + "0601c480" + slice(0), mux.AccessRecovery, false, true},
		{"a recovery point behind escaped user data", mux.CodecH264, escaped + slice(0), mux.AccessRecovery, false, true},
		{"no picture yet", mux.CodecH264, audAny + sps + pps, mux.AccessNone, true, false},
		{"a slice header that is cut", mux.CodecH264, sc3 + "41", mux.AccessNone, false, false},
		{"a NAL unit header that is cut", mux.CodecH264, audAny + sc3, mux.AccessNone, false, false},
		{"no start code", mux.CodecH264, "65888400", mux.AccessNone, false, false},

		{"HEVC IDR", mux.CodecHEVC, aud265 + vps265 + sps265 + pps265 + sc3 + "2601af", mux.AccessRandom, true, true},
		{"HEVC IDR without VPS", mux.CodecHEVC, sps265 + pps265 + sc3 + "2801af", mux.AccessRandom, false, true},
		{"HEVC BLA", mux.CodecHEVC, sc3 + "2001af", mux.AccessRandom, false, true},
		{"HEVC CRA", mux.CodecHEVC, sc3 + "2a01af", mux.AccessRecovery, false, true},
		{"HEVC recovery point", mux.CodecHEVC, sc3 + "4e010601d080" + sc3 + "0201d0", mux.AccessRecovery, false, true},
		{"HEVC trailing picture", mux.CodecHEVC, sc3 + "0201d0", mux.AccessNone, false, true},
		{"HEVC enhancement layer is no picture", mux.CodecHEVC, sc3 + "2609af" + sc3 + "0201d0", mux.AccessNone, false, true},

		{"MPEG-2 closed group", mux.CodecMPEG2Video, seqMPEG2 + gopClosed + sc3 + "00008fff", mux.AccessRandom, true, true},
		{"MPEG-2 open group, I picture first in output", mux.CodecMPEG2Video, seqMPEG2 + gopOpen + sc3 + "00000fff", mux.AccessRandom, true, true},
		{"MPEG-2 open group, B pictures before", mux.CodecMPEG2Video, seqMPEG2 + gopOpen + sc3 + "00008fff", mux.AccessRecovery, true, true},
		{"MPEG-2 I picture without group", mux.CodecMPEG2Video, seqMPEG2 + sc3 + "00000fff", mux.AccessRecovery, true, true},
		{"MPEG-2 P picture", mux.CodecMPEG2Video, sc3 + "000017ff", mux.AccessNone, false, true},
		{"MPEG-2 slice without picture header", mux.CodecMPEG2Video, sc3 + "01ff", mux.AccessNone, false, true},

		{"audio", mux.CodecAAC, audAny + idr, mux.AccessNone, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := codec.ScanPicture(tt.codec, unhex(t, tt.au))
			if p.Access != tt.want || p.HasParameters != tt.sets || p.Done != tt.done {
				t.Errorf("ScanPicture(%v, %s) = Access %d, HasParameters %v, Done %v, want %d, %v, %v",
					tt.codec, tt.au, p.Access, p.HasParameters, p.Done, tt.want, tt.sets, tt.done)
			}
		})
	}
}

// hls-rules C10: where parameter sets are, and where they can be put.
func TestScanPictureOffsets(t *testing.T) {
	sei := sc3 + "0601c480"
	pps2 := sc3 + "6848e3c8"
	b := unhex(t, audAny+sps+sei+pps+pps2+"0000"+idr)
	p := codec.ScanPicture(mux.CodecH264, b)
	if want := unhex(t, audAny); !p.HasAUD || p.AfterAUD != len(want) {
		t.Errorf("HasAUD, AfterAUD = %v, %d, want true, %d", p.HasAUD, p.AfterAUD, len(want))
	}
	for _, tt := range []struct {
		name, want string
		got        []byte
	}{
		{"SPS", sps[len(sc4):], p.SPS},
		{"PPS", pps[len(sc4):], p.PPS},
		{"ParameterSets", sps + sei + pps + pps2, p.ParameterSets},
	} {
		if !bytes.Equal(tt.got, unhex(t, tt.want)) {
			t.Errorf("%s = %x, want %s", tt.name, tt.got, tt.want)
		}
	}
	if p.VPS != nil {
		t.Errorf("VPS = %x, want none", p.VPS)
	}
	if p := codec.ScanPicture(mux.CodecH264, unhex(t, sps+audAny+idr)); p.HasAUD || p.AfterAUD != 0 {
		t.Errorf("a delimiter behind a parameter set: HasAUD, AfterAUD = %v, %d, want false, 0", p.HasAUD, p.AfterAUD)
	}
}

// What was found is what the readers of parameter sets want.
func TestVideoParameters(t *testing.T) {
	tests := []struct {
		codec mux.Codec
		au    string
		want  string
	}{
		{mux.CodecH264, sps + pps + idr, "avc1.42c01e 640x360"},
		{mux.CodecHEVC, sc4 + spsHEVC[0].sps + sc3 + "2601af", "hvc1.1.6.L120.90 1920x1080"},
		{mux.CodecMPEG2Video, "00" + sc3 + "b316012013ffffe018" + sc3 + "b5148a00010000" + sc3 + "b800080040" + sc3 + "00000fff", "mp4v.61 352x288"},
	}
	for _, tt := range tests {
		p, err := codec.VideoParameters(tt.codec, codec.ScanPicture(tt.codec, unhex(t, tt.au)))
		if got := fmt.Sprintf("%s %dx%d", p.CodecString, p.Width, p.Height); err != nil || got != tt.want {
			t.Errorf("VideoParameters(%v) = %s, %v, want %s", tt.codec, got, err, tt.want)
		}
		if _, err := codec.VideoParameters(tt.codec, codec.Picture{}); err == nil {
			t.Errorf("VideoParameters(%v) without parameter sets = nil, want an error", tt.codec)
		}
	}
	if _, err := codec.VideoParameters(mux.CodecMP3, codec.Picture{}); err == nil {
		t.Error("VideoParameters(MP3) = nil, want an error")
	}
}

func TestScanPictureAllocs(t *testing.T) {
	b := unhex(t, audAny+sps+pps+sc3+"0605"+"08"+"aaaaaaaaaaaaaaaa"+"0601c480"+slice(7))
	if n := testing.AllocsPerRun(100, func() { codec.ScanPicture(mux.CodecH264, b) }); n != 0 {
		t.Errorf("ScanPicture allocates %v times, want 0", n)
	}
}

func BenchmarkScanPicture(b *testing.B) {
	au := append(unhex(b, audAny+sps+pps+idr), make([]byte, 100<<10)...)
	b.ReportAllocs()
	for b.Loop() {
		codec.ScanPicture(mux.CodecH264, au)
	}
}

func ExampleScanPicture() {
	au := []byte{
		0, 0, 0, 1, 0x09, 0xf0, // access unit delimiter
		0, 0, 0, 1, 0x65, 0x88, 0x84, 0x00, // IDR slice
	}
	p := codec.ScanPicture(mux.CodecH264, au)
	fmt.Println("a decoder can start:", p.Access == mux.AccessRandom)
	fmt.Println("parameter sets in band:", p.HasParameters)
	fmt.Println("put them at:", p.AfterAUD)
	// Output:
	// a decoder can start: true
	// parameter sets in band: false
	// put them at: 6
}

// FuzzScanPicture: slices lie within the input, what is Done does not change
// when more bytes come, and parameter sets can be read or are refused.
func FuzzScanPicture(f *testing.F) {
	f.Add(uint8(0), unhex(f, audAny+sps+pps+idr), 3)
	f.Add(uint8(1), unhex(f, sc4+spsHEVC[2].sps+sc3+"2601af"), 20)
	f.Add(uint8(2), unhex(f, sc3+"b316012013ffffe018"+sc3+"b5148a00010000"+sc3+"b800080040"+sc3+"00000fff"), 30)
	f.Fuzz(func(t *testing.T, kind uint8, b []byte, cut int) {
		c := [...]mux.Codec{mux.CodecH264, mux.CodecHEVC, mux.CodecMPEG2Video}[kind%3]
		whole := codec.ScanPicture(c, b)
		if whole.AfterAUD < 0 || whole.AfterAUD > len(b) || whole.HasAUD != (whole.AfterAUD > 0) {
			t.Fatalf("AfterAUD = %d of %d bytes, HasAUD %v", whole.AfterAUD, len(b), whole.HasAUD)
		}
		for _, set := range [][]byte{whole.SPS, whole.PPS, whole.VPS} {
			if !bytes.Contains(whole.ParameterSets, set) {
				t.Fatalf("%x is not in ParameterSets %x", set, whole.ParameterSets)
			}
		}
		if !bytes.Contains(b, whole.ParameterSets) {
			t.Fatalf("ParameterSets %x is not in the input", whole.ParameterSets)
		}
		head := codec.ScanPicture(c, b[:max(0, min(cut, len(b)))])
		if head.Done && fmt.Sprint(head) != fmt.Sprint(whole) {
			t.Fatalf("of the first %d bytes %+v, of all %+v", cut, head, whole)
		}
		p, err := codec.VideoParameters(c, whole)
		if (err == nil) != p.Known() {
			t.Fatalf("VideoParameters = %+v, %v", p, err)
		}
		if err == nil && (p.Width <= 0 || p.Height <= 0 || p.FrameRateNum < 0 || (p.FrameRateNum == 0) != (p.FrameRateDen == 0)) {
			t.Fatalf("VideoParameters = %+v", p)
		}
	})
}
