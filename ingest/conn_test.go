package ingest_test

import (
	"errors"
	"io"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// titled is a connection that has a title for what is read next, once.
type titled struct {
	net.Conn
	next atomic.Pointer[mux.Title]
}

func (c *titled) Title() *mux.Title { return c.next.Swap(nil) }

func TestServeStampsTitlesOnUnits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &ingesttest.Sink{}
		near, far := net.Pipe()
		conn := &titled{Conn: near}
		done := make(chan error)
		go func() {
			done <- ingest.Serve(t.Context(), conn, ingest.NewSourceInfo("test", ""), ingest.Options{Sink: sink})
		}()
		media := muxtest.RawAudio(mux.CodecMP3).Bytes(8 * mux.ClockRate)
		var want []time.Time // when a piece with a title was sent
		for i := 0; len(media) > 0; i++ {
			if i%4 == 1 {
				conn.next.Store(&mux.Title{Name: strconv.Itoa(len(want))})
				want = append(want, time.Now())
			}
			n := min(len(media), 4000)
			send(t, far, media[:n])
			media = media[n:]
			time.Sleep(250 * time.Millisecond)
		}
		far.Close()
		err := <-done
		var end *ingest.EndError
		if !errors.As(err, &end) || !errors.Is(err, io.EOF) {
			t.Errorf("Serve = %v, want an EndError of EOF", err)
		}
		var got []time.Time
		for _, u := range sink.Feeds()[0].Units() {
			if u.Title != nil {
				if u.Title.Name != strconv.Itoa(len(got)) {
					t.Errorf("title %d is %q", len(got), u.Title.Name)
				}
				got = append(got, u.At)
			}
		}
		if len(want) < 5 || !slices.Equal(got, want) {
			t.Errorf("titles came at %v, want %v", got, want)
		}
	})
}
