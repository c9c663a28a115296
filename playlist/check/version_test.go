package check_test

import (
	"fmt"
	"strings"
	"testing"
)

// The least versions are those of rfc8216bis §8: hls-rules A09.
func TestVersionFloors(t *testing.T) {
	const extinf = "#EXTINF:6.00600,\nmain/1/102.ts"
	for _, tt := range []struct {
		tag   string
		floor int
	}{
		{`#EXT-X-KEY:METHOD=AES-128,URI="k"`, 3}, // by the decimals
		{`#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x01`, 3},
		{`#EXT-X-BYTERANGE:1@0`, 4},
		{`#EXT-X-I-FRAMES-ONLY`, 4},
		{`#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"`, 5},
		{`#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="identity"`, 5},
		{"#EXT-X-I-FRAMES-ONLY\n" + `#EXT-X-MAP:URI="i"`, 5},
		{`#EXT-X-MAP:URI="i"`, 6},
		{`#EXT-X-DEFINE:NAME="a",VALUE="b"`, 8},
		{`#EXT-X-DEFINE:QUERYPARAM="a"`, 11},
		{`#EXT-X-GAP`, 3},
		{`#EXT-X-PART:DURATION=1,URI="a"`, 3},
	} {
		for version := 1; version <= 13; version++ {
			want := ""
			if version < tt.floor {
				want = "A09"
			} else if version > tt.floor {
				want = "A10"
			}
			body := edit(media(100, 8), "VERSION:3", fmt.Sprintf("VERSION:%d", version), extinf, tt.tag+"\n"+extinf)
			if version > 5 { // A14 is about the others
				body = strings.Replace(body, "TARGETDURATION:7", "TARGETDURATION:6", 1)
			}
			if got := broken(t, answer(mainURL, body, 0)); !same(got, want) {
				t.Errorf("%s in version %d breaks %q, want %q", tt.tag, version, got, want)
			}
		}
	}
	service := edit(multi, "#EXT-X-STREAM-INF", `#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="c",NAME="n",INSTREAM-ID="SERVICE3"`+"\n#EXT-X-STREAM-INF")
	if got := broken(t, answer(multiURL, service, 0)); !same(got, "A09") {
		t.Errorf("INSTREAM-ID of a service in version 3 breaks %q, want A09", got)
	}
}

// Low-Latency HLS may say the version that its delta updates will need.
func TestVersionOfLowLatency(t *testing.T) {
	for _, tt := range []struct {
		control string
		highest int
	}{
		{"CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0", 6},
		{"CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=42,PART-HOLD-BACK=3.0", 10},
	} {
		for version := 3; version <= 13; version++ {
			want := ""
			if version > tt.highest {
				want = "A10"
			}
			body := edit(media(100, 8), "VERSION:3", fmt.Sprintf("VERSION:%d", version),
				"#EXT-X-MEDIA-S", "#EXT-X-SERVER-CONTROL:"+tt.control+"\n#EXT-X-MEDIA-S")
			if got := broken(t, answer(mainURL, body, 0)); !same(got, want) {
				t.Errorf("%s in version %d breaks %q, want %q", tt.control, version, got, want)
			}
		}
	}
}

// Of a list that has shown more segments than are remembered, the newest are known.
func TestForgets(t *testing.T) {
	const n = 20_000
	lists := []string{media(1, n), media(n, n), media(2*n, n)}
	again := strings.Replace(lists[2], fmt.Sprintf("main/1/%d.ts", 3*n-5), "other.ts", 1)
	if got := broken(t, then(append(lists, again)...)...); !same(got, "A23") {
		t.Errorf("breaks %q, want A23", got)
	}
}
