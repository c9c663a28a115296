package origin_test

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/origin"
)

// pipeListener accepts one end of a pipe, then no more.
type pipeListener struct{ conns chan net.Conn }

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (l pipeListener) Close() error   { close(l.conns); return nil }
func (l pipeListener) Addr() net.Addr { return nil }

// accept returns a connection of ours and the client's end of it.
func accept(t *testing.T) (server, client net.Conn) {
	t.Helper()
	inner, client := net.Pipe()
	l := pipeListener{make(chan net.Conn, 1)}
	l.conns <- inner
	server, err := origin.NewListener(l, 1).Accept()
	if err != nil {
		t.Fatal(err)
	}
	return server, client
}

// hls-rules D20: what counts is progress, not the total.
func TestConnTimesOutByProgress(t *testing.T) {
	const size = 1 << 20
	for name, send := range map[string]func(c net.Conn) (int64, error){
		"write": func(c net.Conn) (int64, error) {
			n, err := c.Write(make([]byte, size))
			return int64(n), err
		},
		"read from": func(c net.Conn) (int64, error) {
			return c.(io.ReaderFrom).ReadFrom(io.LimitReader(zeros{}, size))
		},
	} {
		t.Run(name+" to a slow client", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := accept(t)
				defer client.Close()
				var reading sync.WaitGroup
				reading.Go(func() {
					buf := make([]byte, 8<<10)
					for {
						time.Sleep(time.Second)
						if _, err := io.ReadFull(client, buf); err != nil {
							return
						}
					}
				})
				start := time.Now()
				if n, err := send(server); n != size || err != nil {
					t.Errorf("%d bytes, %v after %v", n, err, time.Since(start))
				}
				if took := time.Since(start); took < 2*time.Minute {
					t.Errorf("took %v: the client was not slow", took)
				}
				server.Close()
				reading.Wait()
			})
		})
		t.Run(name+" to a stalled client", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, client := accept(t)
				defer client.Close()
				go io.CopyN(io.Discard, client, 200_000)
				start := time.Now()
				if n, err := send(server); n >= size || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%d bytes, %v", n, err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("given up after %v", took)
				}
				server.Close()
			})
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestListenerLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := pipeListener{make(chan net.Conn, 3)}
		for range 3 {
			c, _ := net.Pipe()
			inner.conns <- c
		}
		l := origin.NewListener(inner, 2)
		accepted := make(chan net.Conn)
		go func() {
			defer close(accepted)
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				accepted <- c
			}
		}()
		first, second := <-accepted, <-accepted
		synctest.Wait()
		select {
		case <-accepted:
			t.Fatal("a third connection was accepted")
		default:
		}
		first.Close()
		first.Close() // gives its place back once
		third := <-accepted
		synctest.Wait()
		l.Close()
		if c, ok := <-accepted; ok {
			t.Errorf("%v accepted after Close", c)
		}
		second.Close()
		third.Close()
	})
}
