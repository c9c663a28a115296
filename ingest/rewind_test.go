package ingest_test

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// hls-rules F17: a port of raw media knows HTTP when it sees it.
func TestTCPPortGivesHTTPAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := make(chan string, 1)
		b := start(t, ingest.Options{HTTP: func(c net.Conn) {
			c.SetReadDeadline(time.Now().Add(time.Second))
			all, _ := io.ReadAll(c)
			given <- string(all)
			c.Close()
		}})
		for _, request := range []string{"SOURCE /live ICE/1.0\r\n", "PUT /live HTTP/1.1\r\nHost: x\r\n\r\nmedia"} {
			conn := b.net.dial()
			send(t, conn, []byte(request))
			if got := <-given; got != request {
				t.Errorf("given away was %q, want %q", got, request)
			}
		}
		for _, s := range []muxtest.Stream{muxtest.AV(), muxtest.RawAudio(mux.CodecMP3), muxtest.RawAudio(mux.CodecAAC)} {
			conn := b.net.dial()
			send(t, conn, s.Bytes(mux.ClockRate))
			conn.Close()
			synctest.Wait()
		}
		if n := len(b.sink.all()); n != 3 {
			t.Errorf("%d sources of raw media were taken, want 3: %s", n, b.log.String())
		}
		b.end()
	})
}

func TestSpeaksHTTP(t *testing.T) {
	for first, want := range map[string]bool{
		"SOURCE /live HTTP/1.0\r\n":      true,
		"SOURCE /live ICE/1.0\n":         true,
		"GET /a b c HTTP/1.1\r\nHost: x": true,
		"PUT /live HTTP/1.1":             false, // its line is not whole
		"PUT /live FTP/1.0\r\n":          false,
		" /live HTTP/1.1\r\n":            false,
		"hackme\r\n":                     false,
		"hack me HTTP\r\n":               false,
		"G\x40\x00\x10 HTTP/1.1 \n":      false,
		"":                               false,
	} {
		if got := ingest.SpeaksHTTP([]byte(first)); got != want {
			t.Errorf("SpeaksHTTP(%q) = %v, want %v", first, got, want)
		}
	}
}
