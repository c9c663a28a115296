package ingest_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// printer is a sink that prints what it is told, and a feed as well.
type printer struct {
	frames int
	done   chan struct{}
}

func (p *printer) Attach(src mux.SourceInfo, _ time.Time) (mux.Feed, error) {
	fmt.Println("attached by", src.Kind)
	return p, nil
}

func (p *printer) Write(units []*mux.Unit, _ time.Time) {
	for _, u := range units {
		p.frames += len(u.Frames)
	}
}

func (p *printer) Preview(*mux.Unit, time.Time) {}

func (p *printer) Patience() time.Duration { return 0 }

func (p *printer) Report(format string, _ mux.Stats) {
	fmt.Printf("%s, %d frames\n", format, p.frames)
}

func (p *printer) Close(cause error, _ time.Time) {
	fmt.Println("closed by", cause)
	close(p.done)
}

// A listener takes what an encoder sends to its port until ctx ends.
func ExampleListen() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	sink := &printer{done: make(chan struct{})}
	l, err := ingest.Listen(ctx, "127.0.0.1:0", ingest.Options{Stream: "live", Sink: sink})
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()

	conn, err := net.Dial("tcp", l.Addr().String()) // the encoder
	if err != nil {
		fmt.Println(err)
		return
	}
	conn.Write(muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate))
	conn.Close()

	<-sink.done
	stop()
	fmt.Println("run:", <-ended)
	// Output:
	// attached by tcp
	// MP3, 42 frames
	// closed by EOF
	// run: <nil>
}
