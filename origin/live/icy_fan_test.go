package live_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/origin/live"
)

// A listener that is too slow is moved to what is newest, from frame to frame,
// and stays in phase.
func TestICYThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const every = 1600
		f := startFan(t)
		units, _, titles := titled(120*mux.ClockRate, 400)
		tail := live.NewFrames(live.TailConfig{Burst: 2 * time.Second, Flush: 250 * time.Millisecond})
		tail.Append(units[0], time.Now())
		server, client := net.Pipe()
		defer client.Close()
		var running sync.WaitGroup
		running.Go(func() { f.Serve(tail, server, live.Options{Metaint: every, Burst: 15 * time.Second}) })
		var got bytes.Buffer
		running.Go(func() { // at less than half the bit rate
			for {
				if _, err := io.CopyN(&got, client, 700); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
		})
		began := time.Now()
		for _, u := range units[1:] {
			time.Sleep(time.Until(began.Add((u.DTS - units[0].DTS).Duration())))
			tail.Append(u, time.Now())
		}
		tail.End()
		running.Wait()
		audio, notices, err := strip(got.Bytes(), every)
		if err != nil {
			t.Fatal(err)
		}
		if missed := onFrames(t, audio, units); missed < 1000 {
			t.Errorf("%d frames were missed, want half of them", missed)
		}
		if n := tail.Moved(); n < 2 || n > 5 {
			t.Errorf("Moved() = %d, want a few times", n)
		}
		if last := notices[len(notices)-1].title; last != titles[len(titles)-1].title {
			t.Errorf("the last title is %q, want %q", last, titles[len(titles)-1].title)
		}
		f.stop()
	})
}

// Connections that take pieces of any length, whenever they can, are sent all.
func TestICYFan(t *testing.T) {
	const every = 1600
	l := listen(t)
	f := startFan(t)
	units, audio, titles := titled(60*mux.ClockRate, 50) // more than the kernel takes
	tail := live.NewFrames(live.TailConfig{Flush: 250 * time.Millisecond, MaxBytes: 1 << 30, MaxAge: time.Hour})
	tail.Append(units[0], time.Now())
	clients := make([]net.Conn, 4)
	for i := range clients {
		var server net.Conn
		server, clients[i] = socketPair(t, l)
		if err := clients[i].(*net.TCPConn).SetReadBuffer(128 << 10); err != nil {
			t.Fatal(err)
		}
		f.Serve(tail, server, live.Options{Metaint: every, Burst: time.Hour})
	}
	for _, u := range units[1:] {
		tail.Append(u, time.Now())
	}
	tail.End()
	var reading sync.WaitGroup
	for i, c := range clients {
		reading.Go(func() {
			body, err := io.ReadAll(c)
			if err != nil {
				t.Error(err)
			}
			got, notices, err := strip(body, every)
			if err != nil || !bytes.Equal(got, audio) || len(notices) != 1+len(titles) {
				t.Errorf("listener %d got %d bytes of audio and %d notices, %v, want %d and %d", i, len(got), len(notices), err, len(audio), 1+len(titles))
			}
		})
	}
	reading.Wait()
}

// What a listener costs, with ICY and without.
func BenchmarkListener(b *testing.B) {
	for _, metaint := range []int{0, 16000, 1600} {
		b.Run(fmt.Sprintf("metaint=%d", metaint), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			tail := live.NewFrames(live.TailConfig{Flush: 250 * time.Millisecond})
			var sender live.Sender
			const listeners = 100
			for range listeners {
				client, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Fatal(err)
				}
				server, err := l.Accept()
				if err != nil {
					b.Fatal(err)
				}
				defer server.Close()
				go io.Copy(io.Discard, client) // ends with server
				sender.Add(tail, server, live.Options{Metaint: metaint})
			}
			units, _, _ := titled(60*mux.ClockRate, 200)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				for range 11 { // 250 ms and a little
					tail.Append(units[n%len(units)], time.Now())
					n++
				}
				if err := sender.Send(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/listeners, "ns/batch")
		})
	}
}
