//go:build unix

package folder_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"headwater/ingest/folder"
	"headwater/ingest/ingesttest"
	"headwater/mux"
)

// A pipe in a list, to which nobody writes, holds up neither the other files
// nor the end.
func TestPlayerPassesOverAPipe(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.mp3")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(pipe, old, old); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "a.mp3"), sound(mux.CodecMP3, 48000, 1))
	list := filepath.Join(dir, "all.m3u")
	write(t, list, []byte("pipe.mp3\na.mp3\n"))
	sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
	p, err := folder.New(folder.Options{Path: list, Sink: sink, Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Unwatched().Run(ctx) }()
	for deadline := time.Now().Add(20 * time.Second); len(log.Lines("now playing", "a.mp3")) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the file behind the pipe is not played\n%s", log)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if got := log.Lines("file skipped", "it is no file"); len(got) != 1 {
		t.Errorf("the pipe is complained of %d times, want once\n%s", len(got), log)
	}
}
