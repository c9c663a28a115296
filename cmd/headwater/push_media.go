package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/mux"
	"headwater/mux/demux"
)

// pacedMedia is media that knows when each piece of it is due.
type pacedMedia interface {
	// next returns what comes next. The error is io.EOF at the end.
	next() (piece, error)
	io.Closer
}

// piece is some bytes of media, valid until the next piece is asked for.
type piece struct {
	bytes []byte
	// at is when they are due, on a clock of the media's own that starts
	// anywhere and may jump. They are due at once if they are not timed.
	at    time.Duration
	timed bool
}

// loopMedia is a transport stream without end.
type loopMedia struct{ *programme.Loop }

func newLoopMedia(ts []byte) (pacedMedia, error) {
	loop, err := programme.NewLoop(ts, -1)
	if err != nil {
		return nil, err
	}
	return loopMedia{loop}, nil
}

func (m loopMedia) next() (piece, error) {
	packets, at := m.Next()
	return piece{packets, at, true}, nil
}

func (m loopMedia) Close() error { return nil }

// chunkSize is how much is sent at a time: small against a second of the
// slowest radio, large against a system call.
const chunkSize = 8 * mux.PacketSize

// streamMedia is media read once. It is sent byte by byte as it is; a demuxer
// that reads along tells the time.
type streamMedia struct {
	name  string
	r     io.ReadCloser
	demux *demux.Demuxer
	at    time.Duration // of the newest unit
	timed bool          // there was one
}

func newStreamMedia(name string, r io.ReadCloser) *streamMedia {
	return &streamMedia{name: name, r: r, demux: demux.New(demux.Options{})}
}

func (m *streamMedia) next() (piece, error) {
	b := m.demux.Buffer()
	b = b[:min(len(b), chunkSize)]
	n, err := m.r.Read(b)
	if n == 0 && err != nil {
		if err == io.EOF && !m.timed && len(m.demux.Flush()) == 0 {
			return piece{}, fmt.Errorf("%s: %w", m.name, mux.ErrUnknownFormat)
		}
		return piece{}, err
	}
	for _, u := range m.demux.Advance(n) {
		if u.Track == u.Program.Reference() && !u.Untimed {
			m.at, m.timed = u.DTS.Duration(), true
		}
	}
	if err := m.demux.Err(); err != nil {
		return piece{}, fmt.Errorf("%s: %w", m.name, err)
	}
	return piece{b[:n], m.at, m.timed}, nil
}

func (m *streamMedia) Close() error { return m.r.Close() }

// maxLoopFile bounds a transport stream that is played again and again, since
// all of it is held in memory.
const maxLoopFile = 1 << 30

// loopFile returns the media of f without end. A transport stream is read into
// memory and restamped; audio frames carry no times and are just sent again.
func loopFile(name string, f *os.File) (pacedMedia, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxLoopFile {
		return nil, fmt.Errorf("%s: %w: --loop takes files up to 1 GiB", name, mux.ErrTooLarge)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxLoopFile))
	if err != nil {
		return nil, err
	}
	media, err := newLoopMedia(text)
	if err == nil {
		return media, nil
	}
	if len(text) > 0 && text[0] == 0x47 {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return newStreamMedia(name, io.NopCloser(&repeat{text: text})), nil
}

// repeat reads the same bytes again and again.
type repeat struct {
	text []byte
	r    bytes.Reader
}

var errEmpty = errors.New("the file is empty")

func (r *repeat) Read(p []byte) (int, error) {
	if len(r.text) == 0 {
		return 0, errEmpty
	}
	if r.r.Len() == 0 {
		r.r.Reset(r.text)
	}
	return r.r.Read(p)
}
