package http1

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// others is net/http: a server of HTTP/1.1, and one of HTTP/2 for clients that
// begin with it (RFC 9113 §3.3), as proxies do. A server of both would hold
// each request until it is longer than the preface of HTTP/2.
type others struct {
	one, two     *http.Server
	toOne, toTwo *queue
	serving      sync.WaitGroup
}

// preface is the beginning of a connection of HTTP/2, up to where it looks
// like the end of a head.
const preface = "PRI * HTTP/2.0\r\n\r\n"

// newOthers returns the servers. Requests have base as their context.
func newOthers(cfg *Config, one http.Handler, base context.Context, addr net.Addr) *others {
	server := func(handler http.Handler) *http.Server {
		return &http.Server{
			Handler:           handler,
			Protocols:         new(http.Protocols),
			ReadHeaderTimeout: headerTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			BaseContext:       func(net.Listener) context.Context { return base },
			ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug), // faults of clients
		}
	}
	o := &others{
		one: server(one), toOne: newQueue(addr),
		two: server(newMultiplexed(cfg)), toTwo: newQueue(addr),
	}
	o.one.Protocols.SetHTTP1(true)
	o.one.ConnContext = WithConn
	o.two.Protocols.SetUnencryptedHTTP2(true)
	o.two.HTTP2 = multiplexConfig()
	return o
}

// start serves what put is given until shutdown or close.
func (o *others) start() {
	o.serving.Go(func() { o.one.Serve(o.toOne) }) // the error is that it was shut down
	o.serving.Go(func() { o.two.Serve(o.toTwo) })
}

// put gives a connection to the server of its protocol. It reports false if
// that was shut down.
func (o *others) put(c *conn) bool {
	if bytes.HasPrefix(c.in, []byte(preface)) {
		return o.toTwo.put(c)
	}
	return o.toOne.put(c)
}

// shutdown lets requests end until ctx does.
func (o *others) shutdown(ctx context.Context) error {
	var one, two error
	var both sync.WaitGroup
	both.Go(func() { one = o.one.Shutdown(ctx) })
	both.Go(func() { two = o.two.Shutdown(ctx) })
	both.Wait()
	return errors.Join(one, two)
}

// close cuts requests off.
func (o *others) close() {
	o.one.Close()
	o.two.Close()
}

// wait waits until nothing is served any more, after shutdown or close.
func (o *others) wait() { o.serving.Wait() }
