package icecast_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/icecast"
	"headwater/ingest/ingesttest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// password is a guard that knows one for all streams.
type password string

func (p password) Source(_ context.Context, _, _, word, _ string) bool { return word == string(p) }

// bench is a server with stream "live" in a bubble.
type bench struct {
	t        *testing.T
	server   *icecast.Server
	sink     *ingesttest.Sink
	log      *ingesttest.Log
	takeover bool
	stop     func()
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, sink: &ingesttest.Sink{}, log: &ingesttest.Log{}}
	b.server = icecast.New(icecast.Config{Guard: password("hackme"), Open: b.open, Log: b.log.Logger()})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.server.Run(ctx) }()
	b.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
	return b
}

func (b *bench) open(name string) (*icecast.Stream, error) {
	if name != "live" {
		return nil, fmt.Errorf("there is no stream %q", name)
	}
	return &icecast.Stream{
		Options:  ingest.Options{Stream: name, Sink: b.sink, Log: b.log.Logger()},
		Holder:   b.holder,
		Takeover: b.takeover,
	}, nil
}

func (b *bench) holder() (mux.SourceInfo, bool) {
	feeds := b.sink.Feeds()
	if len(feeds) == 0 {
		return mux.SourceInfo{}, false
	}
	closed, _ := feeds[len(feeds)-1].Closed()
	return feeds[len(feeds)-1].Info, !closed
}

// dial connects an encoder.
func (b *bench) dial() *encoder {
	near, far := net.Pipe()
	e := &encoder{Conn: far, done: make(chan struct{}), read: make(chan struct{})}
	go func() {
		b.server.Serve(addressed{near})
		close(e.done)
	}()
	go func() {
		defer close(e.read)
		buf := make([]byte, 4096)
		for {
			n, err := far.Read(buf)
			e.answer.Write(buf[:n])
			if err != nil {
				return
			}
		}
	}()
	return e
}

// encoder is the other end of a connection, and what it was told.
type encoder struct {
	net.Conn
	answer ingesttest.Log
	done   chan struct{} // closed when it was served
	read   chan struct{}
}

// addressed is a pipe with an address.
type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 1001}
}

// send sends text with CRLF for each line break, as far as it is taken.
func (e *encoder) send(text string) {
	io.WriteString(e.Conn, strings.ReplaceAll(text, "\n", "\r\n"))
}

// told returns what the encoder was told, with line breaks for CRLF.
func (e *encoder) told() string { return strings.ReplaceAll(e.answer.String(), "\r\n", "\n") }

// basic is Basic authorization of source:hackme.
const basic = "Authorization: Basic c291cmNlOmhhY2ttZQ==\n"

// chunked returns b in chunks of up to n bytes, with the last one.
func chunked(b []byte, n int) string {
	var out strings.Builder
	for len(b) > 0 {
		k := min(n, len(b))
		fmt.Fprintf(&out, "%x\r\n%s\r\n", k, b[:k])
		b = b[k:]
	}
	return out.String() + "0\r\n\r\n"
}

// The end of the last chunk may come late: an answer that is followed by a close
// with that unread would be thrown away by the system.
func TestSourceSendsTheEndLate(t *testing.T) {
	media := muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.stop()
		e := b.dial()
		defer e.Close()
		e.send("PUT /live HTTP/1.1\nHost: x\n" + basic + "Transfer-Encoding: chunked\n\n")
		io.WriteString(e, strings.TrimSuffix(chunked(media, 1000), "\r\n"))
		time.Sleep(time.Second)
		if got := e.told(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\n") {
			t.Errorf("told %q, want 200", got)
		}
		if _, err := io.WriteString(e, "\r\n"); err != nil {
			t.Errorf("the connection is closed before all was sent: %v", err)
		}
	})
}

// hls-rules F10, F11, F12: transcripts of the encoders there are, with the bytes
// of the media in the packet of the head or behind it.
func TestSourcesAreTaken(t *testing.T) {
	media := muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate)
	const ok10 = "HTTP/1.0 200 OK\n\n"
	const proceed = "HTTP/1.1 100 Continue\n\n"
	const done = "HTTP/1.1 200 OK\nContent-Type: text/plain; charset=utf-8\nCache-Control: no-store\nConnection: close\nContent-Length: 0\n\n"
	for _, tt := range []struct {
		name, head, body, want string
	}{
		{"libshout 1", "SOURCE /live ICE/1.0\nice-password: hackme\nContent-Type: audio/mpeg\n\n", string(media), ok10},
		{"libshout 2", "SOURCE /live HTTP/1.0\n" + basic + "Content-Type: audio/mpeg\nice-name: R\n\n", string(media), ok10},
		{"a name with its suffix", "SOURCE /live.mp3 HTTP/1.1\nHost: x\n" + basic + "\n", string(media), ok10},
		{"ffmpeg", "PUT /live HTTP/1.1\nHost: x\n" + basic + "Expect: 100-continue\nContent-Type: audio/mpeg\nIcy-MetaData: 1\n\n", string(media), proceed},
		{"curl -T", "PUT /live HTTP/1.1\nHost: x\n" + basic + "Transfer-Encoding: chunked\nExpect: 100-continue\n\n", chunked(media, 1000), proceed + done},
		{"curl without Expect", "POST /live HTTP/1.1\nHost: x\n" + basic + "Transfer-Encoding: chunked\n\n", chunked(media, 1), done},
		{"a whole file", fmt.Sprintf("PUT /live HTTP/1.1\nHost: x\n%sContent-Length: %d\n\n", basic, len(media)), string(media), done},
		{"who waits for an answer", "PUT /live HTTP/1.1\nHost: x\n" + basic + "\n", string(media), "HTTP/1.1 200 OK\nConnection: close\n\n"},
		{"lower case", "PUT /live HTTP/1.1\nhost: x\nauthorization: basic c291cmNlOmhhY2ttZQ==\n\n", string(media), "HTTP/1.1 200 OK\nConnection: close\n\n"},
	} {
		for _, together := range []bool{true, false} {
			t.Run(fmt.Sprint(tt.name, ", together ", together), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t)
					defer b.stop()
					e := b.dial()
					head := strings.ReplaceAll(tt.head, "\n", "\r\n")
					if together {
						io.WriteString(e, head+tt.body)
					} else {
						for _, c := range head {
							io.WriteString(e, string(c))
						}
						synctest.Wait()
						io.WriteString(e, tt.body)
					}
					synctest.Wait()
					if got := e.told(); got != tt.want {
						t.Errorf("told %q, want %q", got, tt.want)
					}
					e.Close()
					<-e.done
					feeds := b.sink.Feeds()
					if len(feeds) != 1 || string(feeds[0].Bytes()) != string(media) {
						t.Fatalf("%d sources were taken, want all of the media of one: %s", len(feeds), b.log.String())
					}
					if closed, cause := feeds[0].Closed(); !closed || !errors.Is(cause, io.EOF) {
						t.Errorf("feed is closed %v by %v, want EOF", closed, cause)
					}
				})
			})
		}
	}
}

// Wrong input gets a status and a sentence, and costs nothing.
func TestSourcesAreRefused(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		want       string // status line, and part of the sentence
		sentence   string
	}{
		{"no password", "PUT /live HTTP/1.1\nHost: x\n\n", "HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Basic realm=", "log in as source"},
		{"a wrong password", "SOURCE /live HTTP/1.0\nAuthorization: Basic c291cmNlOmd1ZXNz\n\n", "HTTP/1.0 401 ", "password"},
		{"a password that is no base64", "SOURCE /live HTTP/1.0\nAuthorization: Basic %%\n\n", "HTTP/1.0 401 ", "password"},
		{"another scheme", "SOURCE /live HTTP/1.0\nAuthorization: Bearer c291cmNlOmhhY2ttZQ==\n\n", "HTTP/1.0 401 ", "password"},
		{"no such stream", "SOURCE /other HTTP/1.0\n" + basic + "\n", "HTTP/1.0 404 ", `no stream "other"`},
		{"a page of the web", "PUT /live HTTP/1.1\n" + basic + "Expect: 100-continue\nContent-Type: text/html\n\n<html>", "HTTP/1.1 415 ", "text/html"},
		{"what cannot be taken", "SOURCE /live HTTP/1.0\n" + basic + "Content-Type: video/webm\n\n", "HTTP/1.0 415 ", "video/webm"},
		{"HTML that says nothing of it", "PUT /live HTTP/1.1\n" + basic + "Content-Length: 20000\n\n" + strings.Repeat("<p>hello</p>", 2000), "HTTP/1.1 415 ", "neither MPEG-TS"},
		{"a method that brings nothing", "DELETE /live ICE/1.0\n" + basic + "\n", "HTTP/1.0 405 ", "SOURCE, PUT or POST"},
		{"no path", "SOURCE live HTTP/1.0\n" + basic + "\n", "HTTP/1.0 400 ", "not understood"},
		{"another protocol", "SOURCE /live FTP/1.0\n" + basic + "\n", "HTTP/1.0 400 ", "not understood"},
		{"an escape that is none", "SOURCE /li%zzve HTTP/1.0\n" + basic + "\n", "HTTP/1.0 400 ", "not understood"},
		{"another coding", "PUT /live HTTP/1.1\n" + basic + "Transfer-Encoding: gzip\n\n", "HTTP/1.1 501 ", "gzip"},
		{"a length that is none", "PUT /live HTTP/1.1\n" + basic + "Content-Length: -5\n\n", "HTTP/1.1 501 ", "no number"},
		{"chunks that are none", "PUT /live HTTP/1.1\n" + basic + "Transfer-Encoding: chunked\n\nhello\n", "HTTP/1.1 400 ", "cannot be read"},
		{"a head without end", "SOURCE /live HTTP/1.0\n" + strings.Repeat("X: y\n", 10000), "HTTP/1.0 431 ", "16 KiB"},
		{"too many fields", "SOURCE /live HTTP/1.0\n" + manyFields(200) + "\n", "HTTP/1.0 400 ", "128"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				defer b.stop()
				e := b.dial()
				e.send(tt.sent)
				<-e.done
				synctest.Wait()
				head, body, _ := strings.Cut(e.told(), "\n\n")
				if !strings.HasPrefix(head, tt.want) || !strings.Contains(body, tt.sentence) || strings.Count(body, "\n") != 1 {
					t.Errorf("told %q and %q, want %q and a line with %q", head, body, tt.want, tt.sentence)
				}
				if n := len(b.sink.Feeds()); n != 0 {
					t.Errorf("%d sources were taken", n)
				}
				if log := b.log.String(); strings.Contains(log, "hackme") || strings.Contains(log, "guess") {
					t.Errorf("a password is in the log: %s", log)
				}
			})
		})
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "X-%d: y\n", i)
	}
	return b.String()
}

// A head that never ends is waited for as long as one may be, and no longer.
func TestHeadTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.stop()
		began := time.Now()
		e := b.dial()
		e.send("SOURCE /live HTTP/1.0\n")
		<-e.done
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("it was given up after %v, want 10s", d)
		}
	})
}

// What a station says of itself is kept, its passwords are not.
func TestStationOfASource(t *testing.T) {
	for _, tt := range []struct {
		name, fields string
		want         mux.Station
	}{
		{"Icecast", "ice-name: R\xe4dio\nice-description: d\nice-genre: g\nice-url: http://u\nice-public: 1\nice-bitrate: 128\nice-audio-info: samplerate=44100\n",
			mux.Station{Name: "Rädio", Description: "d", Genre: "g", URL: "http://u", Public: true, Bitrate: 128, AudioInfo: "samplerate=44100"}},
		{"SHOUTcast", "icy-name:R\nicy-pub:0\nicy-br:64, 64\nicy-url:hackme\n", mux.Station{Name: "R", Bitrate: 64, URL: "hackme"}},
		{"nonsense", "ice-public: perhaps\nice-bitrate: -1\nicy-br: Quality 3\nice-password: hackme\nicy-metaint: 8000\n", mux.Station{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				defer b.stop()
				e := b.dial()
				e.send("SOURCE /live HTTP/1.0\n" + basic + tt.fields + "\n")
				e.Write(muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate))
				e.Close()
				<-e.done
				if got := b.sink.Feeds()[0].Info; got.Station != tt.want || got.Kind != "icecast" || got.Remote != "192.0.2.7:1001" {
					t.Errorf("source is %+v, want station %+v", got, tt.want)
				}
			})
		})
	}
}

// Any bytes: no panic, bounded memory, and what is taken for a request is one.
func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("SOURCE /live ICE/1.0\r\nice-password: x\r\n\r\nmedia"))
	f.Add([]byte("PUT http://h/live?a HTTP/1.1\nHost: x\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		req, rest, err := icecast.ReadRequest(strings.NewReader(string(b)))
		if err != nil {
			return
		}
		if !strings.HasSuffix(string(b), string(rest)) || len(req.Path) < 2 || req.Path[0] != '/' || req.Method == "" || len(req.Fields) > 128 {
			t.Errorf("ReadRequest(%q) = %+v, %q", b, req, rest)
		}
	})
}
