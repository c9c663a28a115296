// Package pull fetches media from Icecast, SHOUTcast and other HTTP servers,
// with the titles that they send in it: from the first of several addresses
// that answers, and from a better one as soon as that is back.
package pull

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	"headwater/ingest"
)

// Kind names a server that was pulled from in [headwater/mux.SourceInfo].
const Kind = "pull"

const (
	// probeEvery is how often addresses before the one in use are tried.
	probeEvery = 30 * time.Second
	// shunned is how long an address that failed is tried after the others.
	shunned = 30 * time.Second
)

// Puller is a list of addresses as a source. One Run is one of them in use, or
// one try of them all; [ingest.Supervise] goes on.
type Puller struct {
	urls []*url.URL
	opts ingest.Options
	log  *slog.Logger

	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	failed []time.Time // when an address failed last, by index
}

// New returns a source that pulls from urls, at least one, the best first; each
// has passed [ParseURL]. Nothing is connected to before Run.
func New(urls []string, opts ingest.Options) (*Puller, error) {
	if opts.Timeout <= 0 {
		opts.Timeout = ingest.DefaultTimeout
	}
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Puller{
		opts:   opts,
		log:    log.With("stream", opts.Stream),
		dial:   new(net.Dialer).DialContext,
		failed: make([]time.Time, len(urls)),
	}
	for _, s := range urls {
		u, err := ParseURL(s)
		if err != nil {
			return nil, err
		}
		p.urls = append(p.urls, u)
	}
	return p, nil
}

// ParseURL reads an address to pull from: http or https, with a host.
func ParseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, errors.New("must be a URL such as http://radio.example:8000/stream")
	}
	return u, nil
}

// String returns the best address, without a password.
func (p *Puller) String() string { return p.urls[0].Redacted() }

// betterError is why an address is left: one before it is back.
type betterError struct {
	at   int   // its index
	conn *conn // to it, open
}

func (e *betterError) Error() string { return "a better address is back" }

// Run pulls from the first address that brings media, until that or ctx ends;
// when an address before it is back, from that. It returns nil if ctx ended, an
// [*ingest.EndError] if there was media, else why there was none from any.
func (p *Puller) Run(ctx context.Context) error {
	var errs []error
	for _, i := range p.byHope(time.Now()) {
		conn, err := p.open(ctx, p.urls[i])
		if err == nil {
			i, err = p.stay(ctx, i, conn)
		}
		if ctx.Err() != nil {
			return nil
		}
		p.failed[i] = time.Now()
		err = fmt.Errorf("pull from %s: %w", p.urls[i].Redacted(), err)
		var end *ingest.EndError
		if errors.As(err, &end) {
			return err
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// byHope returns the indexes of the addresses: those that have not failed just
// now first.
func (p *Puller) byHope(now time.Time) []int {
	var good, bad []int
	for i := range p.urls {
		if now.Sub(p.failed[i]) < shunned {
			bad = append(bad, i)
		} else {
			good = append(good, i)
		}
	}
	return append(good, bad...)
}

// stay takes the media of conn, which is to address i, and of better ones that
// come back. It returns the last one, and why that has ended.
func (p *Puller) stay(ctx context.Context, i int, conn *conn) (last int, err error) {
	for {
		err := p.serve(ctx, i, conn)
		var better *betterError
		if !errors.As(err, &better) {
			return i, err
		}
		if ctx.Err() != nil {
			better.conn.Close()
			return i, err
		}
		i, conn = better.at, better.conn
		p.log.Info("a better address is back", "address", p.urls[i].Redacted())
	}
}

// serve takes the media of conn until it ends or a better address is back; then
// the error is a [*betterError].
func (p *Puller) serve(ctx context.Context, i int, conn *conn) error {
	ctx, leave := context.WithCancelCause(ctx)
	var probing sync.WaitGroup
	var better *betterError
	if i > 0 {
		probing.Go(func() {
			if better = p.probe(ctx, i); better != nil {
				leave(better)
			}
		})
	}
	info := ingest.NewSourceInfo(Kind, conn.url.Host)
	info.Station = conn.station
	err := ingest.Serve(ctx, conn, info, p.opts)
	leave(err)
	probing.Wait()
	if better != nil {
		return better
	}
	return err
}

// probe tries the addresses before i until one answers, which it returns, or
// ctx ends.
func (p *Puller) probe(ctx context.Context, i int) *betterError {
	ticker := time.NewTicker(probeEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for j := range i {
			conn, err := p.open(ctx, p.urls[j])
			if err != nil {
				continue
			}
			if conn.proves(ctx) {
				return &betterError{at: j, conn: conn}
			}
			conn.Close()
		}
	}
}
