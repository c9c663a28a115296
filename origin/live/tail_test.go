package live_test

import (
	"bytes"
	"io"
	"net/http/httputil"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
	"headwater/origin/live"
)

// hls-rules F01, C02, C03, C05
func TestPacketsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewPackets(live.TailConfig{})
		units := muxtest.AV().UnitsFor(61 * mux.ClockRate)
		early := live.NewReader(tail, false)
		var got []byte
		for _, u := range units {
			tail.Append(u, time.Now())
			got = append(got, drain(early)...)
		}
		checkContinuity(t, got)
		checkPSI(t, got)

		late := drain(live.NewReader(tail, false))
		checkContinuity(t, late)
		head := packets(t, late)
		if pid(head[0]) != patPID || pid(head[1]) != muxtest.PMTPID || pid(head[2]) != muxtest.VideoPID || head[2][5]&0x40 == 0 {
			t.Errorf("begins with PIDs %#x %#x %#x, want PAT, PMT and a random access point", pid(head[0]), pid(head[1]), pid(head[2]))
		}
		if !bytes.Contains(got, late[2*mux.PacketSize:3*mux.PacketSize]) {
			t.Error("the late listener does not get what the early one got")
		}
		d := ts.NewDemuxer(ts.Options{})
		if n := len(demux(d, got)); n < len(units)-2 {
			t.Errorf("%d units come out of %d", n, len(units))
		}
	})
}

// demux returns the units of a transport stream.
func demux(d *ts.Demuxer, b []byte) (out []*mux.Unit) {
	for len(b) > 0 {
		n := copy(d.Buffer(), b)
		b = b[n:]
		out = append(out, d.Advance(n)...)
	}
	return append(out, d.Flush()...)
}

// checkPSI fails the test if PAT and PMT are more than 500 ms of pictures apart
// (hls-rules C02).
func checkPSI(t *testing.T, stream []byte) {
	t.Helper()
	since := map[mux.PID]int{patPID: 0, muxtest.PMTPID: 0} // pictures
	for _, p := range packets(t, stream) {
		switch id := pid(p); {
		case id == patPID || id == muxtest.PMTPID:
			since[id] = 0
		case id == muxtest.VideoPID && p[1]&0x40 != 0:
			for id := range since {
				if since[id]++; since[id] > 13 {
					t.Fatalf("%d pictures of 40 ms without PID %#x", since[id], id)
				}
			}
		}
	}
}

// hls-rules F02, C08: a listener that falls behind goes on at the newest
// random access point, with its counters announced as jumping.
func TestPacketsFallsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewPackets(live.TailConfig{MaxAge: 5 * time.Second})
		units := muxtest.AV().UnitsFor(30 * mux.ClockRate)
		r := live.NewReader(tail, false)
		var got []byte
		for i, u := range units {
			tail.Append(u, time.Now())
			if u.DTS-units[0].DTS < 5*mux.ClockRate || i == len(units)-1 {
				got = append(got, drain(r)...)
			}
		}
		if jumps := checkContinuity(t, got); jumps != 4 {
			t.Errorf("%d announced jumps, want one of each PID", jumps)
		}
		if n := tail.Moved(); n != 1 {
			t.Errorf("Moved() = %d, want 1", n)
		}
		var video []*mux.Unit
		for _, u := range demux(ts.NewDemuxer(ts.Options{}), got) {
			if u.Track == 0 {
				video = append(video, u)
			}
		}
		for i, u := range video[1:] {
			if u.DTS-video[i].DTS > mux.ClockRate && u.Access != mux.AccessRandom {
				t.Errorf("goes on with a unit of access %v", u.Access)
			}
		}
	})
}

// Another source with other counters and another program takes over.
func TestPacketsSeesAnotherSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewPackets(live.TailConfig{})
		r := live.NewReader(tail, false)
		var got []byte
		for _, s := range []muxtest.Stream{muxtest.AV(), muxtest.Audio(mux.CodecMP3), muxtest.AV()} {
			for _, u := range s.UnitsFor(4 * mux.ClockRate) {
				tail.Append(u, time.Now())
			}
			got = append(got, drain(r)...)
			tail.Break()
		}
		if jumps := checkContinuity(t, got); jumps < 2 {
			t.Errorf("%d announced jumps", jumps)
		}
		versions := map[byte]bool{}
		for _, p := range packets(t, got) {
			if pid(p) == muxtest.PMTPID {
				versions[p[10]] = true
			}
		}
		if len(versions) < 2 {
			t.Error("the other program was not announced")
		}
	})
}

// hls-rules F04: from a frame edge, with two seconds at once.
func TestFrames(t *testing.T) {
	for _, s := range []muxtest.Stream{muxtest.AV(), muxtest.Audio(mux.CodecMP3)} {
		synctest.Test(t, func(t *testing.T) {
			tail := live.NewFrames(live.TailConfig{Burst: 2 * time.Second, Flush: 250 * time.Millisecond})
			var frames []mux.Frame
			for _, u := range s.UnitsFor(20 * mux.ClockRate) {
				if len(u.Frames) > 0 {
					tail.Append(u, time.Now())
					frames = append(frames, u.Frames...)
				}
			}
			tail.Break() // all is shown
			got := drain(live.NewReader(tail, false))
			n, size := 0, 0
			for size < len(got) && n < len(frames) {
				n++
				size += len(frames[len(frames)-n].Data)
			}
			var want []byte
			for _, f := range frames[len(frames)-n:] {
				want = append(want, f.Data...)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("got %d bytes that are not the last %d frames", len(got), n)
			}
			burst := frames[len(frames)-1].PTS - frames[len(frames)-n].PTS
			if burst < 2*mux.ClockRate || burst > 2*mux.ClockRate+3*mux.ClockRate/10 {
				t.Errorf("begins with %v at once, want 2 s and less than a flush", burst.Duration())
			}
		})
	}
}

// Pictures begin at the newest place to start; sound alone begins with a burst
// in a transport stream too.
func TestPacketsBursts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		stream   muxtest.Stream
		min, max mux.Ticks
	}{
		{"pictures", muxtest.AV(), 0, 2 * mux.ClockRate},
		{"sound", muxtest.Audio(mux.CodecMP3), 2 * mux.ClockRate, 2*mux.ClockRate + mux.ClockRate/10},
	} {
		synctest.Test(t, func(t *testing.T) {
			tail := live.NewPackets(live.TailConfig{Burst: 2 * time.Second})
			for _, u := range tt.stream.UnitsFor(11 * mux.ClockRate) {
				tail.Append(u, time.Now())
			}
			units := demux(ts.NewDemuxer(ts.Options{}), drain(live.NewReader(tail, false)))
			if burst := units[len(units)-1].DTS - units[0].DTS; burst < tt.min || burst > tt.max {
				t.Errorf("%s: begins with %v at once, want %v to %v", tt.name, burst.Duration(), tt.min.Duration(), tt.max.Duration())
			}
		})
	}
}

// A player cannot go on with another codec: the body ends.
func TestFramesEnd(t *testing.T) {
	tail := live.NewFrames(live.TailConfig{})
	r := live.NewReader(tail, false)
	for _, c := range []mux.Codec{mux.CodecAAC, mux.CodecMP3} {
		for _, u := range muxtest.Audio(c).UnitsFor(mux.ClockRate) {
			tail.Append(u, time.Now())
		}
		if b, over := r.Drain(1000); over != (c == mux.CodecMP3) || len(b) == 0 && !over {
			t.Errorf("%v: %d bytes, over %v", c, len(b), over)
		}
	}
	if b, over := live.NewReader(tail, false).Drain(1000); over || len(b) == 0 {
		t.Errorf("who comes later gets %d bytes, over %v", len(b), over)
	}
}

// What is sent in pieces, and in chunks, is the same.
func TestReaderInPieces(t *testing.T) {
	s := muxtest.AV()
	s.VideoBytes = 100_000 // more than is copied together
	units := s.UnitsFor(mux.ClockRate)
	for _, most := range []int{7, 1000, 1 << 30} {
		tail := live.NewPackets(live.TailConfig{})
		whole, pieces, chunks := live.NewReader(tail, false), live.NewReader(tail, false), live.NewReader(tail, true)
		var want, plain, chunked []byte
		for i, u := range units {
			tail.Append(u, time.Now())
			if i == len(units)-1 {
				tail.End()
			}
			b, _ := whole.Drain(1 << 30)
			want = append(want, b...)
			b, _ = pieces.Drain(most)
			plain = append(plain, b...)
			b, over := chunks.Drain(most)
			chunked = append(chunked, b...)
			if over != (i == len(units)-1) {
				t.Fatalf("over %v at unit %d of %d", over, i, len(units))
			}
		}
		if !bytes.Equal(plain, want) {
			t.Errorf("in pieces of %d there are %d bytes, not the %d that were wanted", most, len(plain), len(want))
		}
		got, err := io.ReadAll(httputil.NewChunkedReader(bytes.NewReader(chunked)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("in chunks in pieces of %d there are %d bytes, %v, not the %d that were wanted", most, len(got), err, len(want))
		}
	}
}

// hls-rules F01: a listener that begins in the middle is told PAT and PMT, and
// goes on with what all others get.
func TestPacketsJoin(t *testing.T) {
	for _, s := range []muxtest.Stream{muxtest.AV(), muxtest.Audio(mux.CodecMP3)} {
		tail := live.NewPackets(live.TailConfig{Burst: time.Second, Flush: 100 * time.Millisecond})
		all := live.NewReader(tail, false)
		var readers []*live.Reader
		var got [][]byte
		var want []byte
		for i, u := range s.UnitsFor(8 * mux.ClockRate) {
			tail.Append(u, time.Now())
			want = append(want, drain(all)...)
			if i%7 == 0 {
				readers, got = append(readers, live.NewReader(tail, false)), append(got, nil)
			}
			for j, r := range readers {
				got[j] = append(got[j], drain(r)...)
			}
		}
		for _, b := range got {
			checkContinuity(t, b)
			if s.Video != mux.CodecUnknown {
				checkPSI(t, b)
			}
			if head := packets(t, b[:2*mux.PacketSize]); pid(head[0]) != patPID || pid(head[1]) != muxtest.PMTPID {
				t.Fatalf("begins with PIDs %#x %#x", pid(head[0]), pid(head[1]))
			}
			if !bytes.HasSuffix(want, b[2*mux.PacketSize:]) {
				t.Fatalf("%d bytes are not the end of what the first listener got", len(b))
			}
		}
	}
}

// What listeners do costs no memory: a tail keeps its bounds, and a listener
// that never reads holds one batch.
func TestTailIsBounded(t *testing.T) {
	const limit = 1 << 20
	tail := live.NewPackets(live.TailConfig{MaxBytes: limit, MaxAge: time.Hour})
	stuck := make([]*live.Reader, 100)
	for i := range stuck {
		stuck[i] = live.NewReader(tail, true)
	}
	s := muxtest.AV()
	s.VideoBytes = 20_000
	n, first := 0, int64(0)
	var heap runtime.MemStats
	for u := range s.Units() {
		tail.Append(u, time.Now())
		if n == 50 {
			for _, r := range stuck {
				r.Drain(100)
			}
		}
		if n++; n == 200 {
			runtime.GC()
			runtime.ReadMemStats(&heap)
			first = int64(heap.HeapAlloc)
		}
		if n == 4000 {
			break
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&heap)
	if grown := int64(heap.HeapAlloc) - first; grown > limit {
		t.Errorf("heap grew by %d bytes while %d bytes went through a tail of %d", grown, n*20_000, limit)
	}
	runtime.KeepAlive(stuck)
}

// End sends all away, and what comes later is a new beginning.
func TestTailEnds(t *testing.T) {
	tail := live.NewFrames(live.TailConfig{})
	early := live.NewReader(tail, false)
	if b, over := early.Drain(1000); len(b) > 0 || over {
		t.Errorf("an empty tail has %d bytes, over %v", len(b), over)
	}
	units := muxtest.Audio(mux.CodecAAC).UnitsFor(mux.ClockRate)
	for _, u := range units {
		tail.Append(u, time.Now())
	}
	tail.End()
	if b, over := early.Drain(1000); len(b) == 0 || !over {
		t.Errorf("at the end there are %d bytes, over %v", len(b), over)
	}
	if b, over := live.NewReader(tail, false).Drain(1000); len(b) > 0 || !over {
		t.Errorf("after the end there are %d bytes, over %v", len(b), over)
	}
	tail.Append(units[0], time.Now()) // opens it again
	if b, over := live.NewReader(tail, false).Drain(1000); len(b) != len(units[0].Frames[0].Data)*len(units[0].Frames) || over {
		t.Errorf("opened again it has %d bytes, over %v", len(b), over)
	}
}

func BenchmarkPackets(b *testing.B) {
	s := muxtest.AV()
	s.VideoBytes = 12_000
	units := s.UnitsFor(10 * mux.ClockRate)
	size := 0
	b.ReportAllocs()
	for b.Loop() {
		tail := live.NewPackets(live.TailConfig{})
		size = 0
		for _, u := range units {
			tail.Append(u, time.Now())
			size += u.Size
		}
	}
	b.SetBytes(int64(size))
}
