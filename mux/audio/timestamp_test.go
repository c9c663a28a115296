package audio_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
)

// hls-rules C21: byte for byte what RFC 8216 §3.4 asks for.
func TestAppendHeadTag(t *testing.T) {
	const head = "494433" + "0400" + "00" + "0000003f" + "50524956" + "00000035" + "0000" +
		"636f6d2e6170706c652e73747265616d696e672e7472616e73706f727453747265616d54696d657374616d70" + "00"
	tests := []struct {
		ts   mux.Ticks
		want string
	}{
		{0, "0000000000000000"},
		{90000, "0000000000015f90"},
		{mux.Wrap - 1, "00000001ffffffff"},
		{mux.Wrap, "0000000000000000"},
		{mux.Wrap + 7, "0000000000000007"},
		{-1, "00000001ffffffff"},
	}
	for _, tt := range tests {
		got := audio.AppendHeadTag([]byte{1, 2}, tt.ts, nil)
		if s := hex.EncodeToString(got); s != "0102"+head+tt.want {
			t.Errorf("AppendHeadTag(%d) = %s, want %s", tt.ts, s, "0102"+head+tt.want)
		}
		ts, size, err := audio.ParseTimestampTag(append(got[2:], 0xff, 0xf1))
		if err != nil || ts != tt.ts&(mux.Wrap-1) || size != len(got)-2 {
			t.Errorf("ParseTimestampTag(AppendHeadTag(%d)) = %d, %d, %v", tt.ts, ts, size, err)
		}
	}
}

func TestParseTimestampTag(t *testing.T) {
	tag := audio.AppendHeadTag(nil, 90000, nil)
	priv := tag[10:]
	title := append([]byte("TIT2\x00\x00\x00\x05\x00\x00"), "\x03Song"...)
	wrap := func(version byte, frames ...[]byte) []byte {
		b := bytes.Join(frames, nil)
		return append([]byte{'I', 'D', '3', version, 0, 0, 0, 0, byte(len(b) >> 7), byte(len(b) & 0x7f)}, b...)
	}
	upper := bytes.Clone(tag)
	upper[len(upper)-7] = 1 // bit 48
	tests := []struct {
		name string
		in   []byte
		want error
	}{
		{"alone", tag, nil},
		{"behind a title (hls-rules C38)", wrap(4, title, priv), nil},
		{"before a title", wrap(4, priv, title), nil},
		{"in version 3", wrap(3, title, priv), nil},
		{"followed by padding", wrap(4, priv, make([]byte, 40)), nil},
		{"no timestamp", wrap(4, title), mux.ErrInvalid},
		{"more than 33 bits", upper, mux.ErrInvalid},
		{"cut short", tag[:len(tag)-1], mux.ErrTruncated},
		{"a frame longer than its tag", wrap(4, []byte("PRIV\x00\x00\x7f\x7f\x00\x00abc")), mux.ErrInvalid},
		{"an ADTS frame", adts(4, 2, 50, 0), mux.ErrInvalid},
		{"nothing", nil, mux.ErrInvalid},
	}
	for _, tt := range tests {
		ts, size, err := audio.ParseTimestampTag(tt.in)
		if !errors.Is(err, tt.want) || tt.want == nil && (ts != 90000 || size != len(tt.in)) {
			t.Errorf("%s: ParseTimestampTag = %d, %d, %v, want 90000, %d, %v", tt.name, ts, size, err, len(tt.in), tt.want)
		}
	}
}

func ExampleAppendHeadTag() {
	segment := audio.AppendHeadTag(nil, 900_000, nil) // then the frames
	ts, size, err := audio.ParseTimestampTag(segment)
	fmt.Println(ts, size, err)
	// Output: 900000 73 <nil>
}

// FuzzParseTimestampTag: the length is within the input, and the time can be
// written again.
func FuzzParseTimestampTag(f *testing.F) {
	f.Add(audio.AppendHeadTag(nil, 90000, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		ts, size, err := audio.ParseTimestampTag(b)
		if err != nil {
			return
		}
		if size > len(b) || ts < 0 || ts >= mux.Wrap {
			t.Fatalf("ParseTimestampTag(%x) = %d, %d", b, ts, size)
		}
		again, _, err := audio.ParseTimestampTag(audio.AppendHeadTag(nil, ts, nil))
		if err != nil || again != ts {
			t.Fatalf("%d written and read is %d, %v", ts, again, err)
		}
	})
}
