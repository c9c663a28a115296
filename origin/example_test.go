package origin_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"headwater/ingest"
	"headwater/ingest/icecast"
	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// A test of a player needs a station: it is on a free port, takes what an
// encoder sends, and is gone after Close.
func ExampleStart() {
	radio, _ := origin.Start(origin.ServerConfig{})
	defer radio.Close()
	stream, _ := radio.Open("live")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	port, _ := ingest.Listen(ctx, "127.0.0.1:0", ingest.Options{Stream: "live", Sink: stream})
	go port.Run(ctx)

	encoder, _ := net.Dial("tcp", port.Addr().String())
	defer encoder.Close()
	encoder.Write(muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate))
	for player := (http.Client{}); ; { // there is nothing to hear until it has come
		res, err := player.Get(radio.URL + "/live.mp3")
		if err == nil && res.StatusCode == http.StatusOK {
			n, _ := io.ReadFull(res.Body, make([]byte, 417))
			fmt.Println("heard a frame of", n, "bytes,", res.Header.Get("Content-Type"))
			res.Body.Close()
			return
		}
	}
	// Output:
	// heard a frame of 417 bytes, audio/mpeg
}

// A test of a program that sends to Icecast needs a server that takes any
// mount, tells when one comes and goes, and counts the bytes.
func Example_testDouble() {
	var radio *origin.Local
	open := icecast.Into(func(name string) (ingest.Sink, error) { return radio.Open(name) })
	sources := icecast.New(icecast.Config{Guard: icecast.Anybody{}, Open: open})
	radio, _ = origin.Start(origin.ServerConfig{Publish: sources.Serve})
	defer radio.Close()

	events := radio.Events()

	media := muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate)
	req, _ := http.NewRequest(http.MethodPut, radio.URL+"/show.mp3", strings.NewReader(string(media))) // the program
	req.Header.Set("Content-Type", "audio/mpeg")
	req.SetBasicAuth("source", "hackme")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	res.Body.Close()

	for e := range events.C {
		fmt.Println(e.Kind, e.Stream)
		if e.Kind == origin.EventVanished {
			break
		}
	}
	show, _ := radio.Open("show")
	in, _ := radio.Bytes(show)
	fmt.Println("all came:", in == uint64(len(media)))
	// Output:
	// source_connected show
	// stream_appeared show
	// source_disconnected show
	// stream_vanished show
	// all came: true
}
