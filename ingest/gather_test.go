package ingest_test

import (
	"context"
	"net"
	"runtime"
	"testing"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// Gathering loses nothing and slows nobody: a source that sends a minute of
// media at once has sent it long before a minute has passed.
func TestGather(t *testing.T) {
	sink := &sink{}
	l, err := ingest.Listen(t.Context(), "127.0.0.1:0", ingest.Options{Stream: "live", Sink: sink, Gather: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()

	stream := muxtest.AV()
	stream.VideoBytes = 20_000
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	media := stream.Bytes(60 * mux.ClockRate)
	began := time.Now()
	if _, err := conn.Write(media); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for len(sink.all()) == 0 || !sink.all()[0].ended() {
		if time.Since(began) > 50*time.Second {
			t.Fatal("the media was not taken as fast as it was sent")
		}
		runtime.Gosched()
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	if want, got := len(stream.UnitsFor(60*mux.ClockRate)), sink.all()[0].units; got != want {
		t.Errorf("%d units, want %d", got, want)
	}
}

// ended reports whether the source has given the stream back.
func (f *feed) ended() bool {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.closed > 0
}
