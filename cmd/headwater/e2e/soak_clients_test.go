//go:build e2e

package e2e_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"headwater/playlist"
)

// deeds counts what the load was.
type deeds struct {
	sources, listeners, playlists, segments, nonsense, storms, gaps atomic.Int64
}

// view watches a stream that stays as a player does, over a connection of its own.
func (s *soak) view(ctx context.Context, random *rand.Rand) {
	transport, hangUp := overHTTP(1)
	defer hangUp()
	s.watch(ctx, random, transport)
}

func (s *soak) viewOverHTTP2(ctx context.Context, random *rand.Rand) {
	transport, hangUp := overHTTP(2)
	defer hangUp()
	s.watch(ctx, random, transport)
}

// overHTTP returns a transport of a version of HTTP, and what closes all its
// connections, whatever they are doing.
func overHTTP(version int) (_ *http.Transport, hangUp func()) {
	var mu sync.Mutex
	var conns []net.Conn
	transport := &http.Transport{
		Protocols: new(http.Protocols),
		HTTP2:     &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				conns = append(conns, c)
			}
			return c, err
		},
	}
	if version == 2 {
		transport.Protocols.SetUnencryptedHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	return transport, func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}
}

func (s *soak) watch(ctx context.Context, random *rand.Rand, transport *http.Transport) {
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	name := s.steady[random.IntN(len(s.steady))]
	for range 1 + random.IntN(5) {
		rendition := []string{"main", "audio"}[random.IntN(2)]
		base := s.server.url + "/" + name + "/"
		text, err := s.fetch(ctx, client, base+rendition+".m3u8")
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			s.t.Error(err)
			return
		}
		m, err := playlist.ReadMedia(text)
		if err != nil {
			s.t.Errorf("%s: %v", name, err)
			return
		}
		s.done.playlists.Add(1)
		seg := m.Segments[random.IntN(len(m.Segments))]
		switch {
		case seg.Gap: // the machine kept its source from sending
			s.done.gaps.Add(1)
		case random.IntN(4) == 0:
			s.giveUp(ctx, client, base+seg.URI)
		default:
			s.fetch(ctx, client, base+seg.URI)
		}
		pause(ctx, time.Duration(random.IntN(1000))*time.Millisecond)
	}
}

// fetch returns the body of an answer that must be 200, and for a segment what
// its Etag says.
func (s *soak) fetch(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s = %d %.100q", url, res.StatusCode, body)
	}
	if !strings.HasSuffix(url, ".m3u8") {
		s.done.segments.Add(1)
		if want, got := res.Header.Get("Etag"), sumTag(body); got != want {
			s.t.Errorf("%s: the bytes have tag %s, want %s", url, got, want)
		}
	}
	return body, nil
}

// sumTag returns the Etag of a segment of these bytes.
func sumTag(b []byte) string {
	sum := binary.BigEndian.AppendUint32(nil, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return `"` + hex.EncodeToString(binary.BigEndian.AppendUint32(sum, crc32.ChecksumIEEE(b))) + `"`
}

// giveUp asks for something and goes away in the middle.
func (s *soak) giveUp(ctx context.Context, client *http.Client, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	req.Header.Set("Range", "bytes=100-")
	if res, err := client.Do(req); err == nil {
		io.CopyN(io.Discard, res.Body, 100)
		res.Body.Close()
	}
}

// anyStream returns the name of a stream, which may have no source.
func (s *soak) anyStream(random *rand.Rand) string {
	all := append(append([]string{"fetched", "nobody"}, s.steady...), s.loose...)
	return all[random.IntN(len(all))]
}

// listen is one listener of a continuous output, of some kind.
func (s *soak) listen(ctx context.Context, random *rand.Rand) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	s.done.listeners.Add(1)
	suffix := []string{".ts", ".aac", ".mp3", ""}[random.IntN(4)]
	fmt.Fprintf(conn, "GET /%s%s HTTP/1.%d\r\nHost: x\r\n\r\n", s.anyStream(random), suffix, random.IntN(2))
	some := time.Duration(random.IntN(5000)) * time.Millisecond
	switch random.IntN(5) {
	case 0: // hangs up at once
	case 1: // never reads
		pause(ctx, 3*some)
	case 2: // crawls
		b := make([]byte, 300)
		for end := time.Now().Add(some); time.Now().Before(end) && ctx.Err() == nil; {
			if _, err := conn.Read(b); err != nil {
				return
			}
			pause(ctx, 100*time.Millisecond)
		}
	default:
		conn.SetReadDeadline(time.Now().Add(some))
		io.Copy(io.Discard, conn)
	}
	if random.IntN(2) == 0 {
		conn.(*net.TCPConn).SetLinger(0)
	}
}

// listenOverHTTP2 is some listeners that share a connection.
func (s *soak) listenOverHTTP2(ctx context.Context, random *rand.Rand) {
	transport, hangUp := overHTTP(2)
	defer hangUp()
	client := &http.Client{Transport: transport}
	var listening sync.WaitGroup
	defer listening.Wait()
	for range 4 {
		url := s.server.url + "/" + s.anyStream(random) + ".ts"
		some, cancel := context.WithTimeout(ctx, time.Duration(random.IntN(5000))*time.Millisecond)
		reads := random.IntN(3) > 0
		listening.Go(func() {
			defer cancel()
			req, err := http.NewRequestWithContext(some, http.MethodGet, url, nil)
			if err != nil {
				return
			}
			res, err := client.Do(req)
			if err != nil {
				return
			}
			defer res.Body.Close()
			s.done.listeners.Add(1)
			if reads {
				io.Copy(io.Discard, res.Body)
			}
			<-some.Done()
		})
	}
}

// nonsense is what no client should send.
var nonsense = []string{
	"", "\r\n\r\n", "G", "GET", "GET / HTTP/1.1\r\n", "GET /live.m3u8 HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	"GET /live.m3u8 HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\xff\xff\xff\x01\x04\x00\x00\x00\x01",
	"POST /live.m3u8 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx", "PUT /live HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
	"GET /live/main/0/0.ts HTTP/1.1\r\nHost: x\r\n\r\n", "GET /%00%ff/..%2f HTTP/1.1\r\nHost: x\r\n\r\n", "SOURCE /live HTTP/1.0\r\n\r\n",
	"GET /live.m3u8?_HLS_msn=99999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n", "GET /live/main.m3u8 HTTP/1.1\r\nHost: x\r\nRange: bytes=9-1,-\r\n\r\n",
	"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("y", 40_000), "HEAD /live.ts HTTP/1.1\r\nHost: x\r\n\r\nHEAD /live.ts HTTP/1.1\r\nHost: x\r\n\r\n",
	"GET /live HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", strings.Repeat("\xff", 5000),
}

// misbehave sends nonsense, and perhaps waits for an answer.
func (s *soak) misbehave(ctx context.Context, random *rand.Rand) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	s.done.nonsense.Add(1)
	io.WriteString(conn, nonsense[random.IntN(len(nonsense))])
	conn.SetReadDeadline(time.Now().Add(time.Duration(random.IntN(1000)) * time.Millisecond))
	io.Copy(io.Discard, bufio.NewReader(conn))
}

// storm is many connections at once, which say nothing, or ask for the same.
func (s *soak) storm(ctx context.Context, random *rand.Rand) {
	var conns []net.Conn
	for range 100 {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.addr)
		if err != nil {
			break
		}
		s.done.storms.Add(1)
		conns = append(conns, conn)
		if random.IntN(2) == 0 {
			io.WriteString(conn, "GET /live/main.m3u8 HTTP/1.1\r\nHost: x\r\n\r\n")
		}
	}
	pause(ctx, time.Duration(random.IntN(3000))*time.Millisecond)
	for _, c := range conns {
		c.Close()
	}
}
