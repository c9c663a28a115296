package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"time"

	"headwater/ingest"
)

const (
	demoStream = "demo"
	// demoAhead is how much of the programme has "been on the air" when the
	// demo begins: enough for the first playlist, with its target duration.
	demoAhead          = 10 * time.Second
	demoTargetDuration = 2 * time.Second // one closed GOP of the programme
)

func demoCommand() command {
	return command{
		name:    "demo",
		args:    "[flags]",
		summary: "serve a built-in test programme, to see and hear that it works",
		text: `Serves a built-in test programme (colour bars, a clock, a beep each second) as
stream "demo" until it is stopped, and takes a stream "live" of your own beside
it. Nothing is written to disk, and no other program is needed.`,
		bind: func(fs *flag.FlagSet, c *console) func(context.Context, []string) error {
			web := fs.String("http", defaultHTTP, "`address` to serve on, host:port")
			tcp := fs.String("tcp", defaultTCP, "`address` to take stream \"live\" on, host:port; '' takes none")
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				return runServe(ctx, c, demoOptions(*web, *tcp))
			}
		},
	}
}

// demoOptions returns a server with the built-in programme, and with a stream
// for the visitor's own unless tcp is empty.
func demoOptions(web, tcp string) serveOptions {
	cfg := defaultConfig()
	cfg.HTTP, cfg.Data = web, ""
	cfg.Streams = []StreamConfig{{Name: demoStream, TargetDuration: demoTargetDuration, Latency: demoAhead}}
	if tcp != "" {
		cfg.Streams = append(cfg.Streams, StreamConfig{Name: defaultStream, TCP: tcp})
	}
	return serveOptions{
		Config: cfg,
		inside: map[string]func(ingest.Sink) ingest.Source{
			demoStream: func(sink ingest.Sink) ingest.Source {
				return &programmeSource{sink: sink, ahead: demoAhead}
			},
		},
		announce: announceDemo,
	}
}

// announceDemo tells a person what to open, and how to go on from there.
func announceDemo(w io.Writer, at endpoints) {
	urls := at.urls()
	fmt.Fprintf(w, "\nThe test programme is on the air. Open this in a browser:\n\n  %s/%s\n", urls[len(urls)-1], demoStream)
	if len(urls) > 1 {
		fmt.Fprintf(w, "\nOn a phone in the same network, or in VLC, mpv, ffplay:\n\n  %s/%s\n  %s/%s.m3u8\n",
			urls[0], demoStream, urls[0], demoStream)
	} else {
		fmt.Fprintf(w, "\nIn VLC, mpv, ffplay:\n\n  %s/%s.m3u8\n", urls[0], demoStream)
	}
	for _, s := range at.streams {
		if s.takes != "" {
			host, port, _ := net.SplitHostPort(s.takes)
			announceSender(w, s.stream, reachable(host), port)
			fmt.Fprintf(w, "\nand watch it at %s/%s\n", urls[len(urls)-1], s.stream)
		}
	}
	fmt.Fprint(w, "\nCtrl-C stops.\n\n")
}
