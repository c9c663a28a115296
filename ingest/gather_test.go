package ingest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// connect runs a listener that gives to sink, and connects a source to it. stop
// ends the listener.
func connect(t *testing.T, sink *sink) (source net.Conn, stop func()) {
	t.Helper()
	l, err := ingest.Listen(t.Context(), "127.0.0.1:0", ingest.Options{Stream: "live", Sink: sink})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	if source, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return source, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
}

// Gathering loses nothing and slows nobody: a source that sends a minute of
// media at once has sent it long before a minute has passed.
func TestGather(t *testing.T) {
	sink := &sink{}
	sink.patience.Store(int64(50 * time.Millisecond))
	conn, stop := connect(t, sink)
	stream := muxtest.AV()
	stream.VideoBytes = 20_000
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
	if want, got := len(stream.UnitsFor(60*mux.ClockRate)), sink.all()[0].units; got != want {
		t.Errorf("%d units, want %d", got, want)
	}
}

// Nor does it slow one whose reader takes little at a time: what does not fit
// into one read is read at once, not at the next point of the grid.
func TestGatherSound(t *testing.T) {
	const patience = 1500 * time.Millisecond
	sink := &sink{}
	sink.patience.Store(int64(patience))
	conn, stop := connect(t, sink)
	began := time.Now()
	stream := muxtest.RawAudio(mux.CodecMP3)
	stream.BitRate = 320_000
	if _, err := conn.Write(stream.Bytes(9 * mux.ClockRate)); err != nil { // more must wait for its time
		t.Fatal(err)
	}
	conn.Close()
	for len(sink.all()) == 0 || !sink.all()[0].ended() {
		if time.Since(began) > 6*patience {
			t.Fatal("the sound was not taken as fast as it was sent")
		}
		runtime.Gosched()
	}
	stop()
}

// A gathered source ends for the same reasons as any other.
func TestGatherEnds(t *testing.T) {
	stopped := errors.New("stopped")
	tests := []struct {
		name string
		end  func(source *net.TCPConn, stop context.CancelCauseFunc)
		want error
	}{
		{"when it closes the connection", func(source *net.TCPConn, _ context.CancelCauseFunc) { source.Close() }, io.EOF},
		{"when it is killed", func(source *net.TCPConn, _ context.CancelCauseFunc) {
			source.SetLinger(0)
			source.Close()
		}, syscall.ECONNRESET},
		{"when it falls silent", func(*net.TCPConn, context.CancelCauseFunc) {}, ingest.ErrSilent},
		{"when the listener stops", func(_ *net.TCPConn, stop context.CancelCauseFunc) { stop(stopped) }, stopped},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sink := &sink{}
			sink.patience.Store(int64(10 * time.Millisecond))
			opts := ingest.Options{Stream: "live", Sink: sink, Timeout: time.Minute}
			if tt.want == ingest.ErrSilent {
				opts.Timeout = 500 * time.Millisecond
			}
			l, err := ingest.Listen(t.Context(), "127.0.0.1:0", opts)
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancelCause(t.Context())
			done := make(chan error, 1)
			go func() { done <- l.Run(ctx) }()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write(muxtest.AV().Bytes(mux.ClockRate)); err != nil {
				t.Fatal(err)
			}
			for len(sink.all()) == 0 {
				runtime.Gosched()
			}
			tt.end(conn.(*net.TCPConn), stop)
			f := sink.all()[0]
			for !f.ended() {
				runtime.Gosched()
			}
			if !errors.Is(f.cause, tt.want) {
				t.Errorf("the feed was closed with %v, want %v", f.cause, tt.want)
			}
			stop(nil)
			if err := <-done; err != nil {
				t.Errorf("Run = %v", err)
			}
		})
	}
}

// ended reports whether the source has given the stream back.
func (f *feed) ended() bool {
	f.sink.mu.Lock()
	defer f.sink.mu.Unlock()
	return f.closed > 0
}

// A source whose feed changes its mind is read by the new rule from the next
// read on, and nothing is lost.
func TestGatherChanges(t *testing.T) {
	sink := &sink{}
	conn, stop := connect(t, sink)
	stream := muxtest.RawAudio(mux.CodecMP3)
	media := stream.Bytes(10 * mux.ClockRate)
	for i, patience := range []time.Duration{0, time.Millisecond, 0, 0, time.Millisecond, time.Millisecond, 0} {
		sink.patience.Store(int64(patience))
		piece := media[:min(8000+i, len(media))]
		media = media[len(piece):]
		if _, err := conn.Write(piece); err != nil {
			t.Fatal(err)
		}
		for want := (i + 1) * 8000 / 400; len(sink.all()) == 0 || sink.all()[0].count() < want*9/10; { // frames have 384 bytes
			runtime.Gosched()
		}
	}
	if _, err := conn.Write(media); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for !sink.all()[0].ended() {
		runtime.Gosched()
	}
	stop()
	f := sink.all()[0]
	if want, got := len(stream.UnitsFor(10*mux.ClockRate)), f.count(); got != want {
		t.Errorf("%d units, want %d", got, want)
	}
	if len(f.ahead) == 0 || len(f.ahead) > 5 {
		t.Errorf("%d units came early, want one for each read of a feed without patience", len(f.ahead))
	}
}
