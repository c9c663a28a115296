package live_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
	"headwater/origin/live"
)

// sound returns the units of some raw MP3, and their bytes.
func sound(length mux.Ticks) (units []*mux.Unit, frames [][]byte) {
	units = muxtest.Audio(mux.CodecMP3).UnitsFor(length)
	for _, u := range units {
		var all []byte
		for _, f := range u.Frames {
			all = append(all, f.Data...)
		}
		frames = append(frames, all)
	}
	return units, frames
}

// What comes while nobody listens is kept for nobody; who comes begins with
// what comes next, and gets each unit at once.
func TestLossyBegins(t *testing.T) {
	units, frames := sound(mux.ClockRate)
	whole := live.NewFrames(live.TailConfig{Burst: time.Second, Flush: 250 * time.Millisecond})
	tail := live.NewLossy(whole)
	now := time.Now()
	for _, u := range units[:5] {
		tail.Append(u, now)
	}
	if n := tail.Bytes(); n != 0 {
		t.Errorf("%d bytes are kept for nobody", n)
	}
	first := live.NewReader(tail, false)
	if got, _ := first.DrainAt(1<<30, now); len(got) > 0 {
		t.Errorf("begins with %d bytes of the past", len(got))
	}
	for i, u := range units[5:10] {
		tail.Append(u, now)
		if got, _ := first.DrainAt(1<<30, now); !bytes.Equal(got, frames[5+i]) {
			t.Errorf("unit %d came as %d bytes, want %d", 5+i, len(got), len(frames[5+i]))
		}
	}
	second := live.NewReader(tail, false)
	if got, _ := second.DrainAt(1<<30, now); len(got) > 0 {
		t.Errorf("the second one begins with %d bytes of the past", len(got))
	}
	tail.Append(units[10], now)
	if got, _ := second.DrainAt(1<<30, now); !bytes.Equal(got, frames[10]) {
		t.Errorf("the second one begins with %d bytes, want those of the next unit", len(got))
	}
}

// Packets begin with PAT and PMT and a picture to start with, and after a time
// in which nobody listened without a mark that something was left out.
func TestLossyPacketsBegin(t *testing.T) {
	units := muxtest.AV().UnitsFor(20 * mux.ClockRate)
	tail := live.NewLossy(live.NewPackets(live.TailConfig{}))
	now := time.Now()
	for i, part := range slices.Collect(slices.Chunk(units, len(units)/2+1)) {
		for _, u := range part[:100] { // nobody listens
			tail.Append(u, now)
		}
		r := live.NewReader(tail, false)
		var got []byte
		for _, u := range part[100:] {
			tail.Append(u, now)
			b, _ := r.DrainAt(1<<30, now)
			got = append(got, b...)
		}
		if jumps := checkContinuity(t, got); jumps != 0 {
			t.Errorf("part %d has %d discontinuities, want none", i, jumps)
		}
		p := packets(t, got)
		if pid(p[0]) != patPID {
			t.Errorf("part %d begins with PID %d, want the PAT", i, pid(p[0]))
		}
		all := demux(ts.NewDemuxer(ts.Options{}), got)
		slices.SortFunc(all, func(a, b *mux.Unit) int { return cmp.Compare(a.Seq, b.Seq) })
		if u := all[0]; u.Access != mux.AccessRandom || !u.Program.Tracks[u.Track].Codec.Video() {
			t.Errorf("part %d begins with track %d, access %d, want a picture to start with", i, u.Track, u.Access)
		}
		tail.End() // sends the listener away
		if _, over := r.Drain(1 << 30); !over {
			t.Errorf("part %d does not end", i)
		}
	}
}

// Who comes too late for what there was goes on with the next place to start,
// and is told that something was left out (hls-rules C08).
func TestLossyPasses(t *testing.T) {
	units := muxtest.AV().UnitsFor(20 * mux.ClockRate)
	tail := live.NewLossy(live.NewPackets(live.TailConfig{}))
	r := live.NewReader(tail, false)
	now := time.Unix(1000, 0)
	begin := units[0].DTS
	var got []byte
	for _, u := range units {
		at := now.Add((u.DTS - begin).Duration())
		tail.Append(u, at)
		if at.Sub(now) > 3*time.Second && at.Sub(now) < 9*time.Second {
			continue // the listener takes nothing
		}
		b, _ := r.DrainAt(1<<30, at)
		got = append(got, b...)
	}
	if jumps := checkContinuity(t, got); jumps == 0 {
		t.Error("nobody was told of what was left out")
	}
	var newest, before mux.Ticks
	for _, u := range demux(ts.NewDemuxer(ts.Options{}), got) {
		if !u.Program.Tracks[u.Track].Codec.Video() {
			continue
		}
		if before = newest; u.DTS-before > mux.ClockRate && before > 0 && u.Access != mux.AccessRandom {
			t.Errorf("after a hole of %v it goes on with a picture that depends on others", (u.DTS - before).Duration())
		}
		newest = u.DTS
	}
	if tail.Missed() == 0 {
		t.Error("Missed = 0")
	}
}

func TestLate(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		steps []live.LateStep
		want  []bool
	}{
		{"the kernel sends all at once", []live.LateStep{{0, 0, 0}, {26 * ms, 400, 0}, {900 * ms, 800, 0}}, []bool{false, false, false}},
		{"some bytes wait, never the same ones for long", []live.LateStep{{0, 400, 0}, {60 * ms, 800, 400}, {120 * ms, 1200, 400}, {180 * ms, 1600, 400}}, []bool{false, false, false, false}},
		{"the same bytes wait", []live.LateStep{{0, 400, 0}, {60 * ms, 800, 400}, {120 * ms, 1200, 800}, {161 * ms, 1600, 1200}, {200 * ms, 1600, 1200}}, []bool{false, false, false, true, true}},
		{"it is over once they have left", []live.LateStep{{0, 400, 0}, {50 * ms, 800, 400}, {151 * ms, 1200, 800}, {160 * ms, 1200, 300}, {200 * ms, 1600, 600}}, []bool{false, false, true, false, false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := live.Late(tt.steps, 100*ms); !slices.Equal(got, tt.want) {
				t.Errorf("late = %v, want %v", got, tt.want)
			}
		})
	}
}

// A listener whose network takes too little misses whole frames, and hears
// what is live when it takes enough again.
func TestLossyAsksTheKernel(t *testing.T) {
	l := listen(t)
	server, client := socketPair(t, l)
	defer server.Close()
	if err := client.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	if !live.Sees(server) {
		t.Skip("the kernel of this system does not say what it has yet to send")
	}
	units, frames := sound(10 * 60 * mux.ClockRate)
	tail := live.NewLossy(live.NewFrames(live.TailConfig{}))
	w := live.NewWatched(tail, server)
	now := time.Unix(1000, 0)
	next := 0
	step := func() {
		tail.Append(units[next], now)
		next++
		if err := w.Send(now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(24 * time.Millisecond)
	}
	for tail.Missed() < 100 { // nobody reads
		if step(); next == len(units) {
			t.Fatal("nothing was left out")
		}
	}
	left := next
	var got []byte
	b := make([]byte, 64<<10)
	for w.Unsent() > 0 { // the listener reads again
		n, err := client.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	for range 10 {
		step()
	}
	server.Close()
	rest, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, rest...)
	var heard []int // numbers of units
	for n, f := range frames[:next] {
		if bytes.HasPrefix(got, f) {
			got = got[len(f):]
			heard = append(heard, n)
		}
	}
	if len(got) > 0 {
		t.Errorf("%d bytes are no whole frame", len(got))
	}
	if i := len(heard) - 10; i < 1 || heard[i] != left || heard[i-1] > left-100 {
		t.Errorf("heard units %v, want the last 10 of %d, and 100 left out before", heard, next)
	}
}

// What lies above a socket does not hide it.
func TestSees(t *testing.T) {
	server, client := socketPair(t, listen(t))
	if live.Sees(server) != (runtime.GOOS == "linux") {
		t.Errorf("Sees(socket) = %v on %s", live.Sees(server), runtime.GOOS)
	}
	if live.Sees(tls.Server(server, &tls.Config{})) != live.Sees(server) {
		t.Error("TLS hides the socket")
	}
	server.Close()
	client.Close()
	pipe, _ := net.Pipe()
	for _, c := range []net.Conn{nil, pipe, server} {
		if live.Sees(c) {
			t.Errorf("Sees(%T) = true", c)
		}
	}
}

// slowWriter takes some time for each write.
type slowWriter struct {
	http.ResponseWriter
	takes time.Duration
}

func (w slowWriter) Write(p []byte) (int, error) {
	time.Sleep(w.takes)
	return len(p), nil
}

func (w slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// A writer that waits and takes too little gets what is live all the same.
func TestCopyStaysLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units, _ := sound(20 * mux.ClockRate)
		tail := live.NewLossy(live.NewFrames(live.TailConfig{}))
		w := slowWriter{httptest.NewRecorder(), 60 * time.Millisecond}
		ctx, cancel := context.WithCancel(t.Context())
		var copying sync.WaitGroup
		copying.Go(func() { tail.Copy(ctx, w, nil, live.Options{}) })
		synctest.Wait()
		for _, u := range units[:400] {
			tail.Append(u, time.Now())
			time.Sleep(24 * time.Millisecond)
		}
		if n := tail.Missed(); n < 200 {
			t.Errorf("Missed = %d of 400 units that 160 could be sent of", n)
		}
		cancel()
		copying.Wait()
	})
}

// A listener that is late when the tail ends is let go, too.
func TestFanEndsLate(t *testing.T) {
	l := listen(t)
	f := startFan(t)
	server, client := socketPair(t, l)
	if !live.Sees(server) {
		t.Skip("the kernel of this system does not say what it has yet to send")
	}
	if err := client.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	units, _ := sound(60 * mux.ClockRate)
	tail := live.NewLossy(live.NewFrames(live.TailConfig{}))
	f.Serve(tail, server, live.Options{})
	pace := time.NewTicker(10 * time.Millisecond) // the listener is late long before the kernel takes no more
	defer pace.Stop()
	for i := 0; tail.Missed() < 20; i++ {
		if i == len(units) {
			t.Fatalf("%d units were missed of %d", tail.Missed(), i)
		}
		tail.Append(units[i], time.Now())
		<-pace.C
	}
	tail.End()
	if err := client.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, client); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the late listener is not sent away: %v", err)
	}
}

// A tail that has ended is open again for who comes after its source is back,
// whether anybody listened meanwhile or not.
func TestOpensAgain(t *testing.T) {
	units, frames := sound(mux.ClockRate)
	for _, lossy := range []bool{false, true} {
		tail := live.NewFrames(live.TailConfig{})
		if lossy {
			tail = live.NewLossy(tail)
		}
		tail.Append(units[0], time.Now())
		tail.End()
		tail.Break() // a source
		r := live.NewReader(tail, false)
		if got, over := r.Drain(1 << 30); over || len(got) > 0 {
			t.Errorf("lossy %v: %d bytes and over = %v before there is media", lossy, len(got), over)
		}
		tail.Append(units[1], time.Now())
		if got, over := r.Drain(1 << 30); over || len(got) != len(frames[1]) {
			t.Errorf("lossy %v: %d bytes, over = %v, want %d bytes", lossy, len(got), over, len(frames[1]))
		}
	}
}

// Who is behind when another source comes, whose times are others, gets all
// that the last one sent.
func TestOtherTimesDropNothing(t *testing.T) {
	units, frames := sound(100 * mux.ClockRate)
	tail := live.NewFrames(live.TailConfig{})
	var want []byte
	add := func(from, n int) {
		for i := from; i < from+n; i++ {
			tail.Append(units[i], time.Now())
			want = append(want, frames[i]...)
		}
	}
	tail.Append(units[len(units)-101], time.Now())
	r := live.NewReader(tail, false)
	drain(r)
	add(len(units)-100, 100)
	tail.Break()
	add(0, 50)
	if got := drain(r); !bytes.Equal(got, want) || tail.Moved() != 0 {
		t.Errorf("%d bytes came of %d, moved %d times", len(got), len(want), tail.Moved())
	}
}
