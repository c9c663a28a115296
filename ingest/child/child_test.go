//go:build unix

package child_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headwater/ingest/child"
	"headwater/ingest/ingesttest"
)

// shell starts a script.
func shell(t *testing.T, log *ingesttest.Log, script string) *child.Process {
	t.Helper()
	p, err := child.Start(log.Logger(), "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestProcessEnds(t *testing.T) {
	tests := []struct {
		name, script string
		output       string
		want         string // the error; "" for io.EOF
	}{
		{"well", "echo hello", "hello\n", ""},
		{"with an error", "echo hello; echo first >&2; echo no such card >&2; exit 3", "hello\n", "sh ended: exit status 3: no such card"},
		{"by a signal", "kill -9 $$", "", "sh ended: signal: killed"},
		{"with its standard input closed", "read x; echo got $x", "got\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := shell(t, &ingesttest.Log{}, tt.script)
			p.Stdin().Close()
			var output strings.Builder
			b := make([]byte, 100)
			var err error
			for err == nil {
				var n int
				n, err = p.Read(b)
				output.Write(b[:n])
			}
			if output.String() != tt.output {
				t.Errorf("output %q, want %q", output.String(), tt.output)
			}
			switch {
			case tt.want == "" && err != io.EOF:
				t.Errorf("Read = %v, want EOF", err)
			case tt.want != "" && err.Error() != tt.want:
				t.Errorf("Read = %v, want %s", err, tt.want)
			}
		})
	}
}

// What a program has started ends with it, also what does not want to.
func TestProcessEndsWithItsGroup(t *testing.T) {
	p := shell(t, &ingesttest.Log{}, `trap '' TERM; (trap '' TERM; while :; do sleep 100; done) & echo $!; wait`)
	b := make([]byte, 100)
	n, err := p.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	deadline := time.Now().Add(5 * time.Second)
	for syscall.Kill(pid, 0) == nil && !zombie(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d, which the program had started, is there still", pid)
		}
	}
	if _, err := p.Read(b); err == nil {
		t.Error("Read after Close = nil")
	}
}

// zombie reports whether nobody has asked yet how a process ended.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestProcessIsSilent(t *testing.T) {
	p := shell(t, &ingesttest.Log{}, "exec sleep 100")
	if err := p.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Read = %v, want a timeout", err)
	}
}

// A program that talks without end fills neither the log nor a pipe.
func TestProcessTalks(t *testing.T) {
	log := &ingesttest.Log{}
	p := shell(t, log, `i=0; while [ $i -lt 5000 ]; do echo line $i >&2; i=$((i+1)); done; head -c 100000 /dev/zero | tr '\0' x >&2; echo >&2; echo done`)
	b := make([]byte, 100)
	if n, err := p.Read(b); err != nil || string(b[:n]) != "done\n" {
		t.Fatalf("Read = %q, %v", b[:n], err)
	}
	p.Close()
	if n := len(log.Lines("the program says", "program=sh")); n < 20 || n > 40 {
		t.Errorf("%d lines are logged, want about 20", n)
	}
	if len(log.Lines("more than is logged", "muted=49")) != 1 {
		t.Errorf("the log does not tell how much is not in it: %s", log)
	}
}

func TestStartWithoutTheProgram(t *testing.T) {
	_, err := child.Start((&ingesttest.Log{}).Logger(), "no-such-program-here")
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "it is not installed") {
		t.Errorf("Start = %v, want that it is not installed", err)
	}
}
