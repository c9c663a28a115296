package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// kindTCP names a raw TCP connection in [mux.SourceInfo], whoever made it.
const kindTCP = "tcp"

// keepAlive finds an encoder that lost its power or its network even where the
// timeout is long.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// TCPListener takes raw TCP connections for one stream: MPEG-TS, MP3 or ADTS
// with no protocol around it, as ffmpeg's tcp:// and GStreamer's tcpclientsink
// send it. Several may connect; the first that sends media gets the stream and
// holds it until it ends, others with media are refused meanwhile. The port
// stays open between encoders.
type TCPListener struct {
	opts       Options
	ln         net.Listener
	lobby      lobby
	complaints *complaints
}

// Listen binds addr, "host:port". The error is that of [net.Listen].
// The listener holds the port until Run returns, or until Close if Run is
// never called.
func Listen(ctx context.Context, addr string, opts Options) (*TCPListener, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return NewTCPListener(ln, opts), nil
}

// NewTCPListener returns a source that takes the connections of ln, which it owns.
func NewTCPListener(ln net.Listener, opts Options) *TCPListener {
	opts = opts.withDefaults()
	return &TCPListener{
		opts:       opts,
		ln:         ln,
		lobby:      lobby{max: opts.MaxPending},
		complaints: newComplaints(opts.Log),
	}
}

// Addr returns the address that is listened on.
func (l *TCPListener) Addr() net.Addr { return l.ln.Addr() }

// Close frees the port of a listener that will not be run.
func (l *TCPListener) Close() error { return l.ln.Close() }

// Run takes connections until ctx ends. It returns nil then, or the error that
// closed the listener.
func (l *TCPListener) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { l.ln.Close() }) // wakes Accept
	defer stop()
	defer l.ln.Close()
	l.opts.Log.Info("waiting for a source", "address", l.ln.Addr().String())

	var sessions sync.WaitGroup
	err := Accept(ctx, l.ln, l.complaints.accept, func(conn net.Conn) {
		if remote := conn.RemoteAddr().String(); !l.opts.Allows(remote) {
			conn.Close()
			l.complaints.address.Add(slog.String("remote", remote))
			return
		}
		// In the lobby it stands in the order of accept.
		sessionCtx, end := context.WithCancelCause(ctx)
		guest := l.lobby.enter(end)
		sessions.Go(func() {
			defer end(nil)
			l.serve(sessionCtx, conn, guest)
			l.lobby.leave(guest)
		})
	})
	sessions.Wait()
	l.complaints.flush()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("accept on %v: %w", l.ln.Addr(), err)
}

// serve runs one connection to its end and logs why it brought nothing.
func (l *TCPListener) serve(ctx context.Context, conn net.Conn, guest *guest) {
	if l.opts.HTTP != nil {
		var http bool
		if conn, http = l.peek(ctx, conn); http {
			l.opts.HTTP(conn)
			return
		}
	}
	s := newSession(&l.opts, conn, NewSourceInfo(kindTCP, conn.RemoteAddr().String()))
	s.heard = func() { l.lobby.hear(guest) }
	s.settled = func() { l.lobby.leave(guest) }
	err := s.run(ctx)
	if ctx.Err() == nil || errors.Is(err, errEvicted) { // else it is we who stop
		l.complaints.add(s, err)
	}
}

// peek reads the first bytes of a connection, and reports whether it speaks
// HTTP. All is still to be read from what it returns.
func (l *TCPListener) peek(ctx context.Context, conn net.Conn) (same net.Conn, http bool) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	first := make([]byte, 4<<10)
	err := conn.SetReadDeadline(time.Now().Add(l.opts.Timeout))
	n := 0
	if err == nil {
		n, err = conn.Read(first)
	}
	http = SpeaksHTTP(first[:n]) && stop() // else it is being closed, which its next owner does alone
	if http {
		_ = conn.SetReadDeadline(time.Time{}) // if it has gone, the next read sees that
	}
	return Rewind(conn, first[:n], err), http
}
