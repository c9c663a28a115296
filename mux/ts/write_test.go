package ts_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares a hex dump of got, without stuffing at its end, with testdata/golden/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	var text bytes.Buffer
	for _, p := range packets(got) {
		p = bytes.TrimRight(p, "\xff")
		for len(p) > 0 {
			n := min(16, len(p))
			fmt.Fprintf(&text, "% x\n", p[:n])
			p = p[n:]
		}
		text.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text.Bytes(), want) {
		t.Errorf("%s is\n%s\nwant\n%s", name, text.Bytes(), want)
	}
}

func TestAppendPAT(t *testing.T) {
	got := ts.AppendPAT(nil, 1, 0x1000, 5)
	golden(t, "pat.txt", got)
	if want := section(0, 1, got[10]>>1&31, 1, 0, 0, 0, 1, 0xf0, 0); !bytes.Equal(got[5:5+len(want)], want) {
		t.Errorf("section = % x, want % x", got[5:21], want)
	}
	if len(got) != mux.PacketSize || ts.Continuity(got) != 5 {
		t.Errorf("%d bytes, continuity_counter %d", len(got), ts.Continuity(got))
	}
	if other := ts.AppendPAT(nil, 2, 0x1000, 5); other[10] == got[10] {
		t.Errorf("version_number of two contents is %d", got[10]>>1&31)
	}
}

// TestBuildPMT guards hls-rules C02 (CRC, version by content), C03 (only the
// wanted tracks, in the wanted order) and C19 (AC-3 in the ATSC form).
func TestBuildPMT(t *testing.T) {
	in := newInput().section(0, patSection(0, 7, 0x1000)).section(0x1000, pmtSection(7, 9, 0x1ffe, "\x05\x04HDMV\x09\x04\x00\x01\xe1\x23",
		es{0x0f, 0x101, lang + "\x09\x04\x00\x01\xe1\x23"}, es{0x06, 0x102, "\x6a\x01\x00" + lang}, es{0x06, 0x103, "\x7a\x01\x00"},
		es{0x1b, 0x100, "\x28\x04\x4d\x00\x1e\x3f"}, es{0x06, 0x104, "\x59\x08deu\x10\x00\x01\x00\x01"}))
	in.audio(1, 0x101)
	d := ts.NewDemuxer(ts.Options{})
	demux(t, d, in.b, whole)
	p := d.Program()
	raw := &mux.Program{Number: 1, PMTPID: 0x1000, Tracks: []mux.Track{{PID: 0x100, StreamType: 0x0f, Codec: mux.CodecAAC, Language: "eng"}}}
	tests := []struct {
		name    string
		program *mux.Program
		tracks  []int
		want    []byte // body, from PCR_PID on
	}{
		{"video first, one audio", p, []int{3, 0}, []byte("\xe1\x00\xf0\x06\x05\x04HDMV\x1b\xe1\x00\xf0\x06\x28\x04\x4d\x00\x1e\x3f\x0f\xe1\x01\xf0\x06" + lang)},
		{"AC-3 from DVB", p, []int{1}, []byte("\xe1\x00\xf0\x06\x05\x04HDMV\x81\xe1\x02\xf0\x0c\x05\x04AC-3" + lang)},
		{"E-AC-3 from DVB", p, []int{2}, []byte("\xe1\x00\xf0\x06\x05\x04HDMV\x87\xe1\x03\xf0\x06\x05\x04EAC3")},
		{"raw audio", raw, []int{0}, []byte("\xe1\x00\xf0\x00\x0f\xe1\x00\xf0\x06" + lang)},
		{"no tracks", raw, nil, []byte("\xe1\x00\xf0\x00")},
	}
	versions := map[byte]bool{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ts.BuildPMT(tt.program, tt.tracks, 0x100)
			if want := section(2, tt.program.Number, got[5]>>1&31, 1, 0, 0, tt.want...); !bytes.Equal(got, want) {
				t.Errorf("BuildPMT() = % x\nwant % x", got, want)
			}
			if again := ts.BuildPMT(tt.program, tt.tracks, 0x100); !bytes.Equal(got, again) {
				t.Error("the same content makes another section")
			}
			if _, err := ts.ParsePMT(got); err != nil {
				t.Error(err)
			}
			versions[got[5]] = true
		})
	}
	if len(versions) < 3 {
		t.Errorf("%d versions of %d contents", len(versions), len(tests))
	}
}

func TestAppendSection(t *testing.T) {
	for _, size := range []int{12, 183, 184, 367, 368, 1024} {
		s := section(0x80, 1, 0, 1, 0, 0, bytes.Repeat([]byte{7}, size-12)...)
		got := ts.AppendSection([]byte("before"), 0x1abc, 14, s)[len("before"):]
		var back []byte
		for i, p := range packets(got) {
			if len(p) != mux.PacketSize || p[0] != 0x47 || pidOf(p) != 0x1abc || starts(p) != (i == 0) || ts.Continuity(p) != uint8(14+i)&15 || p[3]&0xf0 != 0x10 {
				t.Fatalf("%d bytes: packet %d is % x", size, i, p[:5])
			}
			p = p[4:]
			if i == 0 {
				p = p[1:]
			}
			back = append(back, p...)
		}
		if !bytes.Equal(back[:size], s) || len(bytes.TrimRight(back[size:], "\xff")) != 0 {
			t.Errorf("%d bytes do not come back", size)
		}
		if n := (size + 1 + 183) / 184; len(got) != n*mux.PacketSize {
			t.Errorf("%d bytes take %d packets, want %d", size, len(got)/mux.PacketSize, n)
		}
	}
}

// TestAppendPCR guards hls-rules C05 and C08: no payload, and the counter as given.
func TestAppendPCR(t *testing.T) {
	tests := []struct {
		name string
		got  []byte
		want []byte
	}{
		{"PCR", ts.AppendPCR(nil, 0x100, 3, 0x1_2345_6789, false), []byte{0x47, 0x01, 0x00, 0x23, 183, 0x10, 0x91, 0xa2, 0xb3, 0xc4, 0xfe, 0x00}},
		{"beyond the wrap", ts.AppendPCR(nil, 0x100, 3, mux.Wrap+1, false), []byte{0x47, 0x01, 0x00, 0x23, 183, 0x10, 0, 0, 0, 0, 0xfe, 0x00}},
		{"before zero", ts.AppendPCR(nil, 0x1ffe, 31, -1, true), []byte{0x47, 0x1f, 0xfe, 0x2f, 183, 0x90, 0xff, 0xff, 0xff, 0xff, 0xfe, 0x00}},
		{"discontinuity only", ts.AppendDiscontinuity(nil, 0x100, 3), []byte{0x47, 0x01, 0x00, 0x23, 183, 0x80}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := append(tt.want, bytes.Repeat([]byte{0xff}, mux.PacketSize-len(tt.want))...)
			if !bytes.Equal(tt.got, want) {
				t.Errorf("packet = % x, want % x", tt.got, want)
			}
		})
	}
}

// TestWritersAppend: the writers append, and do not allocate where there is room.
func TestWritersAppend(t *testing.T) {
	dst := make([]byte, 0, 10*mux.PacketSize)
	pmt := muxtest.NewProgram(muxtest.AV()).PMT
	if n := testing.AllocsPerRun(10, func() {
		b := ts.AppendPAT(dst, 1, 0x1000, 0)
		b = ts.AppendSection(b, 0x1000, 0, pmt)
		b = ts.AppendPCR(b, 0x100, 0, 0, false)
		b = ts.AppendDiscontinuity(b, 0x100, 0)
		if len(b) != 4*mux.PacketSize {
			t.Fatalf("%d bytes, want 4 packets", len(b))
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
