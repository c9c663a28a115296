package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"headwater/mux"
)

// complaints are the lines of the log on connections that brought nothing.
type complaints struct {
	log *slog.Logger

	accept  tally // no connection could be accepted
	address tally // refused by the allow list
	evicted tally // made room in the lobby
	busy    tally
	alien   tally
	empty   tally // bytes without media
	other   tally
}

func newComplaints(log *slog.Logger) *complaints {
	line := func(message string) tally { return tally{log: log, message: message} }
	return &complaints{
		log:     log,
		accept:  line("no connection can be accepted"),
		address: line("source refused, its address is not in the allow list"),
		evicted: line("closed connections that sent nothing, too many are waiting"),
		busy:    line("source refused, another one holds the stream: stop that one or send to another stream"),
		alien:   line("source refused, send MPEG-TS, MP3, ADTS AAC or Ogg"),
		empty:   line("source refused, it sends no media"),
		other:   line("connection ended without media"),
	}
}

// flush logs what was held back.
func (c *complaints) flush() {
	for _, t := range []*tally{&c.accept, &c.address, &c.evicted, &c.busy, &c.alien, &c.empty, &c.other} {
		t.flush()
	}
}

// add logs why the session ended without media. If it brought some, its own
// journal has told that.
func (c *complaints) add(s *session, err error) {
	var end *EndError
	if errors.As(err, &end) {
		return
	}
	received := s.demux.Stats().Bytes
	about := []slog.Attr{slog.String("source", s.info.ID), slog.String("remote", s.info.Remote)}
	cause := []slog.Attr{slog.Any("error", err), slog.Uint64("bytes", received)}
	var busy *mux.BusyError
	switch {
	case errors.Is(err, errEvicted):
		c.evicted.add(about...)
	case errors.As(err, &busy):
		c.busy.add(append(about, slog.String("holder", busy.Holder.String()),
			slog.String("holder_source", busy.Holder.ID), slog.Time("since", busy.Holder.Since))...)
	case errors.Is(err, mux.ErrUnknownFormat):
		c.alien.add(append(about, cause...)...)
	case errors.Is(err, ErrNoMedia):
		about = append(about, slog.String("format", s.demux.Format().String()))
		c.empty.add(append(about, cause...)...)
	case received == 0 && !errors.Is(err, ErrSilent): // a port scan, a health check
		c.log.LogAttrs(context.Background(), slog.LevelDebug, "connection closed without a byte", about...)
	default:
		if errors.Is(err, io.EOF) {
			cause[0] = slog.String("error", "the source closed the connection")
		}
		c.other.add(append(about, cause...)...)
	}
}

// tally counts events that a stranger can cause at will, and logs them at most
// once a second: the newest, and how many there were since the last line if
// there were several.
type tally struct {
	log     *slog.Logger
	message string

	mu     sync.Mutex
	count  uint64      // since the last line; guarded by mu
	last   []slog.Attr // of the newest event; guarded by mu
	logged time.Time   // guarded by mu
}

// add counts one event; details tell of this one.
func (t *tally) add(details ...slog.Attr) {
	t.mu.Lock()
	t.count++
	t.last = details
	due := time.Since(t.logged) >= time.Second
	t.mu.Unlock()
	if due {
		t.flush()
	}
}

// flush logs what was not logged yet.
func (t *tally) flush() {
	t.mu.Lock()
	count, attrs := t.count, t.last
	t.count, t.logged = 0, time.Now()
	t.mu.Unlock()
	if count == 0 {
		return
	}
	if count > 1 {
		attrs = append(attrs[:len(attrs):len(attrs)], slog.Uint64("count", count))
	}
	t.log.LogAttrs(context.Background(), slog.LevelWarn, t.message, attrs...)
}
