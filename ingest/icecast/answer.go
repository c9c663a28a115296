package icecast

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// answerer answers one request.
type answerer struct {
	conn  net.Conn
	req   *Request
	final bool // the answer was given
}

// accept says that the media may come, as far as that is said before it does:
// SOURCE is told 200 at once, who asks by Expect gets 100, and who sends without
// end gets 200. Else the answer follows the media (hls-rules F11).
func (a *answerer) accept(b *body) error {
	switch {
	case a.req.Method == "SOURCE":
		a.final = true
		return a.write("HTTP/1.0 200 OK\r\n\r\n")
	case strings.EqualFold(a.req.Fields["expect"], "100-continue"):
		if err := a.write("HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return err
		}
	case !b.framed:
		a.final = true
		return a.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
	}
	return nil
}

// write sends text, and has no deadline after that.
func (a *answerer) write(text string) error {
	if err := a.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(a.conn, text); err != nil {
		return err
	}
	return a.conn.SetDeadline(time.Time{})
}

// end gives the answer, unless that was done.
func (a *answerer) end(status int, sentence string) {
	if a.final {
		return
	}
	a.final = true
	proto := "HTTP/1.1"
	if a.req.Proto != proto || a.req.Method == "SOURCE" {
		proto = "HTTP/1.0"
	}
	var challenge string
	if status == http.StatusUnauthorized {
		challenge = "WWW-Authenticate: Basic realm=\"headwater\"\r\n"
	}
	if sentence != "" {
		sentence += "\n"
	}
	_ = a.write(fmt.Sprintf("%s %d %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		proto, status, http.StatusText(status), challenge, len(sentence), sentence)) // who has gone needs no answer
}

// refuse says why the media is not taken. It takes what is on its way all the
// same for a moment: else the system would throw the answer away.
func (a *answerer) refuse(err error) {
	status := http.StatusBadRequest
	var r *refusal
	if errors.As(err, &r) {
		status = r.status
	}
	a.end(status, err.Error())
	linger(a.conn)
}

// linger lets the other end read what was written before the connection is closed.
func linger(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // if it has gone, the next read sees that
	}
	if conn.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, conn, 1<<20)
	}
}
