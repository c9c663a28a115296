package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"headwater/mux"
)

// complaints are the lines of the log on connections that brought nothing.
type complaints struct {
	log *slog.Logger

	accept  *Tally // no connection could be accepted
	address *Tally // refused by the allow list
	evicted *Tally // made room in the lobby
	busy    *Tally
	alien   *Tally
	empty   *Tally // bytes without media
	other   *Tally
}

func newComplaints(log *slog.Logger) *complaints {
	line := func(message string) *Tally { return NewTally(log, message) }
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
	for _, t := range []*Tally{c.accept, c.address, c.evicted, c.busy, c.alien, c.empty, c.other} {
		t.Flush()
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
		c.evicted.Add(about...)
	case errors.As(err, &busy):
		c.busy.Add(append(about, slog.String("holder", busy.Holder.String()),
			slog.String("holder_source", busy.Holder.ID), slog.Time("since", busy.Holder.Since))...)
	case errors.Is(err, mux.ErrUnknownFormat):
		c.alien.Add(append(about, cause...)...)
	case errors.Is(err, ErrNoMedia):
		about = append(about, slog.String("format", s.demux.Format().String()))
		c.empty.Add(append(about, cause...)...)
	case received == 0 && !errors.Is(err, ErrSilent): // a port scan, a health check
		c.log.LogAttrs(context.Background(), slog.LevelDebug, "connection closed without a byte", about...)
	default:
		if errors.Is(err, io.EOF) {
			cause[0] = slog.String("error", "the source closed the connection")
		}
		c.other.Add(append(about, cause...)...)
	}
}
