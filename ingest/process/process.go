// Package process takes media from a program that headwater runs: from its
// standard output, plain, or in the framing of eradio's sources, with which it
// also tells titles and takes commands.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"headwater/ingest"
	"headwater/ingest/child"
)

// Kind names a program in [headwater/mux.SourceInfo].
const Kind = "exec"

// Command is what a program in eradio's framing can be told.
type Command byte

// The commands, as they are on the wire.
const (
	Play Command = 1 + iota
	Pause
	Previous
	Next
)

// Process is a program as a source. One Run is one life of it;
// [ingest.Supervise] starts it again. Send is safe for concurrent use.
type Process struct {
	args   []string
	framed bool
	opts   ingest.Options
	log    *slog.Logger

	mu     sync.Mutex
	paused bool           // by Send; a program that is started again is not told to play; guarded by mu
	life   *child.Process // that runs; nil if none does; guarded by mu
}

// New returns a source that runs args[0] with the arguments behind it. framed
// says that it speaks eradio's framing. Nothing is started before Run.
func New(args []string, framed bool, opts ingest.Options) *Process {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Process{args: args, framed: framed, opts: opts, log: log.With("stream", opts.Stream)}
}

// Run runs the program until it ends or ctx does. Then its process group is
// gone. The error is nil only if ctx ended; it is an [*ingest.EndError] if there
// was media.
func (p *Process) Run(ctx context.Context) error {
	life, err := child.Start(p.log, p.args...)
	if err != nil {
		return err
	}
	defer life.Close()
	conn := ingest.Conn(life)
	if p.framed {
		p.enter(life)
		defer p.leave()
		conn = newFramed(life, life.Say, p.isPaused)
	}
	err = ingest.Serve(ctx, conn, ingest.NewSourceInfo(Kind, ""), p.opts)
	if ctx.Err() != nil {
		return nil
	}
	if err == io.EOF {
		err = errNoMedia
	}
	return fmt.Errorf("read from %s: %w", p.args[0], err)
}

// errNoMedia is why a program that ended well was of no use.
var errNoMedia = errors.New("it ended without any media")

// enter makes life the program that Send reaches, and tells it to play unless
// it was to pause.
func (p *Process) enter(life *child.Process) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = life
	if !p.paused {
		_ = p.write(Play) // if it has ended at once, reading it tells why
	}
}

func (p *Process) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.life = nil
}

func (p *Process) isPaused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paused
}

// ErrNotRunning means that a command reached nobody.
var ErrNotRunning = errors.New("the program does not run")

// Send tells the program what to do. It is remembered whether it is to play:
// it is told so when it is started again. The error wraps [ErrNotRunning], or
// says that the program takes no commands.
func (p *Process) Send(c Command) error {
	if !p.framed {
		return fmt.Errorf("send a command to %s: it does not speak eradio's framing", p.args[0])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch c {
	case Play:
		p.paused = false
	case Pause:
		p.paused = true
	}
	if p.life == nil {
		return fmt.Errorf("send a command to %s: %w", p.args[0], ErrNotRunning)
	}
	return p.write(c)
}

// write writes a command. The caller holds mu. A program that does not read is
// not waited for long.
func (p *Process) write(c Command) error {
	const patience = 100 * time.Millisecond
	stdin := p.life.Stdin()
	_ = stdin.SetWriteDeadline(time.Now().Add(patience)) // where the system has none, the pipe has room
	if _, err := stdin.Write(appendMessage(nil, byte(c), nil)); err != nil {
		return fmt.Errorf("send a command to %s: %w", p.args[0], err)
	}
	return nil
}
