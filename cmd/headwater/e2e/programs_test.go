//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// headwater is the binary under test; TestMain builds it.
var headwater string

// scratch is removed after the tests.
var scratch string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "headwater-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil { // VLC runs as another user
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	headwater = filepath.Join(scratch, "headwater")
	build := exec.Command("go", "build", "-o", headwater, "headwater/cmd/headwater")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build headwater: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// program returns the path of a program that the test cannot do without.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath("/usr/sbin/" + name); err != nil {
			t.Fatalf("%s is missing: make programs", name)
		}
	}
	return path
}

// process is a program that runs beside the test.
type process struct {
	t      *testing.T
	name   string
	cmd    *exec.Cmd
	output output
	done   chan struct{} // closed when it has ended
	err    error         // set before done is closed
}

// start runs a program until the test ends at the latest.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return startCommand(t, exec.Command(program(t, name), args...))
}

// startCommand runs cmd in a process group of its own, so that its children end with it.
func startCommand(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: filepath.Base(cmd.Path), cmd: cmd, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if cmd.Stdout == nil {
		cmd.Stdout = &p.output
	}
	cmd.Stderr = &p.output
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.signal(syscall.SIGKILL)
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", p.name, tail(p.output.String(), 40))
		}
	})
	return p
}

// live gives the program the processor before the players and browsers of the
// test: encoder and server stand for machines of their own, on which nothing
// keeps them from working in real time. It takes root, and does no harm without.
func (p *process) live() *process {
	syscall.Setpriority(syscall.PRIO_PGRP, p.cmd.Process.Pid, -10)
	return p
}

// signal sends s to the program and its children.
func (p *process) signal(s syscall.Signal) { syscall.Kill(-p.cmd.Process.Pid, s) }

// kill ends the program without asking.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// wait waits for the end of the program, which must come in time.
func (p *process) wait(limit time.Duration) error {
	p.t.Helper()
	select {
	case <-p.done:
		return p.err
	case <-time.After(limit):
		p.t.Fatalf("%s is still running after %v", p.name, limit)
		return nil
	}
}

// ended reports whether the program has ended.
func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// output collects what a program prints; it may be read meanwhile.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// result is what a program that ran to its end left.
type result struct {
	stdout, stderr string
	err            error
}

// run runs a program to its end, which must come within limit.
func run(t *testing.T, limit time.Duration, name string, args ...string) result {
	t.Helper()
	return runCommand(t, limit, exec.Command(program(t, name), args...))
}

func runCommand(t *testing.T, limit time.Duration, cmd *exec.Cmd) result {
	t.Helper()
	var stdout output
	cmd.Stdout = &stdout
	p := startCommand(t, cmd)
	err := p.wait(limit)
	return result{stdout: stdout.String(), stderr: p.output.String(), err: err}
}

// must fails the test if the program failed.
func (r result) must(t *testing.T) result {
	t.Helper()
	if r.err != nil {
		t.Fatalf("%v\n%s", r.err, tail(r.stderr+r.stdout, 30))
	}
	return r
}

// tail returns the last n lines of s.
func tail(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// eventually waits until check returns nil.
func eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
		pause(t.Context(), 100*time.Millisecond)
	}
}

// pause waits for d or the end of ctx; it is for polling, never for synchronisation.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

var errNotYet = errors.New("not yet")

// slots bounds how many players run at once: the machine may have two cores.
var slots = make(chan struct{}, 4)

// enter waits for a free slot and holds it until the test ends.
func enter(t *testing.T) {
	t.Helper()
	slots <- struct{}{}
	t.Cleanup(func() { <-slots })
}
