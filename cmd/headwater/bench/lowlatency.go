package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"headwater/cmd/headwater/load"
)

// measureLowLatency looks at how old frames are when listeners get them, and at
// what becomes of listeners whose network is too slow for a while.
func (b *bench) measureLowLatency(ctx context.Context) error {
	crowd := b.crowd / 4
	b.say("%d listeners of low latency, and throttled ones", crowd)
	r, err := b.hearSource(ctx, "?mode=live", "-n", strconv.Itoa(crowd), "--for", listenFor.String())
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d low-latency listeners: 99 %% of frames", crowd)
	age := fmt.Sprintf("within %.1f ms (half within %.1f ms), %.1f %% of one core", r.Frames.Age.P99, r.Frames.Age.P50, r.Server.CPU)
	if !r.Frames.LowLatency {
		b.table.add(row{what, "<= 20 ms", "not offered; in the normal mode " + age, "", noVerdict})
	} else {
		b.table.add(row{what, "<= 20 ms", age, "", judge(r.Frames.Age.P99 <= 20)})
	}
	for _, mode := range []struct{ name, query string }{{"low-latency", "?mode=live"}, {"normal", ""}} {
		if mode.query != "" && !r.Frames.LowLatency {
			continue
		}
		t, err := b.hearSource(ctx, mode.query, "-n", "20", "--throttled", "10", "--for", "14s")
		if err != nil {
			return err
		}
		b.throttled(mode.name, mode.query != "", t.Frames)
	}
	return nil
}

// throttled adds what became of listeners in one of the modes.
func (b *bench) throttled(name string, lossy bool, f *load.FramesReport) {
	what := "throttled to 60 % for 10 s, " + name + ": 2 s after release"
	measured := fmt.Sprintf("%.0f ms behind live at most, %d frames missing, %d torn", f.Released.Max, f.ThrottledMissing, f.Torn)
	if lossy {
		b.table.add(row{what, "< 500 ms, whole frames", measured, "", judge(f.Released.Max < 500 && f.Torn == 0 && f.Released.Count > 0)})
		return
	}
	b.table.add(row{what, "every byte", measured, "", judge(f.ThrottledMissing+f.Torn+f.Disordered == 0)})
}

// hearSource lets listeners hear a source of the load's own through a headwater.
func (b *bench) hearSource(ctx context.Context, query string, args ...string) (*load.ListenersReport, error) {
	o, err := b.serve(ctx, alone(ctx), 1, "")
	if err != nil {
		return nil, err
	}
	defer o.stop()
	args = append([]string{"--source", "tcp://" + o.sources[0], "--pid", strconv.Itoa(o.cmd.Process.Pid)}, args...)
	return b.hear(ctx, o.url+"/s0.mp3"+query, args...)
}

// connects returns an error unless something listens at addr.
func connects(ctx context.Context, addr string) error {
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	return conn.Close()
}
