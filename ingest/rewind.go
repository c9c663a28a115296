package ingest

import (
	"bytes"
	"errors"
	"net"
	"syscall"
)

// rewound is a connection of which something was read already.
type rewound struct {
	net.Conn
	unread []byte
	err    error // of the read that brought them; told once they are read
}

// Rewind returns conn with bytes that were read from it, and the error of that
// read, still to be read. It keeps unread.
func Rewind(conn net.Conn, unread []byte, err error) net.Conn { return &rewound{conn, unread, err} }

// Read reads first what had been read.
func (r *rewound) Read(p []byte) (int, error) {
	switch {
	case len(r.unread) > 0:
		n := copy(p, r.unread)
		if r.unread = r.unread[n:]; len(r.unread) == 0 {
			r.unread = nil
		}
		return n, nil
	case r.err != nil:
		return 0, r.err
	}
	return r.Conn.Read(p)
}

// Plain returns the connection below once nothing of it is left to be told
// again; until then nil.
func (r *rewound) Plain() net.Conn {
	if len(r.unread) > 0 || r.err != nil {
		return nil
	}
	return r.Conn
}

// CloseWrite tells the other end that nothing more will come.
func (r *rewound) CloseWrite() error {
	if half, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn is for those who write without waiting.
func (r *rewound) SyscallConn() (syscall.RawConn, error) {
	if sys, ok := r.Conn.(syscall.Conn); ok {
		return sys.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// SpeaksHTTP reports whether the first bytes of a connection are the beginning
// of a request of HTTP/1.x or ICE/1.0, with its first line whole (hls-rules F17).
func SpeaksHTTP(first []byte) bool {
	line, _, ok := bytes.Cut(first, []byte("\n"))
	words := bytes.Split(bytes.TrimSuffix(line, []byte("\r")), []byte(" "))
	if !ok || len(words) < 3 {
		return false
	}
	for _, c := range words[0] {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	proto := words[len(words)-1]
	return len(words[0]) > 0 && (bytes.HasPrefix(proto, []byte("HTTP/1.")) || bytes.Equal(proto, []byte("ICE/1.0")))
}
