package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

func TestTCPSourceFromFirstByteToLast(t *testing.T) {
	formats := []struct {
		name   string
		stream muxtest.Stream
		format string
		tracks string
	}{
		{"video", muxtest.AV(), "MPEG-TS", "H.264 64x64 25 fps, AAC 48 kHz stereo"},
		{"MP3 in a transport stream", muxtest.Audio(mux.CodecMP3), "MPEG-TS", "MP3 48 kHz stereo"},
		{"raw MP3", muxtest.RawAudio(mux.CodecMP3), "MP3", "MP3 48 kHz stereo"},
		{"raw AAC", muxtest.RawAudio(mux.CodecAAC), "ADTS", "AAC 48 kHz stereo"},
	}
	for _, tt := range formats {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{})
				conn := b.net.dial()
				send(t, conn, tt.stream.Bytes(2*mux.ClockRate))
				time.Sleep(3 * time.Second)
				send(t, conn, tt.stream.Bytes(mux.ClockRate/2))
				conn.Close()
				synctest.Wait()

				feeds := b.sink.all()
				if len(feeds) != 1 {
					t.Fatalf("%d feeds, want 1: %s", len(feeds), b.log.String())
				}
				f := feeds[0]
				if f.closed != 1 || !errors.Is(f.cause, io.EOF) {
					t.Errorf("feed closed %d times, cause %v, want once with EOF", f.closed, f.cause)
				}
				if f.units < 20 || len(f.reports) < 2 || !strings.Contains(f.format, tt.format) {
					t.Errorf("feed got %d units, %d reports of %q", f.units, len(f.reports), f.format)
				}
				if f.info.Kind != "tcp" || f.info.Remote != "192.0.2.7:1001" || f.info.ID == "" {
					t.Errorf("source is %+v", f.info)
				}
				b.want(1, "source started", tt.tracks, "stream=live", "remote=192.0.2.7:1001", "source="+f.info.ID)
				b.want(1, "source ended", "duration=3s", fmt.Sprint("bytes=", f.reports[len(f.reports)-1].Bytes))
				b.end()
			})
		})
	}
}

func TestTCPPortStaysOpenBetweenEncoders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		for range 3 {
			conn := b.net.dial()
			send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
			conn.Close()
			synctest.Wait()
		}
		if n := len(b.sink.all()); n != 3 {
			t.Errorf("%d sources were taken, want 3", n)
		}
		b.end()
	})
}

func TestTCPSecondEncoderIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t, ingest.Options{})
		media := muxtest.AV().Bytes(mux.ClockRate)
		first, second := b.net.dial(), b.net.dial()
		time.Sleep(time.Second)
		send(t, first, media)
		go second.Write(media) // fails when it is closed
		synctest.Wait()
		if !isClosed(second) {
			t.Error("the second encoder is still connected")
		}
		b.want(1, "source refused", "remote=192.0.2.7:1002", "holder=192.0.2.7:1001", "stop that one")
		if isClosed(first) {
			t.Error("the first encoder lost its connection")
		}
		first.Close()
		synctest.Wait()
		third := b.net.dial()
		send(t, third, media)
		third.Close()
		synctest.Wait()
		if feeds := b.sink.all(); len(feeds) != 2 || feeds[1].units == 0 {
			t.Errorf("the encoder after it was not taken: %d feeds", len(feeds))
		}
		b.end()
	})
}

func TestTCPSilence(t *testing.T) {
	media := muxtest.AV().Bytes(mux.ClockRate)
	tests := []struct {
		name  string
		media []byte
		wait  time.Duration // until it is given up
		log   []string
		feeds int
	}{
		{"before the first byte", nil, 10 * time.Second, []string{"connection ended without media", "nothing was sent for 10s"}, 0},
		{"in the middle", media, 10 * time.Second, []string{"level=WARN", "source ended", "nothing was sent for 10s"}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{})
				conn := b.net.dial()
				if tt.media != nil {
					send(t, conn, tt.media)
				}
				time.Sleep(tt.wait - time.Millisecond)
				synctest.Wait()
				if isClosed(conn) {
					t.Error("closed too early")
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if !isClosed(conn) {
					t.Error("still open")
				}
				b.want(1, tt.log...)
				feeds := b.sink.all()
				if len(feeds) != tt.feeds {
					t.Fatalf("%d feeds, want %d", len(feeds), tt.feeds)
				}
				for _, f := range feeds {
					if !errors.Is(f.cause, ingest.ErrSilent) || f.closed != 1 {
						t.Errorf("feed closed %d times with %v, want once with ErrSilent", f.closed, f.cause)
					}
				}
				b.end()
			})
		})
	}
}

func TestTCPRefusesWhatIsNoMedia(t *testing.T) {
	garbage := bytes.Repeat([]byte("headwater "), 30_000)
	tests := []struct {
		name string
		send []byte
		log  []string
	}{
		{"an HTTP request", []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), []string{"source refused", "HTTP request"}},
		{"noise", garbage, []string{"source refused", "neither MPEG-TS nor MP3 nor ADTS AAC"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{})
				conn := b.net.dial()
				go conn.Write(tt.send)
				synctest.Wait()
				if !isClosed(conn) {
					t.Error("still open")
				}
				b.want(1, append(tt.log, "level=WARN")...)
				if n := len(b.log.lines("level=WARN")); n != 1 {
					t.Errorf("%d lines, want one:\n%s", n, b.log.String())
				}
				good := b.net.dial()
				send(t, good, muxtest.AV().Bytes(mux.ClockRate))
				good.Close()
				synctest.Wait()
				if n := len(b.sink.all()); n != 1 {
					t.Errorf("%d sources after it were taken, want 1", n)
				}
				b.end()
			})
		})
	}
}

// A transport stream of nothing but stuffing keeps the connection busy, but
// must not hold the stream for ever.
func TestTCPGivesUpOnASourceWithoutMedia(t *testing.T) {
	null := make([]byte, mux.PacketSize)
	copy(null, []byte{0x47, 0x1f, 0xff, 0x10})
	stuffing := bytes.Repeat(null, 7)
	for _, held := range []bool{false, true} {
		t.Run(fmt.Sprintf("held %v", held), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := start(t, ingest.Options{Timeout: 2 * time.Second})
				conn := b.net.dial()
				if held {
					send(t, conn, muxtest.AV().Bytes(mux.ClockRate))
				}
				begin := time.Now()
				for time.Since(begin) < time.Minute {
					if _, err := conn.Write(stuffing); err != nil {
						break
					}
					time.Sleep(500 * time.Millisecond)
				}
				if d := time.Since(begin); d < 6*time.Second || d > 8*time.Second {
					t.Errorf("given up after %v, want 6 s", d)
				}
				synctest.Wait()
				b.want(1, "level=WARN", "no media was found in what was sent for 6s")
				b.end()
			})
		})
	}
}
