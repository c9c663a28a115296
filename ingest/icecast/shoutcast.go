package icecast

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"headwater/ingest"
	"headwater/mux"
)

const (
	kindSHOUTcast   = "shoutcast"
	passwordTimeout = 5 * time.Second // for the password line (hls-rules F17)
	maxPassword     = 1 << 10         // of that line
	maxStrangers    = 64              // connections of a port that have not shown a password
)

// SHOUTcast is a port that takes version 1 of SHOUTcast's own protocol: a line
// with the password, or with "/NAME:password", an answer, fields that begin
// with icy-, and the media. What speaks HTTP there is treated as such
// (hls-rules F16).
type SHOUTcast struct {
	server  *Server
	ln      net.Listener
	stream  string
	http    func(net.Conn)
	waiting chan struct{} // holds one for each stranger
}

// NewSHOUTcast returns a port of the server that listens with ln, which it owns.
// stream is the name of the stream that is meant by a password alone; http is
// given the connections that speak HTTP, and owns them then.
func (s *Server) NewSHOUTcast(ln net.Listener, stream string, http func(net.Conn)) *SHOUTcast {
	return &SHOUTcast{server: s, ln: ln, stream: stream, http: http, waiting: make(chan struct{}, maxStrangers)}
}

// Run takes connections until ctx ends, and returns when those are closed. It
// returns nil then, or the error that closed the listener.
func (p *SHOUTcast) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	stop := context.AfterFunc(ctx, func() { p.ln.Close() }) // wakes Accept
	defer stop()
	defer p.ln.Close()
	failed := ingest.NewTally(p.server.cfg.Log, "no connection can be accepted")
	defer failed.Flush()
	err := ingest.Accept(ctx, p.ln, failed, func(conn net.Conn) {
		if !p.server.enter() { // it has stopped
			conn.Close()
			end()
			return
		}
		select {
		case p.waiting <- struct{}{}:
		default:
			conn.Close()
			p.server.leave()
			return
		}
		go func() {
			defer p.server.leave() // Server.Run waits for it
			p.serve(conn)
		}()
	})
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("accept on %v: %w", p.ln.Addr(), err)
}

// serve serves one connection and closes it, unless it is given away.
func (p *SHOUTcast) serve(conn net.Conn) {
	stop := context.AfterFunc(p.server.ctx, func() { conn.Close() })
	line, rest, err := readLine(conn)
	if err == nil && ingest.SpeaksHTTP(append(line, '\n')) {
		<-p.waiting
		if !stop() { // it is being closed, which its next owner does alone
			return
		}
		_ = conn.SetDeadline(time.Time{}) // if it has gone, the next read sees that
		p.http(ingest.Rewind(conn, append(append(line, '\n'), rest...), nil))
		return
	}
	defer stop()
	defer conn.Close()
	name, known := "", false
	if err == nil {
		name, known = p.login(conn, string(line))
	}
	<-p.waiting
	if !known {
		return
	}
	st, err := p.server.open(name, conn)
	if err == nil {
		err = p.server.serve(conn, st, kindSHOUTcast, func() (*body, map[string]string, error) { return welcome(conn, rest) })
	}
	if err == nil {
		return
	}
	p.server.complain(name, conn, err)
	var busy *mux.BusyError
	if errors.As(err, &busy) {
		say(conn, "Mountpoint in use")
	}
}

// login returns the name of the stream that a line holds the password of.
func (p *SHOUTcast) login(conn net.Conn, line string) (name string, known bool) {
	name, password := p.stream, strings.TrimRight(line, "\r")
	if mount, rest, ok := strings.Cut(password, ":"); ok && strings.HasPrefix(mount, "/") {
		name, password = streamName(mount), rest
	}
	if !p.server.cfg.Guard.Source(p.server.ctx, name, "source", password, conn.RemoteAddr().String()) {
		say(conn, "invalid password")
		return "", false
	}
	return name, true
}

// say tells a source in a line why it is refused.
func say(conn net.Conn, line string) {
	if conn.SetDeadline(time.Now().Add(answerTimeout)) != nil {
		return
	}
	if _, err := io.WriteString(conn, line+"\r\n"); err == nil {
		linger(conn)
	}
}

// welcome answers a password that is right, and reads what the source says of
// itself. had is what came behind the password.
func welcome(conn net.Conn, had []byte) (*body, map[string]string, error) {
	if err := conn.SetDeadline(time.Now().Add(headTimeout)); err != nil {
		return nil, nil, err
	}
	if _, err := io.WriteString(conn, "OK2\r\nicy-caps:11\r\n\r\n"); err != nil {
		return nil, nil, err
	}
	head, rest, err := readHead(conn, had)
	if err != nil {
		return nil, nil, err
	}
	fields, err := parseFields(string(head))
	if err != nil {
		return nil, nil, err
	}
	if err := checkType(fields["content-type"]); err != nil {
		return nil, nil, err
	}
	delete(fields, "transfer-encoding") // there is none here
	delete(fields, "content-length")
	b, err := newBody(conn, fields, rest)
	if err != nil {
		return nil, nil, err
	}
	return b, fields, conn.SetDeadline(time.Time{})
}

// readLine reads the first line, without its end, and what came behind it. A
// poke, by which libshout finds out whom it speaks to, is passed over.
func readLine(conn net.Conn) (line, rest []byte, err error) {
	if err := conn.SetDeadline(time.Now().Add(passwordTimeout)); err != nil {
		return nil, nil, err
	}
	buf := make([]byte, maxHead)
	for n := 0; ; {
		if end := bytes.IndexByte(buf[:n], '\n'); end >= 0 {
			line, rest := buf[:end], buf[end+1:n]
			if bytes.HasPrefix(line, []byte("!POKE")) {
				n = copy(buf, rest)
				continue
			}
			return bytes.Clone(line), bytes.Clone(rest), nil
		}
		if n >= maxPassword && !bytes.HasPrefix(buf, []byte("GET ")) || n == len(buf) {
			return nil, nil, errTooLong
		}
		more, err := conn.Read(buf[n:])
		n += more
		if more == 0 && err != nil {
			return nil, nil, err
		}
	}
}
