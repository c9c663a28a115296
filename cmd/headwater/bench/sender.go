package main

import (
	"context"
	"errors"
	"flag"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/mux"
)

// send is "bench send [--ahead D] [--udp] FILE ADDR [ADDR ...]": it sends FILE to
// each TCP or UDP address, as encoders would that are not in step: each picture and each piece
// of sound when it is due. The streams begin one after the other within 6 s.
func send(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench send", flag.ContinueOnError)
	ahead := flags.Duration("ahead", 0, "send so much of the media at once")
	udp := flags.Bool("udp", false, "send datagrams of 7 packets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() < 2 {
		return errors.New("usage: bench send [--ahead D] [--udp] FILE ADDR [ADDR ...]")
	}
	network := "tcp"
	if *udp {
		network = "udp"
	}
	media, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	media = media[:len(media)/mux.PacketSize*mux.PacketSize]
	addrs := flags.Args()[1:]
	failed := make([]error, len(addrs))
	var sending sync.WaitGroup
	for i, addr := range addrs {
		late := time.Duration(i) * 6 * time.Second / time.Duration(len(addrs))
		sending.Go(func() {
			if sleep(ctx, late) == nil {
				failed[i] = sendTo(ctx, network, addr, media, *ahead)
			}
		})
	}
	sending.Wait()
	if ctx.Err() != nil { // asked to stop
		return nil
	}
	return errors.Join(failed...)
}

// sendTo is one source. It ends with ctx, or when the connection does.
func sendTo(ctx context.Context, network, addr string, media []byte, ahead time.Duration) error {
	loop, err := programme.NewLoop(media, -1)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // wakes a blocked Write
	defer stop()
	for began := time.Now(); ; {
		packets, at := loop.Next()
		if due := time.Until(began.Add(at - ahead)); due > 0 {
			if err := sleep(ctx, due); err != nil {
				return err
			}
		}
		size := len(packets)
		if network == "udp" {
			size = 7 * mux.PacketSize
		}
		for part := range slices.Chunk(packets, size) {
			if _, err := conn.Write(part); err != nil {
				return err
			}
		}
	}
}
