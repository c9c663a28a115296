package icecast

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"headwater/ingest"
	"headwater/mux"
)

// Serve serves a connection whose request is still to be read, until its media
// ends, and closes it.
func (s *Server) Serve(conn net.Conn) {
	defer conn.Close()
	if !s.enter() {
		return
	}
	defer s.leave()
	s.serveHTTP(conn, conn)
}

// serveHTTP serves a connection of which r is what it sends.
func (s *Server) serveHTTP(conn net.Conn, r io.Reader) {
	if conn.SetDeadline(time.Now().Add(headTimeout)) != nil {
		return
	}
	stop := context.AfterFunc(s.ctx, func() { conn.Close() })
	defer stop()
	req, rest, err := ReadRequest(r)
	a := answerer{conn: conn, req: &req}
	switch {
	case errors.Is(err, errTooLong):
		a.refuse(&refusal{http.StatusRequestHeaderFieldsTooLarge, err.Error()})
		return
	case err != nil && req.Method == "" && !errors.Is(err, errMalformed):
		return // the connection ended before its request did
	case err != nil:
		a.refuse(&refusal{http.StatusBadRequest, err.Error()})
		return
	}
	if err := s.take(&a, rest); err != nil {
		a.refuse(err)
	}
}

// take takes the media of a request. The error is why it was refused, or nil.
func (s *Server) take(a *answerer, rest []byte) error {
	req := a.req
	switch req.Method {
	case "SOURCE", http.MethodPut, http.MethodPost:
	default:
		return &refusal{http.StatusMethodNotAllowed, "media is sent by SOURCE, PUT or POST"}
	}
	name := streamName(req.Path)
	user, password, ok := req.credentials()
	if !ok || !s.cfg.Guard.Source(s.ctx, name, user, password, a.conn.RemoteAddr().String()) {
		return &refusal{http.StatusUnauthorized, fmt.Sprintf("the password of stream %s is needed: log in as source", quoted(name))}
	}
	err := s.takeFrom(a, name, rest)
	if err != nil {
		s.complain(name, a.conn, err)
	}
	return explain(err)
}

// takeFrom is take for somebody who may send. The error is why the media ended.
func (s *Server) takeFrom(a *answerer, name string, rest []byte) error {
	st, err := s.open(name, a.conn)
	if err != nil {
		return err
	}
	if err := checkType(a.req.Fields["content-type"]); err != nil {
		return err
	}
	b, err := newBody(a.conn, a.req.Fields, rest)
	if err != nil {
		return &refusal{http.StatusNotImplemented, err.Error()}
	}
	err = s.serve(a.conn, st, "icecast", func() (*body, map[string]string, error) { return b, a.req.Fields, a.accept(b) })
	var end *ingest.EndError
	if errors.As(err, &end) && b.framed && b.ended {
		a.end(http.StatusOK, "") // the client waits for the answer to all that it sent
		linger(a.conn)           // of which the end of the last chunk may be still to come
	}
	return err
}

// open returns the stream of a name, for conn.
func (s *Server) open(name string, conn net.Conn) (*Stream, error) {
	st, err := s.cfg.Open(name)
	if err != nil {
		return nil, &refusal{http.StatusNotFound, err.Error()}
	}
	if !st.Allows(conn.RemoteAddr().String()) {
		return nil, &refusal{http.StatusForbidden, "the address is not in the allow list of stream " + quoted(name)}
	}
	return st, nil
}

// checkType refuses what is said to be no media. What nobody says is found out.
func checkType(value string) error {
	if value == "" {
		return nil
	}
	media, _, err := mime.ParseMediaType(value)
	if err != nil {
		media, _, _ = strings.Cut(strings.ToLower(value), ";")
		media = strings.TrimSpace(media)
	}
	kind, _, _ := strings.Cut(media, "/")
	switch {
	case kind == "text", kind == "image", kind == "multipart", kind == "message", kind == "font",
		media == "application/json", media == "application/xml", media == "application/x-www-form-urlencoded":
		return &refusal{http.StatusUnsupportedMediaType, quoted(media) + " is no media: send MP3, AAC, MPEG-TS or Ogg"}
	case media == "video/webm", media == "audio/webm", media == "video/x-matroska", media == "audio/x-matroska", media == "video/mp4", media == "audio/mp4":
		return &refusal{http.StatusUnsupportedMediaType, quoted(media) + " cannot be taken: send MP3, AAC in ADTS, MPEG-TS or Ogg"}
	}
	return nil
}

// refusal is why a source is turned away, with the status that says so.
type refusal struct {
	status   int
	sentence string
}

func (r *refusal) Error() string { return r.sentence }

// explain returns err as a refusal, or nil if there is nobody to be told.
func explain(err error) error {
	var told *refusal
	var busy *mux.BusyError
	var end *ingest.EndError
	switch {
	case err == nil, errors.As(err, &end):
		return nil
	case errors.As(err, &told):
		return told
	case errors.As(err, &busy): // in these words, which clients look for (hls-rules F13)
		return &refusal{http.StatusForbidden, "Mountpoint in use: " + busy.Error()}
	case errors.Is(err, mux.ErrUnknownFormat), errors.Is(err, ingest.ErrNoMedia):
		return &refusal{http.StatusUnsupportedMediaType, err.Error()}
	case errors.Is(err, ingest.ErrSilent):
		return &refusal{http.StatusRequestTimeout, err.Error()}
	}
	return &refusal{http.StatusBadRequest, "the media cannot be read: " + err.Error()}
}
