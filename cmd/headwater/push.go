package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"headwater/cmd/headwater/programme"
)

func pushCommand() command {
	return command{
		name:    "push",
		args:    "[flags] FILE|- tcp://HOST:PORT",
		summary: "send a file in real time, as an encoder would",
		text: `Sends a transport stream, an MP3 or an ADTS AAC file to a TCP port as fast as it
is to be played, paced by its own timestamps. "-" reads from standard input. A
connection that is lost is made again.

Examples:

  headwater push film.ts tcp://127.0.0.1:9999
  headwater push --loop jingle.mp3 tcp://radio.example:9999
  headwater push --test tcp://127.0.0.1:9999`,
		bind: func(fs *flag.FlagSet, c *console) func(context.Context, []string) error {
			p := pusher{console: c}
			fs.BoolVar(&p.test, "test", false, "send the built-in test programme, again and again; takes no FILE")
			fs.BoolVar(&p.loop, "loop", false, "send the file again and again; timestamps run on")
			fs.Float64Var(&p.speed, "speed", 1, "send `TIMES` as fast as it is to be played; 0 means as fast as it goes")
			fs.BoolVar(&p.quiet, "quiet", false, "show no progress")
			return p.run
		},
	}
}

// pusher is one call of "headwater push".
type pusher struct {
	console           *console
	test, loop, quiet bool
	speed             float64

	addr string // host:port
	pace pacer
	sent sentMedia
}

// Pauses between attempts to connect again.
const (
	redialFirst = 500 * time.Millisecond
	redialMax   = 10 * time.Second
	// redialGiveUp is how many connections in a row may be closed at once by
	// the other end, which is what a server does that refuses a source.
	redialGiveUp = 5
	redialShort  = 2 * time.Second
)

func (p *pusher) run(ctx context.Context, args []string) error {
	media, err := p.open(args)
	if err != nil {
		return err
	}
	defer media.Close()
	conn, err := p.dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("%w\nis a server listening there? \"headwater serve\" starts one", err)
	}
	progress := newProgress(p.console.stderr, p.quiet)
	defer func() { progress.end(&p.sent) }()
	return p.send(ctx, conn, media, progress)
}

// open checks the arguments and opens the media they name.
func (p *pusher) open(args []string) (pacedMedia, error) {
	if p.speed < 0 {
		return nil, usageErrorf("--speed %v: must be 0 or more", p.speed)
	}
	want := 2
	if p.test {
		want = 1
	}
	switch {
	case len(args) == want:
	case p.test && len(args) == 0:
		return nil, usageErrorf("--test needs where to send it, such as: --test tcp://127.0.0.1:9999")
	case p.test:
		return nil, usageErrorf("--test takes no file, only where to send it, such as: --test tcp://127.0.0.1:9999")
	case len(args) == 1 && strings.HasPrefix(args[0], "tcp://"):
		return nil, usageErrorf("there is no file to send to %s; --test sends the built-in programme", args[0])
	case len(args) == 1:
		return nil, usageErrorf("say where to send %s, such as: %s tcp://127.0.0.1:9999", args[0], args[0])
	default:
		return nil, usageErrorf("give a file and where to send it, such as: film.ts tcp://127.0.0.1:9999")
	}
	u, err := url.Parse(args[want-1])
	if err != nil || u.Scheme != "tcp" || u.Port() == "" || u.Hostname() == "" || u.Path != "" {
		return nil, usageErrorf("%q is not tcp://HOST:PORT", args[want-1])
	}
	p.addr = u.Host
	if p.test {
		return newLoopMedia(programme.TS())
	}
	if args[0] == "-" {
		if p.loop {
			return nil, usageErrorf("--loop needs a file: standard input is read once")
		}
		return newStreamMedia("standard input", io.NopCloser(p.console.stdin)), nil
	}
	return openFile(args[0], p.loop)
}

func (p *pusher) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	return d.DialContext(ctx, "tcp", p.addr)
}

// send sends media until it or ctx ends, over a new connection when one is lost.
func (p *pusher) send(ctx context.Context, conn net.Conn, media pacedMedia, progress *progress) error {
	short := 0
	for {
		made := time.Now()
		err := p.sendOver(ctx, conn, media, progress)
		var lost *connError
		if !errors.As(err, &lost) || ctx.Err() != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if short++; time.Since(made) > redialShort {
			short = 0
		}
		if short == redialGiveUp {
			return fmt.Errorf("%w\nthe server closes each connection at once: its log tells why; perhaps another source holds the stream", err)
		}
		progress.say("%v; connecting again", err)
		if conn, err = p.redial(ctx); err != nil {
			return nil // only ctx ends it
		}
	}
}

// redial connects again, until that works or ctx ends.
func (p *pusher) redial(ctx context.Context) (net.Conn, error) {
	for pause := redialFirst; ; pause = min(2*pause, redialMax) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if conn, err := p.dial(ctx); err == nil {
			return conn, nil
		}
	}
}

// connError says that the connection is lost, not the media.
type connError struct{ err error }

func (e *connError) Error() string { return e.err.Error() }
func (e *connError) Unwrap() error { return e.err }

// sendOver sends media over conn, which it closes, at the pace of its timestamps.
func (p *pusher) sendOver(ctx context.Context, conn net.Conn, media pacedMedia, progress *progress) error {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // wakes a blocked Write
	defer stop()
	p.pace.start(p.speed)
	for {
		next, err := media.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if next.timed && !p.pace.wait(ctx, next.at) {
			return nil
		}
		if _, err := conn.Write(next.bytes); err != nil {
			return &connError{err}
		}
		p.sent.bytes += int64(len(next.bytes))
		p.sent.media = p.pace.media
		p.sent.ahead = p.pace.ahead(time.Now())
		progress.show(&p.sent)
	}
}

// openFile opens a file, to be sent once or again and again.
func openFile(name string, loop bool) (pacedMedia, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if !loop {
		return newStreamMedia(name, f), nil
	}
	defer f.Close()
	return loopFile(name, f)
}
