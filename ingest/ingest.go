// Package ingest brings media in: it owns the sockets that sources connect to
// or are fetched from, who may publish, what happens when a source stops, and
// reconnection. Bytes go through [headwater/mux/demux] to the [Sink] of one
// stream; segments and HTTP are no business of this package.
//
// Every source has its own file: tcp.go takes connections, dial.go makes them.
// What they share, one connection from its first byte to its last, is in
// session.go. A source over another protocol gets a sub-package of its own.
package ingest

import (
	"context"
	"time"

	"headwater/mux"
)

// Sink is one stream, which takes the media of one source at a time.
// It is safe for concurrent use.
type Sink interface {
	// Attach gives the stream to src, which was met at now. The error is a
	// [*mux.BusyError] if another source holds the stream. The caller closes
	// the feed.
	Attach(src mux.SourceInfo, now time.Time) (mux.Feed, error)
}

// Source brings media to a sink.
type Source interface {
	// Run works until ctx ends or the source does, and returns only when all
	// that it opened is closed. It returns nil if ctx ended or there is
	// nothing more to come, else the reason. It never retries by itself; see
	// [Supervise].
	Run(ctx context.Context) error
}
