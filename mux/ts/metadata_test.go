package ts_test

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/id3"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// hls-rules C34: the descriptors of timed ID3, byte for byte as in Apple's
// Timed Metadata for HTTP Live Streaming, for a track that the source's PMT
// does not list.
func TestBuildPMTTimedID3(t *testing.T) {
	const (
		pointer = "250f" + "ffff" + "49443320" + "ff" + "49443320" + "00" + "1f" + "0007"
		stream  = "15" + "e102" + "f00f" + "260d" + "ffff" + "49443320" + "ff" + "49443320" + "00" + "0f"
	)
	p := &mux.Program{Number: 7, PMTPID: 0x1000, PCRPID: 0x100, Tracks: []mux.Track{
		{PID: 0x100, StreamType: 0x03, Codec: mux.CodecMP3},
		{PID: 0x102, StreamType: 0x15, Codec: mux.CodecID3},
	}}
	want := "02b037" + "0007" + "c1" + "0000" + "e100" + "f011" + pointer + "03" + "e100" + "f000" + stream
	got := fmt.Sprintf("%x", ts.BuildPMT(p, []int{0, 1}, p.PCRPID))
	version := got[10:12] // depends on the content
	if got = got[:10] + "c1" + got[12:len(got)-8]; got != want {
		t.Errorf("of raw audio: %s, want %s", got, want)
	}
	if got := fmt.Sprintf("%x", ts.BuildPMT(p, []int{0}, p.PCRPID)); strings.Contains(got, "49443320") || got[10:12] == version {
		t.Errorf("without the track: %s", got)
	}

	p.PMT = ts.BuildPMT(p, []int{0}, p.PCRPID)
	if got := fmt.Sprintf("%x", ts.BuildPMT(p, []int{0, 1}, p.PCRPID)); !strings.Contains(got, pointer) || !strings.Contains(got, stream) {
		t.Errorf("of a source that has none: %s", got)
	}

	p.PMT = ts.BuildPMT(p, []int{0, 1}, p.PCRPID)
	if got := ts.BuildPMT(p, []int{0, 1}, p.PCRPID); !bytes.Equal(got, p.PMT) {
		t.Errorf("of a source that has one: %x, want what was sent, %x", got, p.PMT)
	}
}

// hls-rules C35: one whole tag in each PES packet, with its time.
func TestAppendTag(t *testing.T) {
	short := id3.Append(nil, id3.AppendTitle(nil, mux.Title{Name: "N"}))
	long := id3.Append(nil, id3.AppendTitle(nil, mux.Title{Name: strings.Repeat("N", 500)}))
	tests := []struct {
		name    string
		tag     []byte
		packets int // 0: as many as it takes
		want    int
	}{
		{"in one packet", short, 0, 1},
		{"in three", long, 0, 3},
		{"spread over more than it takes", short, 18, 18},
		{"spread over one more than it takes", long, 4, 4},
	}
	for _, tt := range tests {
		n := tt.packets
		if n == 0 {
			n = ts.TagPackets(tt.tag)
		}
		b := ts.AppendTag([]byte("x"), 0x102, 15, mux.Wrap+123_456, tt.tag, n)[1:]
		if len(b) != tt.want*mux.PacketSize {
			t.Errorf("%s: %d bytes, want %d packets", tt.name, len(b), tt.want)
			continue
		}
		var payload []byte
		for i := 0; i < len(b); i += mux.PacketSize {
			p := b[i : i+mux.PacketSize]
			start := byte(0)
			if i == 0 {
				start = 0x40
			}
			if p[0] != 0x47 || p[1] != start|1 || p[2] != 2 || ts.Continuity(p) != uint8(15+i/mux.PacketSize)&15 || p[3]&0x10 == 0 {
				t.Errorf("%s: header of packet %d is %x", tt.name, i/mux.PacketSize, p[:4])
			}
			at := 4
			if p[3]&0x20 != 0 {
				at += 1 + int(p[4])
			}
			if at >= mux.PacketSize {
				t.Fatalf("%s: packet %d has no payload", tt.name, i/mux.PacketSize)
			}
			payload = append(payload, p[at:]...)
		}
		head := []byte{0, 0, 1, 0xbd, byte((8 + len(tt.tag)) >> 8), byte(8 + len(tt.tag)), 0x84, 0x80, 5, 0x21, 0, 0x07, 0xc4, 0x81} // PTS 123456
		if want := append(head, tt.tag...); !bytes.Equal(payload, want) {
			t.Errorf("%s: %x, want %x", tt.name, payload, want)
		}
	}
}

// The demuxer reads what is written here.
func TestTimedID3Again(t *testing.T) {
	tag := id3.Append(nil, id3.AppendTitle(nil, mux.Title{Artist: "A", Name: "N"}))
	p := &mux.Program{Number: 1, PMTPID: 0x1000, PCRPID: 0x100, Tracks: []mux.Track{
		{PID: 0x100, StreamType: 0x0f, Codec: mux.CodecAAC},
		{PID: 0x102, StreamType: 0x15, Codec: mux.CodecID3},
	}}
	b := ts.AppendPAT(nil, 1, p.PMTPID, 0)
	b = ts.AppendSection(b, p.PMTPID, 0, ts.BuildPMT(p, []int{0, 1}, p.PCRPID))
	b = ts.AppendTag(b, 0x102, 0, 900_000, tag, 1)
	b = ts.AppendTag(b, 0x102, 1, 990_000, tag, 17)
	d := ts.NewDemuxer(ts.Options{})
	var units []*mux.Unit
	for len(b) > 0 {
		n := copy(d.Buffer(), b)
		units = append(units, d.Advance(n)...)
		b = b[n:]
	}
	units = append(units, d.Flush()...)
	if len(units) != 2 || units[0].PTS != 900_000 || units[1].PTS != 990_000 || units[1].Size != 17*mux.PacketSize {
		t.Fatalf("%d units: %+v", len(units), units)
	}
	if got := units[0].Program.Tracks[1]; got.Codec != mux.CodecID3 {
		t.Errorf("track %+v, want timed ID3", got)
	}
	if s := d.Stats(); s.Continuity+s.BadPES+s.BadPSI > 0 {
		t.Errorf("Stats = %+v", s)
	}
}

// A title that the source sends as timed ID3 begins with the sound of its time,
// whichever comes first, and is told once.
func TestDemuxerTitles(t *testing.T) {
	s := muxtest.Audio(mux.CodecMP3)
	s.Start = 900_000
	p := muxtest.NewProgram(s)
	p.PMT = nil
	p.Tracks = append(p.Tracks, mux.Track{PID: 0x102, StreamType: ts.StreamTypeID3, Codec: mux.CodecID3})
	section := ts.BuildPMT(p, []int{0, 1}, p.PCRPID)
	const frame = 2160 // 24 ms
	type sent struct {
		before int       // number of the frame that it stands before
		at     mux.Ticks // of which frame it has the time
		name   string
	}
	for _, tt := range []struct {
		name string
		sent []sent
		want map[int]string
	}{
		{"before its sound", []sent{{10, 10, "A"}}, map[int]string{10: "A"}},
		{"long before its sound", []sent{{10, 40, "A"}}, map[int]string{40: "A"}},
		{"behind its sound", []sent{{13, 10, "A"}}, map[int]string{13: "A"}},
		{"repeated", []sent{{10, 10, "A"}, {20, 20, "A"}, {30, 30, "B"}, {40, 40, "A"}}, map[int]string{10: "A", 30: "B", 40: "A"}},
		{"two at once: the last one", []sent{{10, 10, "A"}, {10, 10, "B"}}, map[int]string{10: "B"}},
		{"two ahead", []sent{{10, 20, "A"}, {10, 30, "B"}}, map[int]string{20: "A", 30: "B"}},
		{"a tag without a title", []sent{{10, 10, ""}}, map[int]string{}},
		{"another clock", []sent{{10, 4_000_000, "A"}}, map[int]string{10: "A"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := ts.AppendPAT(nil, p.Number, p.PMTPID, 0)
			b = ts.AppendSection(b, p.PMTPID, 0, section)
			cc := uint8(0)
			for i, u := range s.UnitsFor(50 * frame) {
				for _, x := range tt.sent {
					if x.before == i {
						tag := id3.Append(nil, id3.AppendTitle(nil, mux.Title{Name: x.name}))
						b = ts.AppendTag(b, 0x102, cc, 900_000+x.at*frame, tag, 1)
						cc++
					}
				}
				b = append(b, bytes.Join(u.Packets, nil)...)
			}
			got := map[int]string{}
			n := 0
			for _, u := range drain(ts.NewDemuxer(ts.Options{}), b, func() int { return 1000 }) {
				if u.Track != 0 {
					continue
				}
				if u.Title != nil {
					got[n] = u.Title.Name
				}
				n++
			}
			if !maps.Equal(got, tt.want) || n != 50 {
				t.Errorf("titles %v on %d frames, want %v", got, n, tt.want)
			}
		})
	}
}
