package icecast

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode/utf8"
)

const (
	// maxHead bounds the head of a request, and what a SHOUTcast source says
	// before its media.
	maxHead = 16 << 10
	// maxFields bounds the header fields; no client sends a tenth of that.
	maxFields = 128
)

// Why a head was not understood.
var (
	errTooLong   = errors.New("the head of the request is longer than 16 KiB")
	errMalformed = errors.New("the request is not understood: send SOURCE /NAME HTTP/1.0 or PUT /NAME HTTP/1.1, then header fields")
)

// Request is the head of a request that brings media.
type Request struct {
	Method string            // as sent: "SOURCE", "PUT", "POST"
	Path   string            // begins with a slash, escapes resolved
	Proto  string            // "HTTP/1.0", "HTTP/1.1", "ICE/1.0"
	Fields map[string]string // by name in lower case; of several of one name the first
}

// ReadRequest returns the head of a request that r begins with, of at most 16 KiB, and
// what was read beyond it. An error of r is returned as it is, and says that
// the head is not whole.
func ReadRequest(r io.Reader) (req Request, rest []byte, err error) {
	head, rest, err := readHead(r, nil)
	if err != nil {
		return Request{}, nil, err
	}
	req, err = parseRequest(string(head))
	return req, rest, err
}

// readHead reads up to and with an empty line, of which had is the beginning.
func readHead(r io.Reader, had []byte) (head, rest []byte, err error) {
	buf := make([]byte, max(len(had), maxHead))
	n := copy(buf, had)
	for seen := 0; ; {
		if end := headEnd(buf[:n], seen); end > 0 {
			return buf[:end], bytes.Clone(buf[end:n]), nil
		}
		if n >= len(buf) {
			return nil, nil, errTooLong
		}
		seen = n
		more, err := r.Read(buf[n:])
		n += more
		if more == 0 && err != nil {
			return nil, nil, err
		}
	}
}

// headEnd returns where the first empty line in b ends, or 0. There is none
// that ends before seen. Lines may end in a bare LF.
func headEnd(b []byte, seen int) int {
	for i := max(0, seen-3); i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		rest := b[i+1:]
		if len(rest) > 0 && rest[0] == '\n' {
			return i + 2
		}
		if len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n' {
			return i + 3
		}
	}
	return 0
}

// parseRequest reads a head.
func parseRequest(head string) (Request, error) {
	line, rest, _ := strings.Cut(head, "\n")
	words := strings.Fields(line)
	if len(words) != 3 {
		return Request{}, errMalformed
	}
	req := Request{Method: words[0], Proto: words[2]}
	switch req.Proto {
	case "HTTP/1.0", "HTTP/1.1", "ICE/1.0":
	default:
		return Request{}, errMalformed
	}
	var err error
	if req.Path, err = parsePath(words[1]); err != nil {
		return Request{}, err
	}
	req.Fields, err = parseFields(rest)
	return req, err
}

// parsePath returns the path of what a request is for.
func parsePath(target string) (string, error) {
	if i := strings.Index(target, "://"); i > 0 {
		_, path, _ := strings.Cut(target[i+3:], "/")
		target = "/" + path
	}
	target, _, _ = strings.Cut(target, "?")
	path, err := url.PathUnescape(target)
	if err != nil || len(path) < 2 || path[0] != '/' {
		return "", errMalformed
	}
	return path, nil
}

// parseFields reads lines of "name: value". What is none is passed over: old
// encoders send strange things.
func parseFields(text string) (map[string]string, error) {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			continue
		}
		if _, again := fields[name]; again {
			continue
		}
		if len(fields) == maxFields {
			return nil, fmt.Errorf("the request has more than %d header fields", maxFields)
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// credentials returns what the request proves its right with. Of Basic
// authorization that cannot be read nothing is returned.
func (r *Request) credentials() (user, password string, ok bool) {
	scheme, value, _ := strings.Cut(r.Fields["authorization"], " ")
	if !strings.EqualFold(scheme, "basic") {
		if password, ok = r.Fields["ice-password"]; ok { // of ICE/1.0
			return "source", password, true
		}
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// suffixes are those of the URLs that listeners use. They are no part of a name.
var suffixes = [...]string{".mp3", ".aac", ".ts", ".ogg"}

// streamName returns the name of the stream that a path means.
func streamName(path string) string {
	name := strings.TrimPrefix(path, "/")
	for _, s := range suffixes {
		if short, ok := strings.CutSuffix(name, s); ok {
			return short
		}
	}
	return name
}

// quoted makes a name that a client sent safe to show in a sentence.
func quoted(name string) string {
	const most = 80
	if len(name) > most {
		name = name[:most]
		for len(name) > 0 && !utf8.ValidString(name[len(name)-1:]) {
			name = name[:len(name)-1]
		}
		name += "…"
	}
	return fmt.Sprintf("%q", name)
}
