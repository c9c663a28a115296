package ingest

import (
	"context"
	"fmt"
	"net"
	"time"
)

// dialTimeout bounds a connection attempt. It is shorter than [Backoff.Reset]
// so that a host that swallows packets is never taken for a good source.
const dialTimeout = 5 * time.Second

// TCPDialer fetches media from a raw TCP server: GStreamer's tcpserversink, or
// ffmpeg with -listen 1. One Run is one connection; [Supervise] reconnects.
type TCPDialer struct {
	opts Options
	addr string
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// NewTCPDialer returns a source that connects to addr, "host:port". Nothing is
// dialled before Run.
func NewTCPDialer(addr string, opts Options) *TCPDialer {
	d := &net.Dialer{Timeout: dialTimeout, KeepAliveConfig: keepAlive}
	return &TCPDialer{opts: opts.withDefaults(), addr: addr, dial: d.DialContext}
}

// Run connects and reads until the connection or ctx ends. The error is an
// [*EndError] if there was media, and is never nil unless ctx ended: whoever
// serves one stream for ever is expected to be there again.
func (d *TCPDialer) Run(ctx context.Context) error {
	conn, err := d.dial(ctx, "tcp", d.addr)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	err = newSession(&d.opts, conn, NewSourceInfo(kindTCP, d.addr)).run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("read from %s: %w", d.addr, err)
}
