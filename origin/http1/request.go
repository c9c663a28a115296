package http1

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Request is a GET or HEAD without a body: what an answer that exists already
// can depend on. Its strings stay valid, and are not changed, for as long as
// somebody keeps them.
type Request struct {
	Head   bool   // HEAD, not GET
	Path   string // begins with a slash; nothing in it was escaped
	Query  string // as sent, without its question mark
	Host   string
	HTTP10 bool // the client speaks HTTP/1.0: it knows no chunks
	Close  bool // the connection ends with the answer
	Fields [fields]string

	// Conn is the connection, if the answer has it for itself: not to be used,
	// but to ask the kernel about it. It may be nil.
	Conn net.Conn

	remote string // as net/http says it; empty if Conn is all that is known
}

// Name is a header field that a [Request] keeps.
type Name uint8

// The header fields that a [Request] keeps. Of a field that was sent more than
// once the values are joined by commas (RFC 9110 §5.3).
const (
	Accept Name = iota
	AcceptEncoding
	Authorization
	ForwardedFor
	IcyMetadata
	IfMatch
	IfModifiedSince
	IfNoneMatch
	IfRange
	IfUnmodifiedSince
	Range
	UserAgent
	fields
)

var names = [fields]string{
	"Accept", "Accept-Encoding", "Authorization", "X-Forwarded-For", "Icy-Metadata", "If-Match", "If-Modified-Since", "If-None-Match",
	"If-Range", "If-Unmodified-Since", "Range", "User-Agent",
}

// Get returns the value of a field, or nothing.
func (r *Request) Get(n Name) string { return r.Fields[n] }

// Remote returns the address of the other end of the connection, or the zero
// value if it is not known.
func (r *Request) Remote() netip.AddrPort {
	remote, _ := netip.ParseAddrPort(r.remote)
	if r.remote == "" && r.Conn != nil {
		if tcp, ok := r.Conn.RemoteAddr().(*net.TCPAddr); ok {
			remote = tcp.AddrPort()
		}
	}
	return netip.AddrPortFrom(remote.Addr().Unmap().WithZone(""), remote.Port())
}

// connKey is where a context has the connection.
type connKey struct{}

// WithConn returns a context that knows the connection, for [http.Server]'s
// ConnContext: requests that [From] reads have it then.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// From returns a request that net/http has read. Its method is GET or HEAD.
func From(r *http.Request) Request {
	q := Request{remote: r.RemoteAddr, Head: r.Method == http.MethodHead, Path: r.URL.Path, Query: r.URL.RawQuery, Host: r.Host, HTTP10: !r.ProtoAtLeast(1, 1)}
	q.Close = r.Close || q.HTTP10
	if r.ProtoMajor == 1 {
		q.Conn, _ = r.Context().Value(connKey{}).(net.Conn)
	}
	for n, name := range names {
		switch values := r.Header[name]; len(values) {
		case 0:
		case 1:
			q.Fields[n] = values[0]
		default:
			q.Fields[n] = strings.Join(values, ", ")
		}
	}
	return q
}

// parse reads head, the bytes of a request up to and with its empty line. It
// takes nothing but what is plain and right beyond doubt, and reports false
// for all else: a body, another method or version, an upgrade, escapes, a
// field twice, and whatever breaks a rule of RFC 9112. net/http decides then.
func parse(head string) (q Request, ok bool) {
	line, rest, _ := strings.Cut(head, "\r\n")
	method, line, _ := strings.Cut(line, " ")
	target, version, _ := strings.Cut(line, " ")
	switch method {
	case http.MethodGet:
	case http.MethodHead:
		q.Head = true
	default:
		return q, false
	}
	q.HTTP10 = version == "HTTP/1.0"
	if version != "HTTP/1.1" && !q.HTTP10 || !plainTarget(target) {
		return q, false
	}
	q.Path, q.Query, _ = strings.Cut(target, "?")
	for rest != "\r\n" {
		line, rest, ok = strings.Cut(rest, "\r\n")
		if !ok || !q.parseField(line) {
			return q, false
		}
	}
	q.Close = q.Close || q.HTTP10 // it may keep the connection, but need not (RFC 9112 §9.3)
	return q, q.Host != "" || q.HTTP10
}

// plainTarget reports whether target is an absolute path, perhaps with a
// query, of characters that mean themselves.
func plainTarget(target string) bool {
	if target == "" || target[0] != '/' {
		return false
	}
	for i := range len(target) {
		switch c := target[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("/._-~?=&+,:;@!$'()*", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// parseField reads a header field. It reports false if the request is none of
// ours for its sake.
func (q *Request) parseField(line string) bool {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(name) || !isText(value) {
		return false
	}
	value = strings.Trim(value, " \t")
	to := (*string)(nil)
	switch len(name) { // most fields are passed over by their length alone
	case len("Host"):
		if strings.EqualFold(name, "Host") {
			if value == "" || strings.ContainsAny(value, " \t,/\\@?#\"<>") {
				return false
			}
			to = &q.Host
		}
	case len("Expect"), len("Upgrade"), len("Connection"), len("Content-Length"), len("Transfer-Encoding"):
		switch {
		case strings.EqualFold(name, "Connection"):
			closes := strings.EqualFold(value, "close")
			q.Close = q.Close || closes
			return closes || strings.EqualFold(value, "keep-alive")
		case strings.EqualFold(name, "Expect"), strings.EqualFold(name, "Upgrade"),
			strings.EqualFold(name, "Content-Length"), strings.EqualFold(name, "Transfer-Encoding"):
			return false
		}
	}
	for n, known := range names {
		if len(known) == len(name) && strings.EqualFold(known, name) {
			to = &q.Fields[n]
		}
	}
	if to == nil || value == "" {
		return true
	}
	if *to != "" {
		return false
	}
	*to = value
	return true
}

// isToken reports whether s can be the name of a field (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// isText reports whether s can be the value of a field (RFC 9110 §5.5).
func isText(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
