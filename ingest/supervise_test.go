package ingest_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

func prefixes(list ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range list {
		all = append(all, netip.MustParsePrefix(s))
	}
	return all
}

type sourceFunc func(context.Context) error

func (f sourceFunc) Run(ctx context.Context) error { return f(ctx) }

// near reports whether d is want, give or take the fifth that pauses vary by.
func near(d, want time.Duration) bool { return d >= want*8/10 && d <= want*12/10 }

func TestSupervisePauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var pauses []time.Duration
		last := time.Now()
		src := sourceFunc(func(context.Context) error {
			pauses = append(pauses, time.Since(last))
			defer func() { last = time.Now() }()
			switch len(pauses) {
			case 9:
				time.Sleep(time.Minute) // good for long enough to begin anew
				return &ingest.EndError{Media: time.Minute, Err: io.EOF}
			case 11:
				return nil
			}
			return errors.New("connection refused")
		})
		if err := ingest.Supervise(t.Context(), slog.New(slog.DiscardHandler), src, ingest.Backoff{}); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
			10 * time.Second, 10 * time.Second, 10 * time.Second, 500 * time.Millisecond, time.Second}
		if len(pauses) != len(want) {
			t.Fatalf("ran %d times, want %d", len(pauses), len(want))
		}
		for i := range want {
			if !near(pauses[i], want[i]) {
				t.Errorf("pause %d = %v, want about %v", i, pauses[i], want[i])
			}
		}
	})
}

func TestSuperviseLogsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log logbook
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		src := sourceFunc(func(context.Context) error { return errors.New("connection refused") })
		if err := ingest.Supervise(ctx, slog.New(slog.NewTextHandler(&log, nil)), src, ingest.Backoff{}); err != nil {
			t.Errorf("Supervise = %v, want nil", err)
		}
		n := len(log.lines("connection refused", "retry_in"))
		if n < 7 || n > 10 {
			t.Errorf("%d lines in 5 minutes, want one each 30 s", n)
		}
	})
}

// TestTCPDialer fetches from a server that sends and hangs up, over real sockets.
func TestTCPDialer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := ln.Accept()
		if err == nil {
			_, err = conn.Write(muxtest.AV().Bytes(mux.ClockRate))
			err = errors.Join(err, conn.Close())
		}
		served <- err
	}()
	var s sink
	d := ingest.NewTCPDialer(ln.Addr().String(), ingest.Options{Stream: "live", Sink: &s})
	err = d.Run(t.Context())
	var end *ingest.EndError
	if !errors.As(err, &end) || !errors.Is(err, io.EOF) {
		t.Errorf("Run = %v, want an EndError of EOF", err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
	if f := s.all(); len(f) != 1 || f[0].units == 0 || f[0].info.Remote != ln.Addr().String() {
		t.Errorf("feeds = %+v, want one with units", f)
	}
	ln.Close()
	if err := d.Run(t.Context()); err == nil {
		t.Error("Run = nil with nobody there, want an error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Run(ctx); err != nil {
		t.Errorf("Run = %v after ctx ended, want nil", err)
	}
}

// TestListen takes a source over a real socket and stops.
func TestListen(t *testing.T) {
	var s sink
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	l, err := ingest.Listen(ctx, "127.0.0.1:0", ingest.Options{Stream: "live", Sink: &s})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Listen(ctx, l.Addr().String(), ingest.Options{}); err == nil {
		t.Error("Listen = nil on a busy port, want an error")
	}
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(muxtest.AV().Bytes(2 * mux.ClockRate)); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	if _, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("Read = %v, want EOF when all was taken", err)
	}
	conn.Close()
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if f := s.all(); len(f) != 1 || f[0].units < 70 {
		t.Errorf("feeds = %+v, want one with all units", f)
	}
}
