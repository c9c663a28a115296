//go:build unix

package process_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
	"headwater/ingest/process"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// TestMain is also a source in eradio's framing, which plays half a second of
// sound at each command.
func TestMain(m *testing.M) {
	if os.Getenv("HEADWATER_TEST_SOURCE") == "" {
		os.Exit(m.Run())
	}
	sound := muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate / 2)
	names := map[byte]string{1: "play", 2: "pause", 3: "previous", 4: "next"}
	var command [6]byte
	for {
		if _, err := io.ReadFull(os.Stdin, command[:5]); err != nil {
			os.Exit(0)
		}
		if command[4] == 2 {
			os.Stdout.Write(message(typeStopped))
		}
		os.Stdout.Write(message(typeLog, "\x03told to "+names[command[4]]))
		os.Stdout.Write(message(typeStarted, text("x:y"), text("Me - "+names[command[4]])))
		os.Stdout.Write(message(typeMedia, string(sound)))
		if command[4] == 3 {
			os.Exit(7)
		}
	}
}

// eventually waits until ok.
func eventually(t *testing.T, what string, log *ingesttest.Log, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time\n%s", what, log)
		}
	}
}

func TestProcessPlain(t *testing.T) {
	dir := t.TempDir()
	media := muxtest.RawAudio(mux.CodecMP3).Bytes(3 * mux.ClockRate)
	file := filepath.Join(dir, "sound of one.mp3")
	if err := os.WriteFile(file, media, 0o644); err != nil {
		t.Fatal(err)
	}
	sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
	p := process.New([]string{"cat", file}, false, ingest.Options{Stream: "live", Sink: sink, Log: log.Logger()})
	err := p.Run(t.Context())
	var end *ingest.EndError
	if !errors.As(err, &end) || !errors.Is(err, io.EOF) {
		t.Errorf("Run = %v, want an EndError of EOF", err)
	}
	if got := sink.Feeds()[0].Bytes(); !slices.Equal(got, media) {
		t.Errorf("%d bytes of sound came, want %d", len(got), len(media))
	}
	if got := sink.Feeds()[0].Info.Kind; got != process.Kind {
		t.Errorf("kind %q, want %q", got, process.Kind)
	}
	if err := p.Send(process.Play); err == nil {
		t.Error("a plain program took a command")
	}
}

func TestProcessFails(t *testing.T) {
	tests := []struct {
		name, script, want string
	}{
		{"no program", "", "run no-such-program: it is not installed"},
		{"an error at once", "echo no card >&2; exit 1", "read from sh: sh ended: exit status 1: no card"},
		{"no media", "echo nothing at all", "read from sh: it ended without any media"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"sh", "-c", tt.script}
			if tt.script == "" {
				args = []string{"no-such-program"}
			}
			sink := &ingesttest.Sink{}
			err := process.New(args, false, ingest.Options{Sink: sink}).Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Run = %v, want %s", err, tt.want)
			}
			if n := len(sink.Feeds()); n != 0 {
				t.Errorf("%d sources took the stream", n)
			}
		})
	}
}

func TestProcessIsKilledWithTheStream(t *testing.T) {
	p := process.New([]string{"sleep", "1000"}, false, ingest.Options{Sink: &ingesttest.Sink{}})
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if err := p.Run(ctx); err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

// A program in eradio's framing is told to play when it starts, also when it is
// started again, but not while it is to pause.
func TestProcessFramed(t *testing.T) {
	t.Setenv("HEADWATER_TEST_SOURCE", "1")
	sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
	p := process.New([]string{os.Args[0]}, true, ingest.Options{Stream: "live", Sink: sink, Log: log.Logger(), Timeout: 4 * time.Second})
	if err := p.Send(process.Next); !errors.Is(err, process.ErrNotRunning) {
		t.Errorf("Send before Run = %v, want ErrNotRunning", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- ingest.Supervise(ctx, log.Logger(), p, ingest.Backoff{Min: time.Millisecond})
	}()
	titles := func() []string {
		var all []string
		for _, f := range sink.Feeds() {
			all = append(all, f.Titles()...)
		}
		return all
	}
	send := func(c process.Command, want ...string) {
		t.Helper()
		eventually(t, "the program runs", log, func() bool { return p.Send(c) == nil })
		eventually(t, want[len(want)-1], log, func() bool { return slices.Equal(titles(), want) })
	}
	eventually(t, "it plays", log, func() bool { return slices.Equal(titles(), []string{"Me - play"}) })
	send(process.Next, "Me - play", "Me - next")
	send(process.Previous, "Me - play", "Me - next", "Me - previous", "Me - play") // which ends it
	send(process.Pause, "Me - play", "Me - next", "Me - previous", "Me - play", "Me - pause")
	before := len(sink.Feeds())
	time.Sleep(5 * time.Second) // longer than it may be silent while it plays
	if n := len(sink.Feeds()); n != before {
		t.Errorf("a program that pauses was started again")
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Supervise = %v", err)
	}
	if len(log.Lines("the program says", "told to next")) != 1 {
		t.Errorf("what the program says is not in the log:\n%s", log)
	}
}
