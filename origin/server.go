package origin

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"headwater/origin/http1"
	"headwater/origin/live"
	"headwater/segmenter"
)

// bodyTimeout is how long net/http may wait for a body that nobody wants.
const bodyTimeout = 10 * time.Second

// Limits of a [Server] that has been told no others.
const (
	DefaultMaxConnections = 20_000
	DefaultMaxRequests    = 4096
)

// ServerConfig says what a [Server] serves and within which limits. The zero
// value of a field means its default.
type ServerConfig struct {
	// Listener is already bound, so that a busy port is known before anything
	// runs. Run closes it.
	Listener net.Listener
	// Pages answers for /, /web/ and the player page of a stream; web.Handler
	// returns it. Nil: there are no pages.
	Pages   http.Handler
	Version string // of the program, for the API
	// Publish is given each connection that brings media by SOURCE, PUT or POST,
	// or says ICE/1.0, with all that it has sent still to be read. It closes it
	// and returns when its media has ended. Nil: such requests get 405.
	Publish func(net.Conn)
	// Guard says who may change something. Nil: nobody may.
	Guard Guard

	MaxConnections int // default DefaultMaxConnections; more get 503
	MaxRefused     int // connections that are being given it; more are just closed; default 1,000
	MaxListeners   int // of continuous outputs; default 10,000; more get 503
	// ListenersPerAddress is how many listeners one address may have; more get
	// 403. 0: no limit.
	ListenersPerAddress int
	// TrustedProxies are whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	MaxBandwidth   int64         // of listeners and HLS together, in bits a second; more listeners get 503; 0: no limit
	MaxRequests    int           // in flight, listeners not counted; default DefaultMaxRequests; more get 503
	Drain          time.Duration // how long requests may take to end when Run stops; default 10 s

	Log *slog.Logger // nil: nothing is logged
}

func (c ServerConfig) withDefaults() ServerConfig {
	if c.MaxConnections == 0 {
		c.MaxConnections = DefaultMaxConnections
	}
	if c.MaxListeners == 0 {
		c.MaxListeners = 10_000
	}
	if c.MaxRequests == 0 {
		c.MaxRequests = DefaultMaxRequests
	}
	if c.Drain == 0 {
		c.Drain = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Server serves streams over HTTP, and runs them. It is safe for concurrent
// use, and it is an [http.Handler].
type Server struct {
	cfg       ServerConfig
	log       *slog.Logger
	headers   headers
	other     http.Handler // what is neither playlist nor segment nor stream
	fan       *live.Fan
	counts    counters
	admission admission
	listeners registry
	events    hub
	governor  *Governor // nil if memory has no limit
	started   time.Time

	streams atomic.Pointer[map[string]*Stream] // replaced as a whole, never changed
	groups  atomic.Pointer[map[string]*group]  // likewise

	mu      sync.Mutex            // serialises changes of streams
	run     func(*Stream)         // starts a stream while Run runs, else nil; guarded by mu
	running map[*Stream]runStream // guarded by mu
	// aside runs something as long as the streams run, or until it is stopped;
	// nil while they do not. Guarded by mu.
	aside     func(f func(context.Context)) (stop context.CancelFunc)
	fallbacks map[string]fallback // that operators set, by stream; guarded by mu
	http      *http1.Server       // while Run runs, else nil; guarded by mu
}

// runStream is a stream that runs.
type runStream struct {
	stop context.CancelFunc
	done chan struct{} // closed when it does not any more
}

// NewServer returns a server without streams. It starts nothing.
func NewServer(cfg ServerConfig) *Server {
	s := &Server{cfg: cfg.withDefaults(), started: time.Now()}
	s.log = s.cfg.Log
	s.headers = newHeaders()
	s.admission.limit = s.cfg.MaxBandwidth
	s.listeners.most = s.cfg.ListenersPerAddress
	s.streams.Store(&map[string]*Stream{})
	s.groups.Store(&map[string]*group{})
	s.running = map[*Stream]runStream{}
	s.other = s.routes()
	s.fan = live.NewFan(live.FanConfig{Ended: s.gone})
	return s
}

// Add publishes a stream, and runs it as long as the server runs. The error
// says that the name is taken, or that a path would mean two streams.
func (s *Server) Add(st *Stream) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	streams := *s.streams.Load()
	for name := range streams {
		if err := distinct(name, st.Name()); err != nil {
			return err
		}
	}
	if s.group(st.Name()) != nil {
		return fmt.Errorf("stream %s has the name of a group: call it something else", st.Name())
	}
	streams = maps.Clone(streams)
	streams[st.Name()] = st
	st.hub.Store(&s.events)
	s.streams.Store(&streams)
	if s.run != nil {
		s.run(st)
	}
	return nil
}

// ServeConn serves a connection that came to another port as one that came to
// the server's own, and closes it. It returns at once.
func (s *Server) ServeConn(conn net.Conn) {
	s.mu.Lock()
	http := s.http
	s.mu.Unlock()
	if http == nil {
		conn.Close()
		return
	}
	http.Serve(conn)
}

// Remove takes a stream away, and sends its listeners away. It returns when the
// stream does not run any more. Its sources should have ended.
func (s *Server) Remove(st *Stream) {
	s.endFallbacksOf(st.Name())
	s.mu.Lock()
	streams := maps.Clone(*s.streams.Load())
	if streams[st.Name()] == st {
		delete(streams, st.Name())
	}
	s.streams.Store(&streams)
	running, ok := s.running[st]
	delete(s.running, st)
	s.mu.Unlock()
	if ok {
		running.stop()
		<-running.done
	}
}

// distinct reports names under which one path would be two resources: the
// playlist of a rendition is /{stream}/{rendition}.m3u8.
func distinct(a, b string) error {
	if a == b {
		return fmt.Errorf("stream %s exists already", a)
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	switch rest, ok := strings.CutPrefix(b, a+"/"); {
	case ok && (rest == segmenter.RenditionMain || rest == segmenter.RenditionAudio || rest == "ready"):
		return fmt.Errorf("stream %s would hide %s.m3u8 of stream %s: choose another name", b, rest, a)
	}
	return nil
}

// lookup returns the stream of a name, or nil.
func (s *Server) lookup(name string) *Stream { return (*s.streams.Load())[name] }

func (s *Server) known(name string) bool { return s.lookup(name) != nil || s.group(name) != nil }

// Streams returns the published streams, by name.
func (s *Server) Streams() []*Stream {
	return slices.SortedFunc(maps.Values(*s.streams.Load()), func(a, b *Stream) int {
		return strings.Compare(a.Name(), b.Name())
	})
}

// Run serves until ctx ends, or the listener fails. Then the streams publish
// what they have, listeners of the continuous outputs are sent away, and
// requests have ServerConfig.Drain to end before they are cut off. It returns
// nil if ctx ended.
func (s *Server) Run(ctx context.Context) error {
	streamCtx, stopStreams := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStreams()
	var streams sync.WaitGroup
	s.mu.Lock()
	s.run = func(st *Stream) {
		ctx, stop := context.WithCancel(streamCtx)
		done := make(chan struct{})
		s.running[st] = runStream{stop, done}
		streams.Go(func() {
			defer close(done)
			defer stop()
			st.Run(ctx)
		})
	}
	s.aside = func(f func(context.Context)) context.CancelFunc {
		ctx, stop := context.WithCancel(streamCtx)
		streams.Go(func() {
			defer stop()
			f(ctx)
		})
		return stop
	}
	for _, st := range s.Streams() {
		s.run(st)
	}
	s.mu.Unlock()

	fanCtx, stopFan := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFan()
	var fanned sync.WaitGroup
	fanned.Go(func() { s.fan.Run(fanCtx) })
	fanned.Go(func() { s.meter(fanCtx) })

	server := http1.New(http1.Config{
		Handler: s, Other: s, Fields: s.headers.common,
		MaxConnections: s.cfg.MaxConnections, MaxRefused: s.cfg.MaxRefused,
		MaxStreams: s.cfg.MaxRequests + s.cfg.MaxListeners, Drain: s.cfg.Drain,
		Publish: s.cfg.Publish, Reserved: reserved,
		Refused:  func() { s.counts.refused.Add(1) },
		Panicked: s.panicked, Log: s.log,
	})
	s.mu.Lock()
	s.http = server
	s.mu.Unlock()
	serveCtx, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	var err error
	served := make(chan struct{})
	go func() {
		defer close(served)
		err = server.Run(serveCtx, s.cfg.Listener)
	}()
	select {
	case <-served: // the listener failed
	case <-ctx.Done():
	}
	s.mu.Lock()
	s.run, s.aside, s.http = nil, nil, nil
	s.mu.Unlock()
	stopStreams()
	streams.Wait()
	s.events.close()
	stopServing()
	<-served
	stopFan()
	fanned.Wait()
	s.events.served.Wait()
	return err
}
