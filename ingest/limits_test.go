package ingest_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

func TestTCPManySilentConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{MaxPending: 8})
		var open []net.Conn
		for range 1000 {
			open = append(open, b.net.dial())
			synctest.Wait()
		}
		alive := 0
		for _, c := range open {
			if !isClosed(c) {
				alive++
			}
		}
		if alive != 8 {
			t.Errorf("%d silent connections are open, want 8", alive)
		}
		conn := b.net.dial()
		send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
		for range 20 { // none of these may push out the one that sends
			b.net.dial()
			synctest.Wait()
		}
		if f := b.sink.all(); len(f) != 1 || f[0].closed != 0 {
			t.Errorf("the good encoder was not kept: %d feeds", len(f))
		}
		if n := len(b.log.lines("closed connections that sent nothing")); n != 1 {
			t.Errorf("%d lines about it within a second, want 1", n)
		}
		b.end()
		if n := len(b.log.lines("closed connections that sent nothing")); n != 2 {
			t.Errorf("%d lines about it in the end, want 2 that count all", n)
		}
	})
}

func TestTCPLobbyKeepsThoseThatSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{MaxPending: 2})
		slow := b.net.dial()
		send(t, slow, muxtest.AV().Bytes(mux.ClockRate)[:100]) // not enough to be recognised
		silent := b.net.dial()
		b.net.dial()
		synctest.Wait()
		if isClosed(slow) || !isClosed(silent) {
			t.Errorf("closed: the one that sends %v, the silent one %v; want the silent one", isClosed(slow), isClosed(silent))
		}
		b.end()
	})
}

func TestTCPAllowList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{Allow: prefixes("192.0.2.0/24", "2001:db8::/32")})
		for _, tt := range []struct {
			remote string
			ok     bool
		}{
			{"192.0.2.9:1", true},
			{"[::ffff:192.0.2.9]:1", true},
			{"[2001:db8::1]:1", true},
			{"198.51.100.1:1", false},
			{"[2001:db9::1]:1", false},
			{"nonsense", false},
		} {
			conn := b.net.dialFrom(tt.remote)
			synctest.Wait()
			if got := !isClosed(conn); got != tt.ok {
				t.Errorf("connection from %s taken: %v, want %v", tt.remote, got, tt.ok)
			}
			conn.Close()
			time.Sleep(time.Second)
		}
		b.want(3, "its address is not in the allow list")
		b.want(1, "allow list", "remote=198.51.100.1:1")
		b.end()
	})
}

func TestTCPFaultsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lossy := muxtest.AV()
		lossy.VideoBytes = 2000
		lossy.Lose = func(n int64) bool { return n%50 == 49 }
		b := start(t, ingest.Options{})
		conn := b.net.dial()
		for chunk := range lossy.Chunks() {
			if chunk.Time > 30*mux.ClockRate {
				break
			}
			if len(chunk.Data) > 0 {
				send(t, conn, chunk.Data)
			}
			time.Sleep(20 * time.Millisecond)
		}
		conn.Close()
		synctest.Wait()
		faults := b.log.lines("level=WARN", "source has faults", "continuity=")
		if len(faults) < 3 || len(faults) > 8 { // 1 s, then 2, 4, 8, …
			t.Errorf("%d lines about faults in 30 s, want a few:\n%s", len(faults), b.log.String())
		}
		b.want(1, "source ended", "continuity=")
		b.end()
	})
}

func TestTCPStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		held, pending := b.net.dial(), b.net.dial()
		send(t, held, muxtest.AV().Bytes(mux.ClockRate))
		b.end()
		if !isClosed(held) || !isClosed(pending) {
			t.Error("a connection outlived Run")
		}
		f := b.sink.all()
		if len(f) != 1 || f[0].closed != 1 || !errors.Is(f[0].cause, context.Canceled) {
			t.Errorf("feeds = %+v, want one closed with context.Canceled", f)
		}
		b.want(0, "level=WARN")
	})
}

// failing is a listener that cannot accept for a while.
type failing struct {
	*pipes
	times int
}

func (f *failing) Accept() (net.Conn, error) {
	if f.times > 0 {
		f.times--
		return nil, errors.New("too many open files")
	}
	return f.pipes.Accept()
}

func TestTCPOutlivesWantOfFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s sink
		ln := &failing{newPipes(), 10}
		l := ingest.NewTCPListener(ln, ingest.Options{Stream: "live", Sink: &s})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		conn := ln.dial()
		send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
		if len(s.all()) != 1 {
			t.Error("no source was taken afterwards")
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	})
}

func TestTCPListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newPipes()
		ln.Close()
		err := ingest.NewTCPListener(ln, ingest.Options{}).Run(t.Context())
		if !errors.Is(err, net.ErrClosed) || !strings.Contains(err.Error(), "192.0.2.1:9999") {
			t.Errorf("Run = %v, want that the listener was closed", err)
		}
	})
}

// Another programme on the same connection is told in the log.
func TestTCPSourceChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		conn := b.net.dial()
		send(t, conn, muxtest.AV().Bytes(2*mux.ClockRate))
		send(t, conn, muxtest.Audio(mux.CodecMP3).Bytes(2*mux.ClockRate))
		conn.Close()
		synctest.Wait()
		b.want(1, "source started", "H.264 64x64 25 fps, AAC 48 kHz stereo")
		b.want(1, "source changed what it sends", `tracks="MP3 48 kHz stereo"`)
		if n := len(b.sink.all()); n != 1 {
			t.Errorf("%d feeds, want 1", n)
		}
		b.end()
	})
}

// An encoder that is refused tries again at once, for ever: it gets a line a second.
func TestTCPComplaintsAreRare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		first := b.net.dial()
		media := muxtest.AV().Bytes(mux.ClockRate)
		send(t, first, media)
		for range 50 {
			conn := b.net.dial()
			go conn.Write(media) // fails when it is closed
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(b.log.lines("another one holds the stream")); n < 5 || n > 6 {
			t.Errorf("%d lines about 50 refusals in 5 s, want 5 or 6:\n%s", n, b.log.String())
		}
		b.want(1, "another one holds the stream", "remote=192.0.2.7:1012", "count=10")
		b.end()
	})
}

// A source that changes its tables all the time gets a line a second.
func TestTCPChangesAreToldSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		conn := b.net.dial()
		for range 30 {
			send(t, conn, muxtest.AV().Bytes(mux.ClockRate/2))
			send(t, conn, muxtest.Audio(mux.CodecMP3).Bytes(mux.ClockRate/2))
			time.Sleep(100 * time.Millisecond)
		}
		conn.Close()
		synctest.Wait()
		b.want(1, "source started")
		if n := len(b.log.lines("source changed what it sends")); n < 1 || n > 4 {
			t.Errorf("%d lines about changes in 3 s, want one a second at most:\n%s", n, b.log.String())
		}
		b.end()
	})
}
