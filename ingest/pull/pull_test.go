package pull_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
	"headwater/ingest/pull"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// internet is a network of servers by host:port, in a bubble's own time.
type internet struct {
	mu      sync.Mutex
	servers map[string]func(net.Conn, string) // get the connection and the head of the request; guarded by mu
	heads   []string                          // of all requests; guarded by mu
	serving sync.WaitGroup
}

func (n *internet) set(address string, server func(net.Conn, string)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.servers == nil {
		n.servers = map[string]func(net.Conn, string){}
	}
	n.servers[address] = server
}

func (n *internet) dial(_ context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	server := n.servers[address]
	n.mu.Unlock()
	if server == nil {
		return nil, fmt.Errorf("dial %s: connection refused", address)
	}
	near, far := net.Pipe()
	n.serving.Go(func() {
		defer far.Close()
		r := bufio.NewReader(far)
		var head strings.Builder
		for !strings.HasSuffix(head.String(), "\r\n\r\n") {
			b, err := r.ReadByte()
			if err != nil {
				return
			}
			head.WriteByte(b)
		}
		n.mu.Lock()
		n.heads = append(n.heads, head.String())
		n.mu.Unlock()
		server(far, head.String())
	})
	return near, nil
}

// sound is media of some seconds.
func sound(seconds int) []byte {
	return muxtest.RawAudio(mux.CodecMP3).Bytes(mux.Ticks(seconds) * mux.ClockRate)
}

// answers returns a server that sends a head, and then pieces at once.
func answers(head string, pieces ...[]byte) func(net.Conn, string) {
	return func(c net.Conn, _ string) {
		io.WriteString(c, strings.ReplaceAll(head, "\n", "\r\n")+"\r\n\r\n")
		c.Write(bytes.Join(pieces, nil))
		time.Sleep(time.Second) // a pipe that is closed takes no deadlines, even if it holds something
	}
}

// live returns a server that sends media in real time, until told to stop.
func live(stop <-chan struct{}) func(net.Conn, string) {
	return func(c net.Conn, _ string) {
		io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\n\r\n")
		media := sound(600)
		const second = 16000
		for len(media) > second {
			if _, err := c.Write(media[:second]); err != nil {
				return
			}
			media = media[second:]
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
			}
		}
	}
}

// interleave puts blocks of metadata into media.
func interleave(media []byte, every int, blocks ...string) []byte {
	var b []byte
	for i := 0; len(media) > every; i++ {
		b = append(b, media[:every]...)
		media = media[every:]
		var text string
		if i < len(blocks) {
			text = blocks[i]
		}
		n := (len(text) + 15) / 16
		b = append(append(append(b, byte(n)), text...), make([]byte, 16*n-len(text))...)
	}
	return append(b, media...)
}

// try runs a puller of urls once.
func try(t *testing.T, n *internet, urls ...string) (*ingesttest.Sink, error) {
	t.Helper()
	sink := &ingesttest.Sink{}
	p, err := pull.New(urls, ingest.Options{Stream: "live", Sink: sink})
	if err != nil {
		t.Fatal(err)
	}
	p.DialBy(n.dial)
	err = p.Run(t.Context())
	n.serving.Wait()
	return sink, err
}

func TestPullTakesMediaAndTitles(t *testing.T) {
	media := sound(3)
	titled := interleave(media, 4000, "StreamTitle='Me - You & I';StreamUrl='http://x/';", "", "StreamTitle='Don't stop';", "StreamTitle='Don't stop';", "StreamTitle='\xc4hm';", "StreamTitle='';")
	const icy = "icy-name: A st\xe4tion\nicy-genre: Pop\nicy-br: 128\nicy-metaint: 4000"
	tests := []struct {
		name   string
		server func(net.Conn, string)
		titles []string
	}{
		{"Icecast", answers("HTTP/1.0 200 OK\nContent-Type: audio/mpeg\n"+icy, titled), []string{"Me - You & I", "Don't stop", "Ähm", ""}},
		{"SHOUTcast", answers("ICY 200 OK\nicy-notice1:<BR>This stream requires <a>Winamp</a>\ncontent-type:audio/mpeg\n"+icy, titled), []string{"Me - You & I", "Don't stop", "Ähm", ""}},
		{"HTTP", answers("HTTP/1.1 200 OK", media), nil},
		{"chunked", answers("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", []byte(fmt.Sprintf("%x\r\n", len(media))), media, []byte("\r\n0\r\n\r\n")), nil},
		{"chunked with titles", answers("HTTP/1.1 200 OK\ntransfer-encoding: Chunked\n"+icy, []byte(fmt.Sprintf("%x\r\n", len(titled))), titled, []byte("\r\n0\r\n\r\n")), []string{"Me - You & I", "Don't stop", "Ähm", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &internet{}
				n.set("radio.example:8000", tt.server)
				sink, err := try(t, n, "http://me:secret@radio.example:8000/live?x=1")
				var end *ingest.EndError
				if !errors.As(err, &end) || !errors.Is(err, io.EOF) {
					t.Fatalf("Run = %v, want an EndError of EOF", err)
				}
				f := sink.Feeds()[0]
				if !bytes.Equal(f.Bytes(), media) {
					t.Errorf("%d bytes of sound came, want %d", len(f.Bytes()), len(media))
				}
				if got := f.Titles(); !slices.Equal(got, tt.titles) {
					t.Errorf("titles %q, want %q", got, tt.titles)
				}
				if tt.titles != nil && (f.Info.Station.Name != "A stätion" || f.Info.Station.Bitrate != 128) {
					t.Errorf("station %+v", f.Info.Station)
				}
				if f.Info.Kind != pull.Kind || f.Info.Remote != "radio.example:8000" {
					t.Errorf("source %+v", f.Info)
				}
				for _, want := range []string{"GET /live?x=1 HTTP/1.0\r\n", "Host: radio.example:8000\r\n", "Icy-MetaData: 1\r\n", "Authorization: Basic bWU6c2VjcmV0\r\n"} {
					if !strings.Contains(n.heads[0], want) {
						t.Errorf("request %q, want %q", n.heads[0], want)
					}
				}
			})
		})
	}
}

func TestPullFollows(t *testing.T) {
	redirect := func(to string) func(net.Conn, string) { return answers("HTTP/1.1 302 Found\nLocation: " + to) }
	loop := redirect("http://b.example/")
	const list = "HTTP/1.0 200 OK\nContent-Type: audio/x-mpegurl"
	tests := []struct {
		name   string
		server func(net.Conn, string) // of http://a.example/; http://b.example:8000/s has the media
		want   string                 // error; "" for media
	}{
		{"a redirect", redirect("http://b.example:8000/s"), ""},
		{"an .m3u", answers(list, []byte("#EXTM3U\r\n#EXTINF:-1,Radio\r\nhttp://b.example:8000/s\r\n")), ""},
		{"a .pls", answers("ICY 200 OK\ncontent-type: audio/x-scpls", []byte("[playlist]\nNumberOfEntries=1\nFile1=http://b.example:8000/s\nTitle1=x\n")), ""},
		{"a redirect without end", loop, "more than 5 redirects"},
		{"a redirect to another protocol", redirect("ftp://b.example/"), "must be a URL such as"},
		{"a playlist of a playlist", answers(list, []byte("http://b.example/\n")), "a playlist leads to another one"},
		{"HLS", answers(list, []byte("#EXTM3U\n#EXT-X-VERSION:3\nseg.ts\n")), "this is an HLS playlist"},
		{"an empty playlist", answers(list), "the playlist has no address"},
		{"404", answers("HTTP/1.0 404 File Not Found"), "pull from http://me:xxxxx@a.example/: the server answers 404 File Not Found"},
		{"no HTTP", answers("SSH-2.0-x"), "this is no HTTP server"},
		{"HTML", answers("HTTP/1.0 200 OK", []byte("<!DOCTYPE html>")), "this is HTML, not media"},
		{"headers without end", answers("HTTP/1.0 200 OK\n" + strings.Repeat("x: y\n", 200)), "too many header fields"},
		{"a line without end", answers("HTTP/1.0 200 OK\nx: " + strings.Repeat("y", 1<<20)), "buffer full"},
		{"an end in the head", func(c net.Conn, _ string) { io.WriteString(c, "HTTP/1.0 2") }, "EOF"},
		{"silence", func(c net.Conn, _ string) { io.Copy(io.Discard, c) }, "no answer in 8s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &internet{}
				n.set("a.example:80", tt.server)
				n.set("b.example:80", loop)
				if strings.Contains(tt.name, "playlist of") {
					n.set("b.example:80", tt.server)
				}
				n.set("b.example:8000", answers("HTTP/1.0 200 OK\ncontent-type: audio/mpeg", sound(2)))
				sink, err := try(t, n, "http://me:secret@a.example/")
				if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret")) {
					t.Errorf("Run = %v, want %s", err, tt.want)
				}
				if got := len(sink.Feeds()); (got == 1) != (tt.want == "") {
					t.Errorf("%d sources, %v", got, err)
				}
				for _, head := range n.heads[1:] {
					if strings.Contains(head, "Authorization") && strings.Contains(head, "b.example") {
						t.Errorf("another host got the password: %q", head)
					}
				}
			})
		})
	}
}

// A server that sends nothing more is given up after 10 s.
func TestPullFindsAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &internet{}
		n.set("a.example:80", func(c net.Conn, _ string) {
			answers("HTTP/1.0 200 OK", sound(2))(c, "")
			io.Copy(io.Discard, c)
		})
		began := time.Now()
		_, err := try(t, n, "http://a.example/")
		if !errors.Is(err, ingest.ErrSilent) || time.Since(began) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// The second address is used while the first is away, and left when it is back.
func TestPullPrefersTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &internet{}
		over := make(chan struct{})
		n.set("b.example:80", live(over))
		sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
		p, err := pull.New([]string{"http://a.example/", "http://b.example/"}, ingest.Options{Sink: sink, Log: log.Logger()})
		if err != nil {
			t.Fatal(err)
		}
		p.DialBy(n.dial)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { ingest.Supervise(ctx, log.Logger(), p, ingest.Backoff{}) })

		used := func(want ...string) {
			t.Helper()
			synctest.Wait()
			var got []string
			for _, f := range sink.Feeds() {
				got = append(got, f.Info.Remote)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("used %q, want %q\n%s", got, want, log)
			}
		}
		time.Sleep(20 * time.Second)
		used("b.example")
		gone := make(chan struct{})
		n.set("a.example:80", live(gone))
		time.Sleep(40 * time.Second)
		used("b.example", "a.example")
		from, to := sink.Feeds()[0].Units(), sink.Feeds()[1].Units()
		if gap := to[0].At.Sub(from[len(from)-1].At); gap > 1100*time.Millisecond {
			t.Errorf("%v without media when the first was back", gap)
		}
		n.set("a.example:80", nil)
		close(gone)
		time.Sleep(5 * time.Second)
		used("b.example", "a.example", "b.example")
		if len(log.Lines("source failed", "pull from http://a.example/")) != 1 {
			t.Errorf("the log does not say that the first has failed:\n%s", log)
		}
		stop()
		running.Wait()
		close(over)
		n.serving.Wait()
	})
}

func TestParseBlock(t *testing.T) {
	tests := []struct {
		block string
		want  mux.Title
		ok    bool
	}{
		{"StreamTitle='A - B';", mux.Title{Artist: "A", Name: "B"}, true},
		{"StreamTitle='It's; 'fine'';StreamUrl='u';", mux.Title{Name: "It's; 'fine'", URL: "u"}, true},
		{"StreamUrl='u';StreamTitle='x'", mux.Title{Name: "x", URL: "u"}, true},
		{"StreamTitle='", mux.Title{}, true},
		{"adw_ad='true'", mux.Title{}, false},
	}
	for _, tt := range tests {
		if got, ok := pull.ParseBlock(tt.block); got != tt.want || ok != tt.ok {
			t.Errorf("parseBlock(%q) = %+v, %v, want %+v, %v", tt.block, got, ok, tt.want, tt.ok)
		}
	}
}

// Whatever a server answers: no panic, and an end.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("ICY 200 OK\r\nicy-metaint: 3\r\n\r\nabc\x01StreamTitle='x';abc\x00"))
	f.Add([]byte("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 302 x\r\nlocation: /y\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 x\r\ncontent-type: audio/x-scpls\r\n\r\nfile1=http://a/"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		n := &internet{}
		n.set("a.example:80", func(c net.Conn, _ string) { c.Write(answer) })
		sink := &ingesttest.Sink{}
		p, err := pull.New([]string{"http://a.example/"}, ingest.Options{Sink: sink, Timeout: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		p.DialBy(n.dial)
		if err := p.Run(t.Context()); err == nil {
			t.Error("Run = nil")
		}
		n.serving.Wait()
	})
}
