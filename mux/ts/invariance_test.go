package ts_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// full writes units down with their bytes.
func full(units []*mux.Unit) []string {
	lines := describe(units)
	for i, u := range units {
		lines[i] = fmt.Sprintf("%s seq %d %s %x %v", lines[i], u.Seq, tracks(u.Program), joined(u), u.Frames)
	}
	return lines
}

// TestDemuxerReadSizes: the units are the same however the input is cut into
// reads, also of a damaged stream, of any stride.
func TestDemuxerReadSizes(t *testing.T) {
	s := small()
	s.ParameterSetsOnce, s.GOP, s.BFrames, s.Start = true, 10, 1, mux.Wrap-mux.ClockRate
	clean := s.Bytes(mux.ClockRate)
	rapid.Check(t, func(t *rapid.T) {
		b := bytes.Clone(clean)
		for range rapid.IntRange(0, 5).Draw(t, "errors") {
			at := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			b[at] ^= rapid.Byte().Draw(t, "bits")
		}
		for range rapid.IntRange(0, 2).Draw(t, "losses") {
			at := rapid.IntRange(0, len(b)-1).Draw(t, "from")
			b = slices.Delete(b, at, min(len(b), at+rapid.IntRange(1, 1000).Draw(t, "length")))
		}
		if rapid.Bool().Draw(t, "M2TS") {
			var wide []byte
			for _, p := range packets(b) {
				wide = append(append(wide, 1, 2, 3, 4), p...)
			}
			b = wide
		}
		want := full(drain(ts.NewDemuxer(ts.Options{}), b, whole))
		most := rapid.SampledFrom([]int{1, 10, 187, 189, 1000, 5000}).Draw(t, "most")
		r := rapid.IntRange(1, most)
		got := full(drain(ts.NewDemuxer(ts.Options{}), b, func() int {
			if most < 100 {
				return most
			}
			return r.Draw(t, "read")
		}))
		if !slices.Equal(got, want) {
			t.Fatalf("%d units in short reads, %d in long ones, or they differ", len(got), len(want))
		}
	})
}

// drain is demux for any kind of test.
func drain(d *ts.Demuxer, b []byte, next func() int) []*mux.Unit {
	var units []*mux.Unit
	for len(b) > 0 {
		room := d.Buffer()
		n := copy(room[:min(len(room), max(next(), 1))], b)
		b = b[n:]
		units = append(units, d.Advance(n)...)
	}
	return append(units, d.Flush()...)
}

// TestDemuxerPassesAllOn: the packets of the units of a PID are those that
// came, all of them, in order. PAT, PMT and what belongs to no unit is not.
func TestDemuxerPassesAllOn(t *testing.T) {
	s := small()
	s.BFrames = 2
	clean := s.Bytes(smallTime)
	got, want := map[mux.PID][]byte{}, map[mux.PID][]byte{}
	for _, p := range packets(clean) {
		want[pidOf(p)] = append(want[pidOf(p)], p...)
	}
	for _, u := range demux(t, ts.NewDemuxer(ts.Options{}), clean, whole) {
		pid := u.Program.Tracks[u.Track].PID
		got[pid] = append(got[pid], joined(u)...)
	}
	for _, pid := range []mux.PID{muxtest.VideoPID, muxtest.AudioPID} {
		if !bytes.Equal(got[pid], want[pid]) {
			t.Errorf("PID %#x: %d bytes came, %d went on, or they differ", pid, len(want[pid]), len(got[pid]))
		}
	}
}

// TestDemuxerUnitsStay: units do not change when more is read.
func TestDemuxerUnitsStay(t *testing.T) {
	s := small()
	s.ParameterSetsOnce, s.GOP = true, 10
	d := ts.NewDemuxer(ts.Options{})
	var units []*mux.Unit
	var before []string
	for c := range s.Chunks() {
		for b := c.Data; len(b) > 0; {
			n := copy(d.Buffer(), b)
			b = b[n:]
			got := d.Advance(n)
			units, before = append(units, got...), append(before, full(got)...)
		}
		if c.Time > smallTime {
			break
		}
	}
	if after := full(units); !slices.Equal(before, after) {
		t.Error("units changed after they were returned")
	}
}

// TestDemuxerAllocations holds the promise that packets cost no allocation:
// blocks, and lots of units, frames and slices, are all there is.
func TestDemuxerAllocations(t *testing.T) {
	s := muxtest.AV()
	s.VideoBytes, s.BitRate = 40_000, 128_000 // 8.8 Mbit/s
	b := s.Bytes(20 * mux.ClockRate)
	d := ts.NewDemuxer(ts.Options{})
	next := 0
	allocs := testing.AllocsPerRun(1, func() { // twice: the first half does not count
		for half := b[next : next+len(b)/2]; len(half) > 0; {
			n := copy(d.Buffer(), half)
			half = half[n:]
			d.Advance(n)
		}
		next += len(b) / 2
	})
	const perAlloc = 500
	if n := len(b) / 2 / mux.PacketSize; allocs > float64(n/perAlloc) {
		t.Errorf("%v allocations for %d packets, want at most one in %d", allocs, n, perAlloc)
	}
}

// TestDemuxerIsSmall: a connection that says nothing costs little.
func TestDemuxerIsSmall(t *testing.T) {
	var before, after runtime.MemStats
	const n = 1000
	all := make([]*ts.Demuxer, n)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		all[i] = ts.NewDemuxer(ts.Options{})
		all[i].Buffer()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n; each > 8<<10 {
		t.Errorf("a silent demuxer takes %d bytes, want at most 8 KiB", each)
	}
	runtime.KeepAlive(all)
}

// TestDemuxerMemory: 8192 PIDs that all begin a unit and never end it, and
// rare packets on many PIDs, do not hold the blocks that they came in.
func TestDemuxerMemory(t *testing.T) {
	var streams []es
	for i := range 190 {
		streams = append(streams, es{0x06, mux.PID(0x100 + i), ""})
	}
	streams = append(streams, es{ac3, 0x50, ""})
	in := newInput().section(0, patSection(0, 1, 0x1000)).section(0x1000, pmtSection(1, 0, 0x50, "", streams...))
	for pid := range mux.PID(8192) {
		if pid != 0 && pid != 0x1000 {
			in.packet(pid, true, []byte{0, 0, 1, 0xbd, 0, 0, 0x80, 0, 0})
		}
	}
	d := ts.NewDemuxer(ts.Options{})
	feed := func(b []byte) {
		for len(b) > 0 {
			n := copy(d.Buffer(), b)
			b = b[n:]
			d.Advance(n)
		}
	}
	feed(in.b)
	filler := bytes.Repeat(null(), 700)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range mux.PID(190) { // each packet in another block
		in.b = in.b[:0]
		feed(in.packet(0x100+i, false, nil).b)
		feed(filler)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grew := int64(after.HeapAlloc) - int64(before.HeapAlloc); grew > 1<<20 {
		t.Errorf("%d bytes are held for 190 packets", grew)
	}
	runtime.KeepAlive(d)
}

func BenchmarkDemuxer(b *testing.B) {
	for _, bench := range []struct {
		name  string
		bytes int
	}{{"2.75 Mbit", 12_000}, {"8 Mbit", 37_000}} {
		b.Run(bench.name, func(b *testing.B) {
			s := muxtest.AV()
			s.VideoBytes, s.BitRate, s.BFrames = bench.bytes, 128_000, 2
			in := s.Bytes(20 * mux.ClockRate)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				d := ts.NewDemuxer(ts.Options{})
				for b := in; len(b) > 0; {
					n := copy(d.Buffer(), b)
					b = b[n:]
					d.Advance(n)
				}
				d.Flush()
			}
		})
	}
}

func ExampleDemuxer() {
	source := bytes.NewReader(muxtest.AV().Bytes(mux.ClockRate))
	d := ts.NewDemuxer(ts.Options{})
	pictures, frames := 0, 0
	count := func(units []*mux.Unit) {
		for _, u := range units {
			if u.Program.Tracks[u.Track].Codec.Video() {
				pictures++
			}
			frames += len(u.Frames)
		}
	}
	for {
		n, err := source.Read(d.Buffer())
		count(d.Advance(n))
		if err != nil {
			break
		}
	}
	count(d.Flush())
	fmt.Println(pictures, "pictures,", frames, "audio frames")
	fmt.Println(d.Program().Tracks[0].Parameters.CodecString)
	// Output:
	// 25 pictures, 47 audio frames
	// avc1.4d001e
}
