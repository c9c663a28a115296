package ts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// seeded makes sure that the seeds of a fuzz target are found.
func seeded(f *testing.F, least int) {
	f.Helper()
	if files, err := os.ReadDir(filepath.Join("testdata", "fuzz", f.Name())); err != nil || len(files) < least {
		f.Fatalf("%d seeds, want at least %d: %v", len(files), least, err)
	}
}

// FuzzDemuxer feeds any bytes, in reads whose sizes the input chooses too.
// Whatever comes, bytes are accounted for, units are whole packets of their
// PID, and the reads do not matter.
//
// Seeds: av-* have a clock that wraps and keyframes that need parameter sets;
// m2ts and parity other packet distances; junk-then-stream and sync-lost the
// search for sync; mp3, ac3 the framed and the unframed; programs-and-sections
// two programs, a PMT in two packets, its change, SCTE-35; timed-id3 titles. The last four are
// known to break other demuxers: lies of a PAT and of adaptation fields, and a
// packet with nothing but a pointer_field.
func FuzzDemuxer(f *testing.F) {
	seeded(f, 14)
	f.Fuzz(func(t *testing.T, b []byte, sizes []byte) {
		d := ts.NewDemuxer(ts.Options{})
		i := 0
		units := drain(d, b, func() int {
			if len(sizes) == 0 {
				return whole()
			}
			i++
			return 1 + 7*int(sizes[i%len(sizes)])
		})
		checkUnits(t, units)
		s := d.Stats()
		if s.Bytes != uint64(len(b)) || s.Units != uint64(len(units)) {
			t.Fatalf("Stats() = %+v after %d bytes, %d units", s, len(b), len(units))
		}
		out := 0
		for _, u := range units {
			out += u.Size
		}
		const injected = 64 // packets that a keyframe can grow by, and more
		if out > len(b)+len(units)*injected*mux.PacketSize {
			t.Fatalf("%d bytes came out of %d", out, len(b))
		}
		if again := drain(ts.NewDemuxer(ts.Options{}), b, whole); !slices.Equal(full(units), full(again)) {
			t.Fatal("the units depend on the reads")
		}
	})
}

// FuzzPSI reads any bytes as a section, bare and in packets. What parses is
// built again to a section that says the same.
//
// Seeds: tables of one and two packets and sections, one with a length that
// lies, one shorter than its header.
func FuzzPSI(f *testing.F) {
	seeded(f, 6)
	f.Fuzz(func(t *testing.T, s []byte) {
		in := newInput().section(0, patSection(0, 1, 0x1000)).packet(0x1000, true, append([]byte{0}, s...))
		in.section(0, s).section(0x1000, s).audio(2, 0x100)
		checkUnits(t, drain(ts.NewDemuxer(ts.Options{}), in.b, whole))

		if len(s) < 12 {
			return
		}
		sealed := section(2, 1, s[5]>>1&31, 1, 0, 0, s[8:len(s)-4]...) // with a right CRC the body is looked at
		m, err := ts.ParsePMT(sealed)
		if err != nil {
			return
		}
		p := &mux.Program{Number: m.Program, PMT: sealed}
		var all []int
		for i, e := range m.Streams {
			p.Tracks = append(p.Tracks, mux.Track{PID: e.PID, StreamType: e.Type, Codec: mux.CodecData})
			all = append(all, i)
		}
		built, err := ts.ParsePMT(ts.BuildPMT(p, all, m.PCRPID))
		if err != nil {
			t.Fatalf("BuildPMT makes what does not parse: %v", err)
		}
		if built.Program != m.Program || built.PCRPID != m.PCRPID || len(built.Streams) != len(m.Streams) {
			t.Fatalf("BuildPMT says %+v, was %+v", built, m)
		}
		for i, e := range built.Streams {
			if e.PID != m.Streams[i].PID || e.Type != m.Streams[i].Type {
				t.Fatalf("stream %d is %+v, was %+v", i, e, m.Streams[i])
			}
		}
	})
}

// FuzzPES reads any bytes as a PES packet, cut into transport packets after
// any byte. One that a writer of PES packets made comes back as it was.
//
// Seeds: an IDR with parameter sets and one that gets them, a header longer
// than its packet, no start code, no bytes.
func FuzzPES(f *testing.F) {
	seeded(f, 5)
	f.Fuzz(func(t *testing.T, head, payload []byte, pts, dts int64, cut uint8) {
		in := oneTrack(0x1b)
		in.packet(0x100, true, head)
		in.pes(muxtest.PES{PID: 0x100, StreamID: 0xe0, PTS: mux.Ticks(pts), DTS: mux.Ticks(dts), Unbounded: true,
			HeaderStuff: int(cut) % 200, FirstPayload: int(cut), Payload: payload})
		units := drain(ts.NewDemuxer(ts.Options{}), in.b, whole)
		checkUnits(t, units)
		if len(units) == 0 {
			t.Fatal("no unit")
		}
		u := units[len(units)-1]
		if u.Untimed || (u.PTS-mux.Ticks(pts))%mux.Wrap != 0 || (u.DTS-mux.Ticks(dts))%mux.Wrap != 0 {
			t.Fatalf("PTS %d, DTS %d, untimed %t, want %d and %d modulo 2^33", u.PTS, u.DTS, u.Untimed, pts, dts)
		}
		if u.Access == mux.AccessNone && !bytes.Contains(in.b, joined(u)) {
			t.Fatal("a unit was changed")
		}
	})
}
