package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"time"
)

// Accept gives start every connection of ln until ln is closed or ctx ends, and
// returns the error that ended it. Want of file descriptors or memory passes: it
// ends nothing, and failed is told of it. start must not wait for the connection.
func Accept(ctx context.Context, ln net.Listener, failed *Tally, start func(net.Conn)) error {
	const shortest, longest = 5 * time.Millisecond, time.Second
	pause := shortest
	for {
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) {
				return err
			}
			failed.Add(slog.Any("error", err))
			if !sleep(ctx, pause) {
				return ctx.Err()
			}
			pause = min(2*pause, longest)
			continue
		}
		pause = shortest
		start(conn)
	}
}
