package ingest

import (
	"context"
	"log/slog"
	"time"
)

const (
	// demandLook is how often it is looked whether somebody wants a stream.
	demandLook = 100 * time.Millisecond
	// demandIdle is how long nobody must want it for its source to end: longer
	// than any player waits from one request to the next.
	demandIdle = time.Minute
)

// Demander tells whether somebody wants a stream: a number that grows with each
// request for its media, and how many listen to it without end now.
type Demander interface {
	Demand() (requests uint64, listeners int64)
}

// OnDemand is a source that runs only while somebody wants its stream.
type OnDemand struct {
	source Source
	demand Demander
	log    *slog.Logger

	asked  uint64    // requests when it was looked last
	wanted time.Time // when somebody wanted it last
}

// NewOnDemand returns a source that runs src while demand is there, and for a
// minute more.
func NewOnDemand(src Source, demand Demander, log *slog.Logger) *OnDemand {
	return &OnDemand{source: src, demand: demand, log: log}
}

// Run waits until somebody wants the stream, runs the source until nobody does
// any more, and so on until ctx ends or the source does. The error is the
// source's; it is tried again only while it is wanted.
func (o *OnDemand) Run(ctx context.Context) error {
	look := time.NewTicker(demandLook)
	defer look.Stop()
	for {
		for !o.isWanted(time.Now()) {
			select {
			case <-look.C:
			case <-ctx.Done():
				return nil
			}
		}
		o.log.Info("somebody wants the stream, its source is started")
		if unwanted, err := o.serve(ctx, look.C); !unwanted {
			return err
		}
	}
}

// serve runs the source until nobody wants the stream, or until it ends.
func (o *OnDemand) serve(ctx context.Context, look <-chan time.Time) (unwanted bool, err error) {
	ctx, end := context.WithCancel(ctx)
	defer end()
	done := make(chan error, 1)
	go func() { done <- o.source.Run(ctx) }()
	for {
		select {
		case err := <-done:
			return false, err
		case <-look:
			if !o.isWanted(time.Now()) {
				o.log.Info("nobody wants the stream, its source is ended")
				end()
				<-done // nil, or why it could not end well, which does not matter any more
				return true, nil
			}
		}
	}
}

// isWanted reports whether somebody wants the stream, or has a minute ago.
func (o *OnDemand) isWanted(now time.Time) bool {
	asked, listeners := o.demand.Demand()
	if asked != o.asked || listeners > 0 {
		o.asked, o.wanted = asked, now
	}
	return !o.wanted.IsZero() && now.Sub(o.wanted) < demandIdle
}
