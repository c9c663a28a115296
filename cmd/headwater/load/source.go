package load

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// source sends stamped frames over a connection, each when it is due.
type source struct {
	run   uint32
	start time.Time // zero of the clock of the stamps
	sent  atomic.Int64
}

// send connects to addr and sends until ctx ends. A frame is stamped at the
// moment at which it is written, so that what is measured is the server's
// delay and not that of this clock's sleep.
func (s *source) send(ctx context.Context, addr string) error {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("connect the source: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // wakes a blocked Write
	defer stop()
	began := time.Now()
	var frame []byte
	for n := int64(0); ; n++ {
		if due := time.Until(began.Add(frameTime(n))); due > 0 && !sleep(ctx, due) {
			return nil
		}
		frame = appendFrame(frame[:0], stamp{run: s.run, n: uint32(n), sent: int64(time.Since(s.start))})
		if _, err := conn.Write(frame); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("send to %s: %w\nperhaps another source holds the stream", addr, err)
		}
		s.sent.Add(1)
	}
}
