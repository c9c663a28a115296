package main

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// asMain makes the test binary behave as headwater, for tests that need a
// process of its own.
const asMain = "HEADWATER_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// output is what a command writes. Tests may read it while the command runs.
type output struct {
	mu      sync.Mutex
	text    bytes.Buffer  // guarded by mu
	changed chan struct{} // closed at each write; guarded by mu
}

func newOutput() *output { return &output{changed: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.changed)
	o.changed = make(chan struct{})
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// line waits for a line that holds all words and returns it, or "" if ctx ends first.
func (o *output) line(ctx context.Context, words ...string) string {
	for {
		o.mu.Lock()
		text, changed := o.text.String(), o.changed
		o.mu.Unlock()
		for line := range strings.Lines(text) {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
				return line
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ""
		}
	}
}

// call runs a command line and returns its exit status and what it wrote.
func call(ctx context.Context, stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err output = *newOutput(), *newOutput()
	status = run(ctx, args, &console{stdin: strings.NewReader(stdin), stdout: &out, stderr: &err, lookupEnv: environment()})
	return status, out.String(), err.String()
}

func TestRunUsageErrors(t *testing.T) {
	tests := []struct {
		name string
		args []string
		want string // in the message
	}{
		{"unknown command", []string{"sreve"}, `there is no command "sreve"; "headwater help" lists them`},
		{"help for an unknown command", []string{"help", "x"}, `there is no command "x"`},
		{"unknown flag", []string{"serve", "--htpp", ":1"}, "headwater serve: flag provided but not defined: --htpp\n\"headwater help serve\""},
		{"flag without a value", []string{"serve", "--http"}, "flag needs an argument: --http"},
		{"argument too many", []string{"serve", "live"}, `unexpected argument "live"`},
		{"argument of version", []string{"version", "x"}, `unexpected argument "x"`},
		{"configuration", []string{"serve", "--window", "1"}, `--window: "1" must be a duration`},
		{"push without arguments", []string{"push"}, "give a file and where to send it"},
		{"push to a web address", []string{"push", "f.ts", "http://a:1"}, `"http://a:1" is not tcp://HOST:PORT`},
		{"push without a port", []string{"push", "f.ts", "tcp://a"}, `"tcp://a" is not tcp://HOST:PORT`},
		{"push with a path", []string{"push", "f.ts", "tcp://a:1/live"}, `"tcp://a:1/live" is not tcp://HOST:PORT`},
		{"push test with a file", []string{"push", "--test", "f.ts", "tcp://a:1"}, "give"},
		{"push backwards", []string{"push", "--speed", "-1", "f.ts", "tcp://a:1"}, "--speed -1: must be 0 or more"},
		{"push no number", []string{"push", "--speed", "fast", "f.ts", "tcp://a:1"}, `invalid value "fast" for flag --speed`},
		{"loop of standard input", []string{"push", "--loop", "-", "tcp://a:1"}, "--loop needs a file"},
		{"check without a URL", []string{"check"}, "URL"},
		{"demo with an argument", []string{"demo", "x"}, `unexpected argument "x"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, stdout, stderr := call(t.Context(), "", tt.args...)
			if status != statusUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
				t.Errorf("run(%q) = %d, %q, %q, want 2, nothing, and a message with %q", tt.args, status, stdout, stderr, tt.want)
			}
		})
	}
}

func TestRunWithoutArguments(t *testing.T) {
	status, stdout, _ := call(t.Context(), "")
	if status != statusUsage || !strings.Contains(stdout, "headwater serve") {
		t.Errorf("run() = %d, %q, want 2 and the usage", status, stdout)
	}
}

// Every command explains itself, and its help names every flag it takes.
func TestRunHelp(t *testing.T) {
	_, usage, _ := call(t.Context(), "", "help")
	for _, cmd := range commands() {
		if cmd.summary == "" || !strings.Contains(usage, cmd.summary) {
			t.Errorf("the usage says nothing about %s", cmd.name)
		}
		fs := newFlagSet(cmd.name)
		cmd.bind(fs, &console{lookupEnv: environment()})
		for _, args := range [][]string{{"help", cmd.name}, {cmd.name, "--help"}, {cmd.name, "-h"}} {
			status, stdout, stderr := call(t.Context(), "", args...)
			if status != statusOK || stderr != "" || !strings.HasPrefix(stdout, "Usage: headwater "+cmd.name) {
				t.Errorf("run(%q) = %d, %q, %q, want 0 and the help", args, status, stdout, stderr)
			}
			fs.VisitAll(func(f *flag.Flag) {
				if !strings.Contains(stdout, "\n  --"+f.Name) {
					t.Errorf("run(%q) does not mention --%s", args, f.Name)
				}
			})
		}
	}
}

func TestParseFlags(t *testing.T) {
	tests := []struct {
		name string
		args string
		rest string
		loop bool
	}{
		{"flags first", "--loop --speed 2 a b", "a b", true},
		{"flags last", "a b --loop", "a b", true},
		{"flags between", "a --speed=2 b", "a b", false},
		{"a dash is an argument", "- b --loop", "- b", true},
		{"only arguments after two dashes", "--speed 2 -- a --loop", "a --loop", false},
		{"arguments before two dashes", "a -- --loop", "a --loop", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := newFlagSet("x")
			loop := fs.Bool("loop", false, "")
			fs.Float64("speed", 1, "")
			rest, err := parseFlags(fs, strings.Fields(tt.args))
			if err != nil || strings.Join(rest, " ") != tt.rest || *loop != tt.loop {
				t.Errorf("parseFlags(%s) = %q, loop %v, %v, want %s, %v", tt.args, rest, *loop, err, tt.rest, tt.loop)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"--version"}} {
		status, stdout, _ := call(t.Context(), "", args...)
		if status != statusOK || !strings.HasPrefix(stdout, "headwater "+buildVersion()+" go1") {
			t.Errorf("run(%q) = %d, %q", args, status, stdout)
		}
	}
}

// A process that gets SIGTERM ends well, with status 0.
func TestSIGTERM(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0],
		"serve", "--http", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--data", t.TempDir())
	cmd.Env = append(os.Environ(), asMain+"=1")
	log := newOutput()
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if log.line(t.Context(), "waiting for a source") == "" {
		t.Fatal("it did not start")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("headwater serve ended with %v, want status 0", err)
	}
	if !strings.Contains(log.String(), `"msg":"stopped"`) {
		t.Errorf("the log does not say that it stopped:\n%s", log)
	}
}
