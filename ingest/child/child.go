// Package child runs a program whose standard output is media: in a process
// group of its own, which ends with it, and with what it says on standard
// error in the log.
package child

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"headwater/mux"
)

const (
	// grace is how long a program may take to end after it was asked to.
	grace = time.Second
	// lastWords is how long is waited for what it said before it ended.
	lastWords = 200 * time.Millisecond
)

// Process is a program that runs. Reading it gives its standard output; it is
// an [headwater/ingest.Conn]. One goroutine reads, any may close it.
type Process struct {
	cmd    *exec.Cmd
	name   string
	stdin  *os.File
	stdout *os.File
	stderr *os.File
	says   voice

	ended   chan struct{} // closed when it has ended
	said    chan struct{} // closed when all that it said was heard
	err     error         // of Wait; set before ended is closed
	working sync.WaitGroup
	close   sync.Once
}

// Start starts the program args[0] with the arguments behind it, at least one.
// What it writes to standard error goes to log at a bounded rate. The error
// says that there is no such program, or why it cannot be started.
func Start(log *slog.Logger, args ...string) (*Process, error) {
	p := &Process{cmd: exec.Command(args[0], args[1:]...), name: filepath.Base(args[0]), ended: make(chan struct{}), said: make(chan struct{})}
	p.says.log = log.With("program", p.name)
	Separate(p.cmd)
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
	}()
	err := errors.Join(
		pipe(&p.stdout, &theirs, false),
		pipe(&p.stderr, &theirs, false),
		pipe(&p.stdin, &theirs, true))
	if err == nil {
		p.cmd.Stdout, p.cmd.Stderr, p.cmd.Stdin = theirs[0], theirs[1], theirs[2]
		err = p.cmd.Start()
	}
	if err != nil {
		p.closePipes()
		if errors.Is(err, exec.ErrNotFound) {
			return nil, fmt.Errorf("run %s: it is not installed: %w", args[0], err)
		}
		return nil, fmt.Errorf("run %s: %w", args[0], err)
	}
	p.working.Go(func() {
		p.says.listen(p.stderr)
		close(p.said)
	})
	p.working.Go(func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	})
	return p, nil
}

// pipe makes a pipe, of which *ours gets our end; theirs is added to *all.
func pipe(ours **os.File, all *[]*os.File, weWrite bool) error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if weWrite {
		r, w = w, r
	}
	*ours, *all = r, append(*all, w)
	return nil
}

// Read reads what the program writes. At the end the error is io.EOF if the
// program ended well, else it says how it ended, and what it said last.
func (p *Process) Read(b []byte) (int, error) {
	n, err := p.stdout.Read(b)
	if n > 0 || !errors.Is(err, io.EOF) {
		return n, err
	}
	select {
	case <-p.ended:
	case <-time.After(grace): // it has closed its output, and goes on
	}
	return 0, p.reason()
}

// reason returns why there is no more output.
func (p *Process) reason() error {
	select {
	case <-p.ended:
	default:
		return io.EOF
	}
	select {
	case <-p.said:
	case <-time.After(lastWords): // what it has started talks on
	}
	switch last := p.says.lastLine(); {
	case p.err == nil:
		return io.EOF
	case last != "":
		return fmt.Errorf("%s ended: %w: %s", p.name, p.err, last)
	}
	return fmt.Errorf("%s ended: %w", p.name, p.err)
}

// SetReadDeadline makes Read fail with [os.ErrDeadlineExceeded] from t on,
// where the system knows deadlines for pipes.
func (p *Process) SetReadDeadline(t time.Time) error {
	if err := p.stdout.SetReadDeadline(t); !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	return nil // Windows: a program that falls silent is waited for
}

// Stdin returns the program's standard input, which Close closes.
func (p *Process) Stdin() *os.File { return p.stdin }

// Say logs what the program said in a way of its own, as if it had said it on
// standard error.
func (p *Process) Say(level slog.Level, text string) {
	p.says.say(level, mux.CleanText(text), time.Now())
}

// Close ends the program and all that it has started, and returns when they
// are gone. A Read that waits ends. It never returns an error.
func (p *Process) Close() error {
	p.close.Do(func() {
		p.stdin.Close()
		terminate(p.cmd)
		select {
		case <-p.ended:
		case <-time.After(grace):
		}
		Kill(p.cmd) // what it has started may be there still
		p.closePipes()
		p.working.Wait()
		p.says.end()
	})
	return nil
}

func (p *Process) closePipes() {
	for _, f := range []*os.File{p.stdin, p.stdout, p.stderr} {
		if f != nil {
			f.Close()
		}
	}
}
