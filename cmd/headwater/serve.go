package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"sync"

	"headwater/ingest"
)

func serveCommand() command {
	return command{
		name:    "serve",
		args:    "[flags]",
		summary: "take streams from encoders and serve them to players",
		text: `Takes live media on TCP ports, one port a stream, and serves it over HTTP until
it is stopped (Ctrl-C, or SIGTERM). What arrives is recognised by itself: an MPEG
transport stream, MP3, or AAC in ADTS.

Without flags it takes stream "live" on port 9999 of this machine, from programs
on this machine, and serves everybody on port 8080.

Examples:

  headwater serve --tcp :9999
      Take stream "live" from any machine. There is no password on raw TCP: name
      who may send with "allow" in a configuration file.
  headwater serve --tcp one=:9001 --tcp two=:9002
      Take two streams.
  headwater serve --tcp connect:encoder.example:9999
      Fetch the stream from an encoder that listens.
  headwater serve --config headwater.yaml
      Read all that from a file.

A flag beats its environment variable, which beats the file.`,
		bind: func(fs *flag.FlagSet, c *console) func(context.Context, []string) error {
			l := newLoader(c.lookupEnv)
			l.bind(fs)
			return func(ctx context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				cfg, err := l.load()
				if err != nil {
					return err
				}
				return runServe(ctx, c, serveOptions{Config: cfg, announce: announceAtTerminal})
			}
		},
	}
}

// serveOptions is what [runServe] works on.
type serveOptions struct {
	Config

	// inside makes the sources of streams that are fed in this process, by
	// the name of the stream, which is in Config.Streams too.
	inside map[string]func(sink ingest.Sink) ingest.Source
	// announce tells a person what to do next. It is called once all ports are
	// bound, with standard output.
	announce func(w io.Writer, at endpoints)
}

// runServe binds all ports, opens the data folder, and takes and serves
// streams until ctx ends. It returns nil then, or what made it impossible.
func runServe(ctx context.Context, c *console, opts serveOptions) error {
	log := newLogger(c.stderr, opts.Log)
	s, err := openStation(ctx, opts, log)
	if err != nil {
		return err
	}
	s.files.report(log)
	log.Info("started", "version", buildVersion(), "http", s.endpoints.http, "streams", len(s.endpoints.streams))
	if opts.announce != nil {
		opts.announce(c.stdout, s.endpoints)
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// runner is anything with a life of its own; see [ingest.Source].
type runner interface {
	Run(ctx context.Context) error
}

// runStages runs stages of runners side by side until ctx ends or one of them
// fails. The stages are in the order of the data and are stopped in that
// order, each after the one before it has ended, so that what one has left is
// still taken by the next. The error joins what the runners returned, the first
// to fail first.
func runStages(parent context.Context, stages ...[]runner) error {
	ctx, fail := context.WithCancelCause(parent)
	defer fail(nil)
	var failed []error
	var mu sync.Mutex // guards failed
	stops := make([]context.CancelFunc, len(stages))
	ends := make([]sync.WaitGroup, len(stages))
	for i, stage := range stages {
		stageCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		stops[i] = stop
		for _, r := range stage {
			ends[i].Go(func() {
				if err := r.Run(stageCtx); err != nil {
					mu.Lock()
					failed = append(failed, err)
					mu.Unlock()
					fail(err)
				}
			})
		}
	}
	<-ctx.Done()
	for i := range stages {
		stops[i]()
		ends[i].Wait()
	}
	return errors.Join(failed...)
}
