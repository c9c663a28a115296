package icecast_test

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
)

// hls-rules F13
func TestMountpointInUse(t *testing.T) {
	const head = "SOURCE /live HTTP/1.0\n" + basic + "\n"
	media := muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.stop()
		first := b.dial()
		first.send(head) // holds it before its first frame
		synctest.Wait()
		second := b.dial()
		second.send(head)
		<-second.done
		if got := second.told(); !strings.HasPrefix(got, "HTTP/1.0 403 ") || !strings.Contains(got, "\nMountpoint in use: ") {
			t.Errorf("the second was told %q, want 403 and Mountpoint in use", got)
		}
		first.Write(media)
		synctest.Wait()

		b.takeover = true
		third := b.dial()
		third.send(head)
		synctest.Wait()
		<-first.done
		third.Write(media)
		synctest.Wait()
		feeds := b.sink.Feeds()
		if len(feeds) != 2 || third.told() != "HTTP/1.0 200 OK\n\n" {
			t.Fatalf("%d sources were taken, the third was told %q", len(feeds), third.told())
		}
		if closed, cause := feeds[0].Closed(); !closed || !strings.Contains(cause.Error(), "taken the stream over") {
			t.Errorf("the first ended %v by %v", closed, cause)
		}
		third.Close()
		<-third.done
	})
}

// One that has shown its password and nothing else is replaced at once.
func TestTakeoverOfWhoHasNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.stop()
		b.takeover = true
		l := make(pipes)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.server.NewSHOUTcast(l, "live", func(c net.Conn) { c.Close() }).Run(ctx) }()
		near, far := net.Pipe()
		defer far.Close()
		l <- addressed{near}
		first := b.listen(far)
		first.send("hackme\nicy-name:R\n")
		synctest.Wait()
		began := time.Now()
		second := b.dial()
		second.send("SOURCE /live HTTP/1.0\n" + basic + "\n")
		synctest.Wait()
		if got, took := second.told(), time.Since(began); got != "HTTP/1.0 200 OK\n\n" || took > 0 {
			t.Errorf("the second was told %q after %v, want 200 at once", got, took)
		}
		second.Close()
		<-second.done
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

// A source that came by another way is replaced, too, where it can be ended.
func TestTakeoverOfAnotherKind(t *testing.T) {
	for _, tt := range []struct {
		name     string
		takeover bool
		ends     bool
		want     string // status
	}{
		{"it is ended", true, true, "HTTP/1.0 200 "},
		{"it cannot be ended", true, false, "HTTP/1.0 403 "},
		{"it may not be", false, true, "HTTP/1.0 403 "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				defer b.stop()
				b.takeover = tt.takeover
				end := make(chan struct{})
				info := mux.SourceInfo{Kind: "tcp"}
				if tt.ends {
					info.End = sync.OnceFunc(func() { close(end) })
				}
				feed, err := b.sink.Attach(info, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				go func() { <-end; feed.Close(nil, time.Now()) }()
				e := b.dial()
				e.send("SOURCE /live HTTP/1.0\n" + basic + "\n")
				time.Sleep(time.Second)
				if got := e.told(); !strings.HasPrefix(got, tt.want) {
					t.Errorf("told %q, want %q", got, tt.want)
				}
				e.Close()
				<-e.done
				if info.End != nil {
					info.End()
				} else {
					close(end)
				}
			})
		})
	}
}

// An operator ends a source at once, however its media is framed.
func TestSourceIsEnded(t *testing.T) {
	media := muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate)
	for name, sent := range map[string]string{
		"without end": "SOURCE /live HTTP/1.0\r\n" + strings.ReplaceAll(basic, "\n", "\r\n") + "\r\n" + string(media),
		"chunked": "PUT /live HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + strings.ReplaceAll(basic, "\n", "\r\n") + "\r\n" +
			strings.TrimSuffix(chunked(media, 1000), "0\r\n\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				defer b.stop()
				e := b.dial()
				io.WriteString(e, sent)
				synctest.Wait()
				began := time.Now()
				b.sink.Feeds()[0].Info.End()
				<-e.done
				if closed, _ := b.sink.Feeds()[0].Closed(); !closed || time.Since(began) > 3*time.Second {
					t.Errorf("the source is closed %v after %v", closed, time.Since(began))
				}
			})
		})
	}
}
