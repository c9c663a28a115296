package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"headwater/mux"
	"headwater/mux/demux"
)

// Why a session ends, when neither the other end nor the network ended it.
var (
	// ErrEnded means that an operator ended the source.
	ErrEnded = errors.New("the source was ended by an operator")
	// ErrSilent means that not one byte came within the timeout.
	ErrSilent = errors.New("nothing was sent")
	// ErrNoMedia means that bytes came, but no program could be made of them.
	ErrNoMedia = errors.New("no media was found in what was sent")
)

// EndError says why a connection ended that had brought media.
type EndError struct {
	Media time.Duration // from the first unit's arrival to the last one's
	Err   error         // io.EOF if the other end closed
}

func (e *EndError) Error() string {
	if errors.Is(e.Err, io.EOF) {
		return "the source closed the connection"
	}
	return e.Err.Error()
}

func (e *EndError) Unwrap() error { return e.Err }

// session is one connection from its first byte to its last. One goroutine
// runs it.
type session struct {
	opts  *Options
	conn  Conn
	info  mux.SourceInfo
	demux *demux.Demuxer
	log   *slog.Logger // knows the source
	feed  mux.Feed     // nil until the first unit

	gather *gatherer // reads the connection while the feed is patient; nil if that cannot be

	// settled is called once, when the stream was attached; heard when the
	// first byte arrives. Either may be nil.
	heard, settled func()

	opened bool   // the first bytes were looked at
	held   int    // bytes in the demuxer's buffer until then
	finish func() // ends what open has started

	title *mux.Title // begins with the next unit of sound

	first, last time.Time // arrival of the first and of the last timed unit
	idle        time.Time // when the connection said last that it is silent for a reason
	journal     journal
	pace        pace
}

// newSession returns the session of conn, which info tells of. It owns conn.
func newSession(opts *Options, conn Conn, info mux.SourceInfo) *session {
	log := opts.Log.With("source", info.ID, "remote", info.Remote)
	return &session{
		opts:    opts,
		conn:    conn,
		info:    info,
		demux:   demux.New(demux.Options{Program: opts.Program}),
		log:     log,
		finish:  func() {},
		journal: journal{log: log},
	}
}

// run reads the connection until it or ctx ends, gives what was found to the
// sink, and closes both. It never returns nil: the error is the cause of ctx,
// an [*EndError] if media was brought, or says why none was.
func (s *session) run(ctx context.Context) error {
	conn := s.conn // open may put another in its place
	defer conn.Close()
	defer func() { s.finish() }()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	if s.info.End == nil {
		s.info.End = func() { end(ErrEnded) }
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // wakes a blocked Read
	defer stop()

	err := s.read(ctx)
	now := time.Now()
	if s.feed == nil && !worthFlushing(err) {
		return err
	}
	if flushErr := s.write(s.demux.Flush(), now); flushErr != nil {
		return flushErr
	}
	if s.feed == nil {
		return err
	}
	s.report(now)
	s.journal.end(s.demux.Stats(), now.Sub(s.first), err)
	s.feed.Close(err, now)
	return &EndError{Media: s.last.Sub(s.first), Err: err}
}

// worthFlushing reports whether a connection that ended with err before its
// first unit may hold a whole one still: a file of a few frames does.
func worthFlushing(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, ErrSilent)
}

// read reads until the connection fails or is no use any more, and says why.
func (s *session) read(ctx context.Context) error {
	now := s.info.Since
	for silent := true; ; {
		if s.pace.hold(ctx, s.opts.MaxLead, now) {
			now = time.Now() // nothing was missing meanwhile
			s.idle = now
			if s.gather != nil {
				s.gather.heard = now
			}
		}
		n, err := s.receive(now)
		now = time.Now()
		if n > 0 {
			if silent && s.heard != nil {
				s.heard()
			}
			silent = false
			s.hearTitle()
			media, err := s.open(ctx, n)
			if err == nil && media > 0 {
				err = s.advance(media, now)
			}
			if err != nil {
				return err
			}
		}
		if err != nil {
			return s.reason(ctx, err)
		}
		if n == 0 {
			s.idle = now
		}
	}
}

// receive reads what comes next into the demuxer's buffer. heard is when bytes
// came last.
func (s *session) receive(heard time.Time) (int, error) {
	if s.gather != nil {
		if patience := s.feed.Patience(); patience > 0 {
			return s.gather.Read(s.demux.Buffer(), patience)
		}
		s.gather.rest()
	}
	if err := s.conn.SetReadDeadline(heard.Add(s.opts.Timeout)); err != nil {
		return 0, err
	}
	return s.conn.Read(s.demux.Buffer()[s.held:])
}

// reason turns what Read returned into why the session ends.
func (s *session) reason(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil: // which closed the connection
		return context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w for %v", ErrSilent, s.opts.Timeout)
	}
	return err
}

// advance takes n bytes that were read into the demuxer's buffer.
func (s *session) advance(n int, now time.Time) error {
	if err := s.write(s.demux.Advance(n), now); err != nil {
		return err
	}
	if s.feed == nil {
		if err := s.demux.Err(); err != nil {
			return err
		}
	} else if s.journal.due(now) {
		s.report(now)
	}
	if s.feed != nil && s.feed.Patience() == 0 {
		if u := s.demux.Peek(); u != nil {
			s.feed.Preview(u, now)
		}
	}
	since := s.info.Since
	if !s.last.IsZero() {
		since = s.last
	}
	if s.idle.After(since) {
		since = s.idle
	}
	if limit := patience * s.opts.Timeout; now.Sub(since) > limit {
		return fmt.Errorf("%w for %v", ErrNoMedia, limit)
	}
	return nil
}

// write gives units to the stream, which it attaches with the first of them.
func (s *session) write(units []*mux.Unit, now time.Time) error {
	if len(units) == 0 {
		return nil
	}
	if s.feed == nil {
		feed, err := s.opts.Sink.Attach(s.info, now)
		if err != nil {
			return err
		}
		s.feed, s.first, s.last = feed, now, now
		if s.settled != nil {
			s.settled()
		}
		s.journal.begin(s.demux.Format().String(), now)
		s.gather = newGatherer(s.conn, s.opts.Timeout, now)
	}
	s.putTitle(units)
	s.journal.see(units[len(units)-1].Program, now)
	s.feed.Write(units, now)
	s.pace.saw(units, now)
	for _, u := range units {
		if !u.Untimed {
			s.last = now
			break
		}
	}
	return nil
}

// report tells the stream and the log what was counted since the last time.
func (s *session) report(now time.Time) {
	stats := s.demux.Stats()
	stats.Lead = s.pace.lead(now)
	s.pace.tell(s.log, now)
	s.feed.Report(s.demux.Format().String(), stats)
	s.journal.tell(stats, now)
}
