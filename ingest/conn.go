package ingest

import (
	"context"
	"crypto/rand"
	"io"
	"strings"
	"time"

	"headwater/mux"
)

// Conn is what media is read from: a [net.Conn], a pipe, the body of a request
// that knows deadlines. Close ends a Read that waits, unless the connection is
// kept for an answer. A Read that returns neither bytes nor an error says that
// there is a reason for the silence. A *[net.TCPConn] is read with fewer
// wake-ups, and so is what has a method Plain() net.Conn that returns one.
type Conn interface {
	io.ReadCloser
	// SetReadDeadline makes Read fail with [os.ErrDeadlineExceeded] from t on.
	SetReadDeadline(t time.Time) error
}

// TitledConn is a Conn that tells titles apart from the media.
type TitledConn interface {
	Conn
	// Title is called after each Read that brought bytes. It returns the title
	// that begins with the first of them, nil if none does. A Read must not
	// reach over the place where the next one begins.
	Title() *mux.Title
}

// NewSourceInfo returns what is known of a source that came in as kind just
// now, with a name of its own. remote is the other end, "" if there is none.
func NewSourceInfo(kind, remote string) mux.SourceInfo {
	return mux.SourceInfo{
		ID:     kind + "-" + strings.ToLower(rand.Text()[:6]),
		Kind:   kind,
		Remote: remote,
		Since:  time.Now(),
	}
}

// Serve reads media from conn, which info tells of, and gives it to the sink
// until conn or ctx ends; it closes conn. It never returns nil: the error is
// the cause of ctx, an [*EndError] if media was brought, else it says why none
// was: a [*mux.BusyError], [ErrSilent], [ErrNoMedia], or one that wraps
// [mux.ErrUnknownFormat]. What became of media is logged, an error that is no
// EndError is not.
func Serve(ctx context.Context, conn Conn, info mux.SourceInfo, opts Options) error {
	opts = opts.withDefaults()
	return newSession(&opts, conn, info).run(ctx)
}

// hearTitle asks the connection for the title of what was just read.
func (s *session) hearTitle() {
	if c, ok := s.conn.(TitledConn); ok {
		if title := c.Title(); title != nil {
			s.title = title
		}
	}
}

// putTitle gives the title that was heard to the first unit of sound in units.
// It is up to two frames early: these are still on their way through the demuxer.
func (s *session) putTitle(units []*mux.Unit) {
	if s.title == nil {
		return
	}
	for i, u := range units {
		if u.Program.Tracks[u.Track].Codec.Audio() {
			titled := *u // the demuxer's own is immutable
			titled.Title, s.title = s.title, nil
			units[i] = &titled
			return
		}
	}
}
