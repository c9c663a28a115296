package check_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/id3"
	"headwater/mux/ts"
)

const titlePID = 0x102

// titled returns a change of segments that puts a title into each, and then
// changes the PMT section and the packets of the tag.
func titled(change func(section, packets []byte)) func(string, []byte) []byte {
	return func(path string, b []byte) []byte {
		if !strings.HasSuffix(path, ".ts") {
			return b
		}
		var n uint64
		fmt.Sscanf(path[strings.LastIndexByte(path, '/')+1:], "%d.ts", &n)
		size := 3 + (int(b[mux.PacketSize+6]&0x0f)<<8 | int(b[mux.PacketSize+7]))
		p := &mux.Program{Number: 1, PMTPID: 0x1000, PMT: bytes.Clone(b[mux.PacketSize+5:][:size])}
		m, err := ts.ParsePMT(p.PMT)
		if err != nil {
			panic(err)
		}
		tracks := []int{len(m.Streams)}
		for i, s := range m.Streams {
			p.Tracks = append(p.Tracks, mux.Track{PID: s.PID, StreamType: s.Type})
			tracks = slices.Insert(tracks, i, i)
		}
		p.Tracks = append(p.Tracks, mux.Track{PID: titlePID, StreamType: 0x15, Codec: mux.CodecID3})
		section := ts.BuildPMT(p, tracks, m.PCRPID)
		tag := ts.AppendTag(nil, titlePID, uint8(2*n), 90_000, id3.Append(nil, id3.AppendTitle(nil, mux.Title{Name: "N"})), 2)
		change(section, tag)
		pmt := ts.AppendSection(nil, p.PMTPID, uint8(n), section)
		return slices.Concat(b[:mux.PacketSize], pmt, tag, b[2*mux.PacketSize:])
	}
}

// resealed makes the CRC_32 of a section right again.
func resealed(section []byte) {
	crc := ^uint32(0)
	for _, c := range section[:len(section)-4] {
		for bit := 7; bit >= 0; bit-- {
			top := crc>>31 ^ uint32(c>>bit)&1
			crc = crc<<1 ^ top*0x04c11db7
		}
	}
	for i := range 4 {
		section[len(section)-4+i] = byte(crc >> (24 - 8*i))
	}
}

// Timed ID3 as it should be is no fault, and each way to break it is found.
func TestWatchTitles(t *testing.T) {
	inSection := func(old, with string) func(section, packets []byte) {
		return func(section, _ []byte) {
			at := bytes.Index(section, []byte(old))
			copy(section[at:], with)
			resealed(section)
		}
	}
	inTag := func(old, with string) func(section, packets []byte) {
		return func(_, packets []byte) { copy(packets[bytes.Index(packets, []byte(old)):], with) }
	}
	const pes = "\x00\x00\x01\xbd"
	for _, tt := range []struct {
		name, rule string
		change     func(section, packets []byte)
	}{
		{"as it should be", "", func(section, packets []byte) {}},
		{"no pointer", "C34", inSection("\x25\x0f", "\xf0\x0f")},
		{"a pointer to another format", "C34", inSection("\x25\x0f\xff\xffID3 ", "\x25\x0f\xff\xffKLVA")},
		{"no descriptor", "C34", inSection("\x26\x0d", "\xf0\x0d")},
		{"another service", "C34", inSection("\x26\x0d\xff\xffID3 \xffID3 \x00", "\x26\x0d\xff\xffID3 \xffID3 \x07")},
		{"another stream_id", "C34", inTag(pes, "\x00\x00\x01\xfc")},
		{"no tag", "C35", inTag("ID3", "XYZ")},
		{"a tag that is longer than its PES packet", "C35", func(_, packets []byte) { packets[bytes.Index(packets, []byte("ID3"))+9]++ }},
		{"no alignment", "C35", func(_, packets []byte) { packets[bytes.Index(packets, []byte(pes))+6] &^= 4 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newFakeOrigin(t)
				o.media = titled(tt.change)
				found := map[string]bool{}
				for _, f := range watch(t, o, 14*time.Second).Findings {
					found[f.Rule] = true
					if tt.rule == "" {
						t.Errorf("%s: %s", f.Rule, f.Text)
					}
				}
				if tt.rule != "" && !found[tt.rule] {
					t.Errorf("found %v, want %s", found, tt.rule)
				}
			})
		})
	}
}
