package live_test

import (
	"context"
	"net/http/httptest"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"headwater/origin/live"
)

// The kernel gives up connections of net/http, too.
func TestCopyGivesUp(t *testing.T) {
	server, _ := socketPair(t, listen(t))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tail := live.NewFrames(live.TailConfig{})
	if _, err := tail.Copy(ctx, httptest.NewRecorder(), server, live.Options{}); err != context.Canceled {
		t.Fatalf("Copy = %v", err)
	}
	raw, err := server.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	if e := raw.Control(func(fd uintptr) {
		got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	}); e != nil || err != nil {
		t.Fatal(e, err)
	}
	if got != 30_000 {
		t.Errorf("TCP_USER_TIMEOUT = %d ms, want 30000", got)
	}
}
