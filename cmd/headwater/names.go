package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"headwater/ingest/icecast"
	"headwater/origin"
)

const (
	sweepInterval = time.Second
	// leastLinger is how long a stream that was made for a source waits for its
	// first media, at least.
	leastLinger = 10 * time.Second
)

// names knows the streams that sources may send to by name. It makes those that
// a wildcard of the configuration stands for when a source comes, and removes
// them when it and the listeners have been away for as long as they linger.
type names struct {
	station *station
	opts    *serveOptions

	mu   sync.Mutex
	made map[string]*madeStream // by name; guarded by mu
}

// madeStream is a stream that a wildcard was made for.
type madeStream struct {
	stream *origin.Stream
	cfg    *StreamConfig // the wildcard
	close  func() error  // the store, once the stream does not run any more
	used   time.Time     // when it had a source or listeners last
}

func newNames(s *station, opts *serveOptions) *names {
	return &names{station: s, opts: opts, made: map[string]*madeStream{}}
}

// open returns the stream of a name, which it makes if there is a wildcard for
// it. The error is a sentence for who sends.
func (n *names) open(name string) (*icecast.Stream, error) {
	cfg := n.opts.match(name)
	if cfg == nil {
		return nil, fmt.Errorf("there is no stream %.80q", name)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, any := cfg.wildcard(); any {
		m, err := n.make(name, cfg)
		if err != nil {
			return nil, err
		}
		m.used = time.Now()
		return n.station.mountOf(m.stream, cfg), nil
	}
	for _, stream := range n.station.server.Streams() {
		if stream.Name() == name {
			return n.station.mountOf(stream, cfg), nil
		}
	}
	return nil, fmt.Errorf("there is no stream %.80q", name)
}

// make returns the stream of a name that a wildcard stands for. The caller
// holds n.mu.
func (n *names) make(name string, cfg *StreamConfig) (*madeStream, error) {
	if m := n.made[name]; m != nil {
		return m, nil
	}
	if err := checkStreamName(name); err != nil {
		return nil, fmt.Errorf("%.80q %w", name, err)
	}
	most, have := cfg.MaxStreams, 0
	if most == 0 {
		most = defaultMaxStreams
	}
	for _, m := range n.made {
		if m.cfg == cfg {
			have++
		}
	}
	if have >= most {
		return nil, fmt.Errorf("there are %d streams %s, and no more may be: wait until one has ended", have, cfg.Name)
	}
	streamCfg := n.station.streamConfig(name, n.opts, cfg)
	closeStore, err := n.station.openStore(&streamCfg)
	if err != nil {
		return nil, errors.New("the data of the stream cannot be opened")
	}
	stream, err := origin.NewStream(streamCfg)
	if err == nil {
		err = n.station.server.Add(stream)
	}
	if err != nil {
		return nil, errors.Join(err, closeStore())
	}
	n.station.log.Info("stream made for a source", "stream", name)
	m := &madeStream{stream: stream, cfg: cfg, close: closeStore}
	n.made[name] = m
	return m, nil
}

// Run removes streams that nobody uses, until ctx ends.
func (n *names) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.sweep(time.Now())
		case <-ctx.Done():
			return nil
		}
	}
}

// sweep removes the streams that have not been used for long.
func (n *names) sweep(now time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, m := range n.made {
		if n.station.publisher.Claimed(name) || m.stream.Used() {
			m.used = now
		}
		if now.Sub(m.used) < max(m.cfg.Linger, leastLinger) {
			continue
		}
		delete(n.made, name)
		n.station.server.Remove(m.stream)
		if err := m.close(); err != nil {
			n.station.log.Error("not closed well", "stream", name, "error", err)
		}
		n.station.log.Info("stream removed, nobody uses it", "stream", name)
	}
}

// closeAll closes the stores of streams that run no more.
func (n *names) closeAll() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for _, m := range n.made {
		errs = append(errs, m.close())
	}
	clear(n.made)
	return errors.Join(errs...)
}
