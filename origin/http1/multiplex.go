package http1

import (
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// Limits of an HTTP/2 connection.
const (
	// maxStreams is how many requests it may have under way: it may be that of
	// a proxy with many players behind it, each of which keeps one open.
	maxStreams = 2500
	// spareStreams is how many requests beyond those of Config may be under
	// way, on all connections together, to be told that they are too many.
	spareStreams = 1000
	// A client that is silent for so long is asked whether it is there, and has
	// as long to answer: else what it was sent would show only once the kernel's
	// buffers are full.
	pingTimeout = 15 * time.Second
	// Nobody sends us bodies, so there is no room for them (RFC 9113 §6.9.2).
	receiveBytes = 64 << 10
	receiveFrame = 16 << 10
	copyBytes    = 16 << 10 // of a file at a time, as much as a frame holds
	// writePiece is up to how much is given to net/http at a time: a client
	// that takes less within stallTimeout is stuck.
	writePiece = 64 << 10
)

// multiplexConfig bounds what a connection of HTTP/2 may cost.
func multiplexConfig() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReadFrameSize:              receiveFrame,
		MaxReceiveBufferPerConnection: receiveBytes,
		MaxReceiveBufferPerStream:     receiveBytes,
		SendPingTimeout:               pingTimeout,
		PingTimeout:                   pingTimeout,
	}
}

// multiplexed bounds what requests that share a connection may cost: how many
// there are, and how long each may take nothing of its answer. It is for the
// server of HTTP/2.
type multiplexed struct {
	next    http.Handler
	buffers sync.Pool // of *[]byte, to copy files

	mu   sync.Mutex
	left int // requests that may be added; guarded by mu
}

func newMultiplexed(cfg *Config) *multiplexed {
	m := &multiplexed{next: cfg.Other, left: cfg.MaxStreams + spareStreams}
	m.buffers.New = func() any { b := make([]byte, copyBytes); return &b }
	return m
}

func (m *multiplexed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !m.take() {
		panic(http.ErrAbortHandler) // resets the stream
	}
	defer m.give()
	p := &patientWriter{ResponseWriter: w, buffers: &m.buffers}
	defer p.end()
	m.next.ServeHTTP(p, r)
	if p.wrote { // what net/http sends after the handler nobody would wait for
		p.FlushError()
	}
}

func (m *multiplexed) take() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return false
	}
	m.left--
	return true
}

func (m *multiplexed) give() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left++
}

// patientWriter writes to a stream of HTTP/2. Writes fail with
// [os.ErrDeadlineExceeded] if the client takes nothing for stallTimeout, as
// those of a connection do (hls-rules D20). It has one user.
type patientWriter struct {
	http.ResponseWriter
	buffers *sync.Pool
	wrote   bool
	timer   *time.Timer // runs while something is being written

	mu    sync.Mutex
	stuck bool // the stream was reset; guarded by mu
	over  bool // the stream is net/http's again; guarded by mu
}

// Unwrap is for [http.ResponseController].
func (p *patientWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

func (p *patientWriter) Write(b []byte) (n int, err error) {
	p.wrote = true
	for {
		piece := b[n:min(n+writePiece, len(b))]
		k, err := p.wait(func() (int, error) { return p.ResponseWriter.Write(piece) })
		n += k
		if n == len(b) || err != nil {
			return n, err
		}
	}
}

// ReadFrom writes all of r, from a buffer that it has only meanwhile.
func (p *patientWriter) ReadFrom(r io.Reader) (int64, error) {
	if src, ok := r.(io.WriterTo); ok {
		return src.WriteTo(p)
	}
	buf := p.buffers.Get().(*[]byte)
	defer p.buffers.Put(buf)
	return io.CopyBuffer(writerOnly{p}, r, *buf)
}

// FlushError sends what was written.
func (p *patientWriter) FlushError() error {
	_, err := p.wait(func() (int, error) { return 0, http.NewResponseController(p.ResponseWriter).Flush() })
	return err
}

// wait calls write and resets the stream if that takes too long.
func (p *patientWriter) wait(write func() (int, error)) (int, error) {
	if p.timer == nil {
		p.timer = time.AfterFunc(stallTimeout, p.reset)
	} else {
		p.timer.Reset(stallTimeout)
	}
	n, err := write()
	p.timer.Stop()
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.stuck {
			err = os.ErrDeadlineExceeded
		}
	}
	return n, err
}

// reset ends the stream, and the write that waits for it.
func (p *patientWriter) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.stuck = true
	_ = http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Unix(0, 0)) // streams of HTTP/2 have deadlines
}

// end gives the stream back to net/http.
func (p *patientWriter) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}
