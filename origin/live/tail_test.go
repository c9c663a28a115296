package live_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
	"headwater/origin/live"
)

// patPID is that of the program_association_section (ISO/IEC 13818-1 table 2-3).
const patPID = 0

// packets cuts b into packets and fails the test if it is none.
func packets(t *testing.T, b []byte) [][]byte {
	t.Helper()
	if len(b)%mux.PacketSize != 0 {
		t.Fatalf("%d bytes are no whole packets", len(b))
	}
	var out [][]byte
	for ; len(b) > 0; b = b[mux.PacketSize:] {
		if b[0] != 0x47 {
			t.Fatalf("packet %d begins with %#x", len(out), b[0])
		}
		out = append(out, b[:mux.PacketSize])
	}
	return out
}

func pid(p []byte) mux.PID { return mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2]) }

// discontinuous reports whether a packet has the discontinuity_indicator.
func discontinuous(p []byte) bool { return p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x80 != 0 }

// checkContinuity fails the test at the first packet whose continuity_counter
// does not follow, and returns how many jumps were announced (hls-rules C05, C08).
func checkContinuity(t *testing.T, stream []byte) (jumps int) {
	t.Helper()
	next := map[mux.PID]uint8{}
	for i, p := range packets(t, stream) {
		if discontinuous(p) {
			jumps++
			delete(next, pid(p))
		}
		want, known := next[pid(p)]
		payload := p[3]&0x10 != 0
		if known && payload && ts.Continuity(p) != want {
			t.Fatalf("packet %d of PID %#x has counter %d, want %d", i, pid(p), ts.Continuity(p), want)
		}
		if payload || !known {
			next[pid(p)] = (ts.Continuity(p) + 1) & 15
		}
	}
	return jumps
}

// drain reads until the reader would wait.
func drain(t *testing.T, r live.Reader) []byte {
	t.Helper()
	var all []byte
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		b, err := r.Next(ctx, make([]byte, 0, r.Size()))
		cancel()
		all = append(all, b...)
		if errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// hls-rules F01, C02, C03, C05
func TestTSReaderStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewTail(live.TailConfig{})
		units := muxtest.AV().UnitsFor(61 * mux.ClockRate)
		early := live.NewTSReader(tail)
		var got []byte
		for _, u := range units {
			tail.Append(u)
			got = append(got, drain(t, early)...)
		}
		checkContinuity(t, got)
		checkPSI(t, got)

		late := drain(t, live.NewTSReader(tail))
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
func TestTSReaderFallsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewTail(live.TailConfig{MaxAge: 5 * time.Second})
		units := muxtest.AV().UnitsFor(30 * mux.ClockRate)
		r := live.NewTSReader(tail)
		var got []byte
		for i, u := range units {
			tail.Append(u)
			if u.DTS-units[0].DTS < 5*mux.ClockRate || i == len(units)-1 {
				got = append(got, drain(t, r)...)
			}
		}
		if jumps := checkContinuity(t, got); jumps != 2 {
			t.Errorf("%d announced jumps, want one for pictures and one for sound", jumps)
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
func TestTSReaderSeesAnotherSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewTail(live.TailConfig{})
		r := live.NewTSReader(tail)
		var got []byte
		for _, s := range []muxtest.Stream{muxtest.AV(), muxtest.Audio(mux.CodecMP3), muxtest.AV()} {
			for _, u := range s.UnitsFor(4 * mux.ClockRate) {
				tail.Append(u)
			}
			got = append(got, drain(t, r)...)
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
func TestAudioReader(t *testing.T) {
	for _, s := range []muxtest.Stream{muxtest.AV(), muxtest.Audio(mux.CodecMP3)} {
		synctest.Test(t, func(t *testing.T) {
			tail := live.NewTail(live.TailConfig{Audio: true, Burst: 2 * time.Second, Flush: 250 * time.Millisecond})
			var frames []mux.Frame
			for _, u := range s.UnitsFor(20 * mux.ClockRate) {
				if len(u.Frames) > 0 {
					tail.Append(u)
					frames = append(frames, u.Frames...)
				}
			}
			tail.Break() // all is shown
			got := drain(t, live.NewAudioReader(tail))
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
			if burst < 2*mux.ClockRate || burst > 2*mux.ClockRate+mux.ClockRate/10 {
				t.Errorf("begins with %v at once, want 2 s", burst.Duration())
			}
		})
	}
}

// Pictures begin at the newest place to start; sound alone begins with a burst
// in a transport stream too.
func TestTSReaderBursts(t *testing.T) {
	for _, tt := range []struct {
		name     string
		stream   muxtest.Stream
		min, max mux.Ticks
	}{
		{"pictures", muxtest.AV(), 0, 2 * mux.ClockRate},
		{"sound", muxtest.Audio(mux.CodecMP3), 2 * mux.ClockRate, 2*mux.ClockRate + mux.ClockRate/10},
	} {
		synctest.Test(t, func(t *testing.T) {
			tail := live.NewTail(live.TailConfig{Burst: 2 * time.Second})
			for _, u := range tt.stream.UnitsFor(11 * mux.ClockRate) {
				tail.Append(u)
			}
			units := demux(ts.NewDemuxer(ts.Options{}), drain(t, live.NewTSReader(tail)))
			if burst := units[len(units)-1].DTS - units[0].DTS; burst < tt.min || burst > tt.max {
				t.Errorf("%s: begins with %v at once, want %v to %v", tt.name, burst.Duration(), tt.min.Duration(), tt.max.Duration())
			}
		})
	}
}

// A player cannot go on with another codec: the body ends.
func TestAudioReaderEnds(t *testing.T) {
	tail := live.NewTail(live.TailConfig{})
	r := live.NewAudioReader(tail)
	for _, c := range []mux.Codec{mux.CodecAAC, mux.CodecMP3} {
		for _, u := range muxtest.Audio(c).UnitsFor(mux.ClockRate) {
			tail.Append(u)
		}
		if c == mux.CodecAAC {
			if _, err := r.Next(t.Context(), make([]byte, 0, 1<<20)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for {
		_, err := r.Next(t.Context(), make([]byte, 0, r.Size()))
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// What listeners do costs no memory: a tail keeps its bounds, and a listener
// that never reads holds nothing of it.
func TestTailIsBounded(t *testing.T) {
	const limit = 1 << 20
	tail := live.NewTail(live.TailConfig{MaxBytes: limit, MaxAge: time.Hour})
	stuck := make([]*live.TSReader, 100)
	for i := range stuck {
		stuck[i] = live.NewTSReader(tail)
	}
	s := muxtest.AV()
	s.VideoBytes = 20_000
	n, first := 0, int64(0)
	var heap runtime.MemStats
	for u := range s.Units() {
		tail.Append(u)
		if n == 50 {
			for _, r := range stuck {
				if _, err := r.Next(t.Context(), make([]byte, 0, mux.PacketSize)); err != nil {
					t.Fatal(err)
				}
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

// A listener that reads nothing does not slow Append, and End sends all away.
func TestTailEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := live.NewTail(live.TailConfig{})
		ended := make(chan error, 2)
		for _, r := range []live.Reader{live.NewTSReader(tail), live.NewAudioReader(tail)} {
			go func() {
				_, err := r.Next(t.Context(), make([]byte, 0, r.Size()))
				ended <- err
			}()
		}
		synctest.Wait()
		tail.End()
		for range 2 {
			if err := <-ended; !errors.Is(err, io.EOF) {
				t.Errorf("Next = %v at the end, want io.EOF", err)
			}
		}
		for _, u := range muxtest.Audio(mux.CodecAAC).UnitsFor(mux.ClockRate) {
			tail.Append(u) // opens it again
		}
		if b, err := live.NewTSReader(tail).Next(t.Context(), make([]byte, 0, 1880)); err != nil || len(b) == 0 {
			t.Errorf("Next = %d bytes, %v after the tail was opened again", len(b), err)
		}
	})
}

func BenchmarkTSReader(b *testing.B) {
	tail := live.NewTail(live.TailConfig{})
	s := muxtest.AV()
	s.VideoBytes = 12_000
	size := 0
	for _, u := range s.UnitsFor(10 * mux.ClockRate) {
		tail.Append(u)
		size += u.Size
	}
	tail.End()
	buf := make([]byte, 0, 340*mux.PacketSize)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		r := live.NewTSReader(tail)
		n = 0
		for {
			p, err := r.Next(b.Context(), buf[:0])
			if err != nil {
				break
			}
			n += len(p)
		}
	}
	b.SetBytes(int64(n))
}
