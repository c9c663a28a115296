package load

import (
	"errors"
	"os"
	"time"
)

// throttleStep is how often a throttled listener reads.
const throttleStep = 50 * time.Millisecond

// throttle reads for a throttled listener: as all do until measuring begins,
// then slowly, then as fast as it can. Some time after that it is noted how far
// behind the listener is.
func (l *listener) throttle() error {
	c := l.crowd
	b := make([]byte, 4<<10)
	if err := l.readUntil(b, func() bool { return c.steady.Load() > 0 }); err != nil {
		return err
	}
	release := c.now() + int64(c.ThrottleFor)
	share := int(c.Throttle / 8 * int64(throttleStep) / int64(time.Second))
	for c.now() < release && !c.stopping.Load() {
		if err := l.readSome(b, share); err != nil {
			return err
		}
	}
	measure := c.now() + int64(afterRelease)
	if err := l.readUntil(b, func() bool { return c.now() >= measure }); err != nil {
		return err
	}
	if l.track != nil && l.track.frames > 0 {
		c.released.Record(time.Duration(c.now() - l.track.newest))
	}
	return l.readUntil(b, func() bool { return false })
}

// readUntil reads until done says so.
func (l *listener) readUntil(b []byte, done func() bool) error {
	for !done() {
		if l.crowd.stopping.Load() {
			return os.ErrDeadlineExceeded
		}
		if err := l.readFor(b, throttleStep); err != nil {
			return err
		}
	}
	return nil
}

// readSome reads at most n bytes in a step.
func (l *listener) readSome(b []byte, n int) error {
	end := time.Now().Add(throttleStep)
	for n > 0 && time.Now().Before(end) {
		k, err := l.readBy(b[:min(n, len(b))], end)
		if n -= k; err != nil {
			return err
		}
	}
	time.Sleep(time.Until(end))
	return nil
}

// readFor reads once, and waits d for it at most.
func (l *listener) readFor(b []byte, d time.Duration) error {
	_, err := l.readBy(b, time.Now().Add(d))
	return err
}

// readBy reads once, until end at most.
func (l *listener) readBy(b []byte, end time.Time) (int, error) {
	if err := l.conn.SetReadDeadline(end); err != nil {
		return 0, err
	}
	n, err := l.conn.Read(b)
	if taken := l.take(b[:n]); taken != nil {
		return n, taken
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = nil
	}
	return n, err
}
