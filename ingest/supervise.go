package ingest

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait before a source is tried again. The zero value
// of a field means its default.
type Backoff struct {
	Min   time.Duration // first pause; default 0.5 s
	Max   time.Duration // the pause doubles up to this; default 10 s
	Reset time.Duration // media for as long makes the next pause Min again; default 10 s
	Quiet time.Duration // least time between two log lines; default 30 s
}

func (b Backoff) withDefaults() Backoff {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&b.Min, 500*time.Millisecond)
	set(&b.Max, 10*time.Second)
	set(&b.Reset, 10*time.Second)
	set(&b.Quiet, 30*time.Second)
	return b
}

// Supervise runs src again after each failure, with pauses that grow, until it
// returns nil or ctx ends. Every pause is varied by a fifth, so that sources
// that failed together do not come back together. It logs the first failure,
// then at most one line each b.Quiet. It always returns nil: there is nothing
// that it gives up on.
func Supervise(ctx context.Context, log *slog.Logger, src Source, b Backoff) error {
	b = b.withDefaults()
	pause := b.Min
	var logged time.Time
	failures := 0
	for {
		err := src.Run(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		var end *EndError
		if errors.As(err, &end) && end.Media >= b.Reset {
			pause, logged, failures = b.Min, time.Time{}, 0
		}
		failures++
		wait := pause + time.Duration((rand.Float64()*0.4-0.2)*float64(pause))
		if time.Since(logged) >= b.Quiet {
			log.Warn("source failed, it will be tried again",
				"error", err, "failures", failures, "retry_in", wait.Round(time.Millisecond))
			logged = time.Now()
		}
		if !sleep(ctx, wait) {
			return nil
		}
		pause = min(2*pause, b.Max)
	}
}

// sleep waits for d and reports true, or false at once if ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
