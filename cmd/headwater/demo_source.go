package main

import (
	"context"
	"fmt"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/demux"
)

// kindDemo names the built-in programme in [mux.SourceInfo].
const kindDemo = "demo"

// programmeSource plays the built-in programme into a stream of the same
// process, through the same demuxer as any other source.
type programmeSource struct {
	sink ingest.Sink

	// ahead is how much of the programme is played at once when it begins, so
	// that there is something to watch right away. The stream must know it as
	// its latency: then the media is dated as if it had been on the air before.
	ahead time.Duration
}

// Run plays until ctx ends.
func (s *programmeSource) Run(ctx context.Context) error {
	loop, err := programme.NewLoop(programme.TS(), 0)
	if err != nil {
		return fmt.Errorf("play the built-in programme: %w", err)
	}
	start := time.Now()
	feed, err := s.sink.Attach(mux.SourceInfo{ID: kindDemo, Kind: kindDemo, Since: start}, start)
	if err != nil {
		return fmt.Errorf("play the built-in programme: %w", err)
	}
	defer func() { feed.Close(context.Cause(ctx), time.Now()) }()
	s.play(ctx, loop, feed, start.Add(-s.ahead))
	return nil
}

// play sends what is due: the loop began at start.
func (s *programmeSource) play(ctx context.Context, loop *programme.Loop, feed mux.Feed, start time.Time) {
	d := demux.New(demux.Options{})
	reported := time.Now()
	for ctx.Err() == nil {
		packets, due := loop.Next()
		if !waitUntil(ctx, start.Add(due)) {
			return
		}
		now := time.Now()
		for len(packets) > 0 {
			n := copy(d.Buffer(), packets)
			packets = packets[n:]
			if units := d.Advance(n); len(units) > 0 {
				feed.Write(units, now)
			}
		}
		if now.Sub(reported) >= time.Second {
			feed.Report(d.Format().String(), d.Stats())
			reported = now
		}
	}
}

// waitUntil waits for t, or a little less: a source need not wake for every
// packet. It reports false if ctx ended first.
func waitUntil(ctx context.Context, t time.Time) bool {
	const slack = 20 * time.Millisecond
	wait := time.Until(t)
	if wait <= slack {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
