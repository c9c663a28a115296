package icecast_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
)

// pipes is a listener of pipes.
type pipes chan net.Conn

func (l pipes) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l pipes) Close() error {
	defer func() { recover() }() // it is closed twice
	close(l)
	return nil
}

func (l pipes) Addr() net.Addr { return &net.TCPAddr{} }

// hls-rules F16: transcripts, with all in one packet and in pieces.
func TestSHOUTcast(t *testing.T) {
	media := string(muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate))
	const welcome = "OK2\nicy-caps:11\n\n"
	const fields = "icy-name:R\nicy-genre:g\nicy-pub:1\nicy-br:128\ncontent-type:audio/mpeg\n\n"
	for _, tt := range []struct {
		name, sent, told string
		sources          int
	}{
		{"a password", "hackme\n" + fields + media, welcome, 1},
		{"bare LF", "hackme\x00" + strings.ReplaceAll(fields, "\n", "\x00") + media, welcome, 1},
		{"a stream and a password", "/live:hackme\n" + fields + media, welcome, 1},
		{"with a suffix", "/live.mp3:hackme\n" + fields + media, welcome, 1},
		{"after a poke", "!POKE\nhackme\n" + fields + media, welcome, 1},
		{"a wrong password", "guess\n", "invalid password\n", 0},
		{"no password", "\n", "invalid password\n", 0},
		{"a stream that is not there", "/none:hackme\n", "", 0},
		{"a password without end", strings.Repeat("x", 2000), "", 0},
		{"a page of the web", "hackme\ncontent-type:text/html\n\n<html>", welcome, 0},
		{"fields without end", "hackme\n" + strings.Repeat("x:y\n", 10000), welcome, 0},
	} {
		for _, piece := range []int{1 << 20, 1} {
			t.Run(fmt.Sprint(tt.name, ", pieces of ", piece), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					l := make(pipes)
					ctx, cancel := context.WithCancel(t.Context())
					done := make(chan error, 1)
					port := b.server.NewSHOUTcast(l, "live", func(net.Conn) { t.Error("it was taken for HTTP") })
					go func() { done <- port.Run(ctx) }()
					near, far := net.Pipe()
					l <- addressed{near}
					e := b.listen(far)
					head, sound := tt.sent, ""
					if i := strings.Index(tt.sent, media); i > 0 {
						head, sound = tt.sent[:i], media
					}
					head = strings.ReplaceAll(strings.ReplaceAll(head, "\n", "\r\n"), "\x00", "\n")
					for all := head; len(all) > 0; {
						n := min(piece, len(all))
						if _, err := io.WriteString(far, all[:n]); err != nil {
							break // it was refused before its end
						}
						all = all[n:]
					}
					io.WriteString(far, sound)
					synctest.Wait()
					if got := e.told(); got != tt.told {
						t.Errorf("told %q, want %q", got, tt.told)
					}
					far.Close()
					cancel()
					if err := <-done; err != nil {
						t.Errorf("Run = %v", err)
					}
					b.stop()
					feeds := b.sink.Feeds()
					if len(feeds) != tt.sources {
						t.Fatalf("%d sources were taken, want %d: %s", len(feeds), tt.sources, b.log.String())
					}
					if tt.sources == 0 {
						return
					}
					want := mux.Station{Name: "R", Genre: "g", Public: true, Bitrate: 128}
					if info := feeds[0].Info; info.Kind != "shoutcast" || info.Station != want || string(feeds[0].Bytes()) != media {
						t.Errorf("the source is %+v, with %d bytes of %d", info, len(feeds[0].Bytes()), len(media))
					}
				})
			})
		}
	}
}

// listen has an encoder keep what it is told on conn.
func (b *bench) listen(conn net.Conn) *encoder {
	e := &encoder{Conn: conn}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := conn.Read(buf)
			e.answer.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return e
}

// What speaks HTTP on the port of SHOUTcast is given away whole; who says
// nothing is closed, and so are more than may wait at a time.
func TestSHOUTcastPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		l := make(pipes)
		given := make(chan string, 1)
		port := b.server.NewSHOUTcast(l, "live", func(c net.Conn) {
			c.SetReadDeadline(time.Now().Add(time.Second))
			all, _ := io.ReadAll(c)
			given <- string(all)
			c.Close()
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- port.Run(ctx) }()
		const request = "GET /admin.cgi?pass=hackme&mode=updinfo&song=x HTTP/1.0\r\nUser-Agent: (Mozilla)\r\n\r\n"
		near, far := net.Pipe()
		l <- addressed{near}
		io.WriteString(far, request[:9])
		io.WriteString(far, request[9:])
		if got := <-given; got != request {
			t.Errorf("given away was %q, want %q", got, request)
		}
		var silent []net.Conn
		for range 70 {
			near, far := net.Pipe()
			l <- addressed{near}
			silent = append(silent, far)
		}
		synctest.Wait()
		open := func() (n int) {
			for _, c := range silent {
				c.SetReadDeadline(time.Now())
				if _, err := c.Read(make([]byte, 1)); err != io.EOF {
					n++
				}
			}
			return n
		}
		if n := open(); n != 64 {
			t.Errorf("%d connections wait, want 64", n)
		}
		time.Sleep(6 * time.Second)
		if n := open(); n != 0 {
			t.Errorf("%d connections wait that said nothing for 6 s, want none", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
		b.stop()
	})
}
