//go:build e2e

package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
)

// pour sends a stream in real time until ctx ends.
func pour(ctx context.Context, conn net.Conn, s muxtest.Stream) error {
	began := time.Now()
	var ready []byte
	for c := range s.Chunks() {
		if wait := time.Until(began.Add(c.Time.Duration())); wait > 0 {
			if err := write(conn, ready); err != nil {
				return err
			}
			ready = ready[:0]
			pause(ctx, max(wait, 100*time.Millisecond))
			if ctx.Err() != nil {
				return nil
			}
		}
		ready = append(ready, c.Data...)
	}
	return nil
}

// write fails if the other end takes nothing for a while.
func write(conn net.Conn, b []byte) error {
	if err := conn.SetWriteDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	_, err := conn.Write(b)
	return err
}

// formats are what a source may send: each is another format than the one before.
func formats() []muxtest.Stream {
	wide, open, low := muxtest.AV(), muxtest.AV(), muxtest.RawAudio(mux.CodecMP3)
	wide.Width, wide.Height, wide.GOP = 128, 96, 25
	open.OpenGOP, open.BFrames, open.Audio = true, 2, mux.CodecMP3
	low.SampleRate, low.Channels, low.BitRate = 22050, 1, 32000
	lossy := muxtest.AV()
	lossy.Lose = func(n int64) bool { return n%53 == 7 }
	return []muxtest.Stream{
		muxtest.AV(), wide, open, low, lossy,
		muxtest.Audio(mux.CodecAAC), muxtest.Audio(mux.CodecMP3), muxtest.RawAudio(mux.CodecAAC),
	}
}

// comeAndGo is one connection of a source.
func (s *soak) comeAndGo(ctx context.Context, random *rand.Rand, name string) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.source(name))
	if err != nil {
		return
	}
	defer conn.Close()
	s.send(ctx, random, conn)
}

// beFetched waits for headwater to connect, and sends.
func (s *soak) beFetched(ctx context.Context, random *rand.Rand) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", s.source("fetched"))
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	defer ln.Close()
	conn, err := ln.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	s.send(ctx, random, conn)
}

// intrude connects to a stream that has a source already, or that nobody sends to.
func (s *soak) intrude(ctx context.Context, random *rand.Rand) {
	s.comeAndGo(ctx, random, s.steady[random.IntN(len(s.steady))])
}

// send sends something for some seconds, and ends in some way.
func (s *soak) send(ctx context.Context, random *rand.Rand, conn net.Conn) {
	s.done.sources.Add(1)
	all := formats()
	stream := all[random.IntN(len(all))]
	some, cancel := context.WithTimeout(ctx, time.Duration(200+random.IntN(6000))*time.Millisecond)
	defer cancel()
	switch random.IntN(8) {
	case 0: // says nothing
		<-some.Done()
	case 1: // what is no media
		for _, text := range []string{"GET / HTTP/1.0\r\n\r\n", "SOURCE /a ICE/1.0\r\n\r\n", "<html>", strings.Repeat("x", 300_000)} {
			if write(conn, []byte(text)) != nil {
				return
			}
		}
		<-some.Done()
	case 2: // all at once, and more than there is time for
		write(conn, stream.Bytes(20*mux.ClockRate))
	default:
		pour(some, conn, stream)
	}
	switch random.IntN(3) {
	case 0: // in the middle of a packet
		write(conn, []byte{0x47, 0x41, 0x00, 0x30, 0x07})
	case 1: // without a farewell
		conn.(*net.TCPConn).SetLinger(0)
	}
}

// String is for the log.
func (d *deeds) String() string {
	return fmt.Sprintf("%d sources, %d listeners, %d playlists, %d segments that were what they were published as, %d requests that were nonsense, %d connections at once, %d gaps seen",
		d.sources.Load(), d.listeners.Load(), d.playlists.Load(), d.segments.Load(), d.nonsense.Load(), d.storms.Load(), d.gaps.Load())
}
