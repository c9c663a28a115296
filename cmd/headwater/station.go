package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"headwater/cmd/headwater/access"
	"headwater/cmd/headwater/hooks"
	"headwater/cmd/headwater/profile"
	"headwater/ingest"
	"headwater/ingest/icecast"
	"headwater/origin"
	"headwater/segmenter"
	"headwater/segmenter/store"
	"headwater/web"
)

// station is all that one "headwater serve" consists of, bound and opened but
// not running.
type station struct {
	log       *slog.Logger
	sources   []runner
	server    *origin.Server
	endpoints endpoints
	files     files
	beside    []runner // what runs as long as the server

	access    *access.Keeper
	passwords []slog.Attr // the files that they are in, by whose they are
	publisher *icecast.Server
	names     *names

	gates  *access.Gates
	data   *os.Root       // nil if all is kept in memory
	ports  []func() error // close what Run of its owner closes
	stores []func() error // close what is open until the end
}

// openStation binds every port and opens the data folder. If it returns an
// error, all is closed again.
func openStation(ctx context.Context, opts serveOptions, log *slog.Logger) (_ *station, err error) {
	s := &station{log: log, beside: []runner{newMemoryTuner()}}
	defer func() {
		if err != nil {
			s.closeAll(s.ports)
			s.closeAll(s.stores)
		}
	}()
	ln, err := s.bindHTTP(ctx, opts.HTTP)
	if err != nil {
		return nil, err
	}
	if err := s.bindProfiles(ctx, opts.Pprof); err != nil {
		return nil, err
	}
	if err := s.openData(opts.Data); err != nil {
		return nil, err
	}
	if s.files, err = openFiles(opts.Limits.withDefaults(), len(opts.Streams), s.data != nil); err != nil {
		return nil, err
	}
	if err := s.openAccess(&opts); err != nil {
		return nil, err
	}
	if err := s.openGates(&opts); err != nil {
		return nil, err
	}
	s.openPublish(&opts)
	s.server = origin.NewServer(origin.ServerConfig{
		Listener:            ln,
		Pages:               web.Handler(),
		Version:             buildVersion(),
		Publish:             s.publisher.Serve,
		Guard:               s.access,
		MaxConnections:      s.files.connections,
		MaxRefused:          s.files.refused,
		MaxListeners:        opts.Limits.Listeners,
		ListenersPerAddress: opts.Limits.ListenersPerAddress,
		TrustedProxies:      opts.TrustedProxies,
		MaxBandwidth:        opts.Limits.Bandwidth,
		MaxRequests:         opts.Limits.Requests,
		Log:                 log,
	})
	if opts.MaxMemory > 0 {
		s.beside = append(s.beside, memoryLimit(opts.MaxMemory), origin.NewGovernor(origin.GovernorConfig{
			Server: s.server, Limit: opts.MaxMemory, Log: log,
		}))
	}
	if len(opts.Hooks) > 0 {
		s.beside = append(s.beside, hooks.New(hooks.Config{Server: s.server, Hooks: opts.Hooks, Log: log}))
	}
	for i := range opts.Streams {
		if _, any := opts.Streams[i].wildcard(); any {
			continue // its streams are made when their sources come
		}
		if err := s.addStream(ctx, &opts, &opts.Streams[i]); err != nil {
			return nil, err
		}
	}
	if err := s.addFallbacks(opts.Streams); err != nil {
		return nil, err
	}
	if err := s.addGroups(&opts.Config); err != nil {
		return nil, err
	}
	return s, nil
}

// closeAll closes what was opened, the newest first, and logs what cannot be.
func (s *station) closeAll(opened []func() error) {
	for _, f := range slices.Backward(opened) {
		if err := f(); err != nil {
			s.log.Error("not closed well", "error", err)
		}
	}
}

// run runs the station until ctx ends and closes it. The sources stop first;
// then the server lets the streams publish what is left, and drains.
func (s *station) run(ctx context.Context) error {
	defer s.closeAll(append(s.stores, s.names.closeAll))
	s.tellPasswords()
	stop := context.AfterFunc(ctx, func() { s.log.Info("stopping, a second signal kills") })
	defer stop()
	return runStages(ctx, s.sources, append(s.beside, s.server))
}

func (s *station) bindHTTP(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, explainBind(err, "give another address with --http")
	}
	s.ports = append(s.ports, ln.Close)
	s.endpoints.http = ln.Addr().String()
	return ln, nil
}

// bindProfiles has profiles shown at addr, if there is one.
func (s *station) bindProfiles(ctx context.Context, addr string) error {
	if addr == "" {
		return nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return explainBind(err, "give another address with --pprof")
	}
	s.ports = append(s.ports, ln.Close)
	s.beside = append(s.beside, &profile.Server{Listener: ln, Log: s.log})
	return nil
}

// openData opens the folder that keeps the streams, and makes it if there is none.
func (s *station) openData(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("open the data folder: %w: give another one with --data, or --data '' to keep all in memory", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	s.data = root
	s.stores = append(s.stores, root.Close)
	return nil
}

// streamConfig returns how a stream of a name is made.
func (s *station) streamConfig(name string, opts *serveOptions, cfg *StreamConfig) origin.StreamConfig {
	return origin.StreamConfig{
		Name: name,
		Segmenter: segmenter.Config{
			TargetDuration: orElse(cfg.TargetDuration, opts.TargetDuration),
			GapMax:         cfg.GapMax,
			Latency:        cfg.Latency,
		},
		Window:          segmenter.WindowConfig{Duration: orElse(cfg.Window, opts.Window), MaxBytes: cfg.MaxBytes},
		PublishAfter:    cfg.PublishAfter,
		OnDemand:        cfg.OnDemand,
		EndAfter:        cfg.EndAfter,
		Mode:            cfg.Mode,
		Flush:           cfg.Flush,
		Title:           cfg.Title,
		Burst:           cfg.Burst,
		Metaint:         cfg.Metaint,
		Gate:            s.gates.Gate(cfg.Listening),
		MaxListeners:    cfg.MaxListeners,
		MaxListenerTime: cfg.MaxListenerTime,
		FallbackAfter:   cfg.FallbackAfter,
		Linger:          cfg.Linger,
		Log:             s.log,
	}
}

// openStore gives a stream its folder, if there is a data folder. The stream
// must not run any more when it is closed.
func (s *station) openStore(cfg *origin.StreamConfig) (closeStore func() error, err error) {
	if s.data == nil {
		return func() error { return nil }, nil
	}
	st, err := store.Open(s.data, cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("open the data of stream %s: %w", cfg.Name, err)
	}
	cfg.Store = st
	return st.Close, nil
}

// addStream makes one stream and its source.
func (s *station) addStream(ctx context.Context, opts *serveOptions, cfg *StreamConfig) error {
	streamCfg := s.streamConfig(cfg.Name, opts, cfg)
	closeStore, err := s.openStore(&streamCfg)
	if err != nil {
		return err
	}
	s.stores = append(s.stores, closeStore)
	place := endpoint{stream: cfg.Name}
	sink := &laterSink{}
	source, err := s.newSource(ctx, opts, cfg, sink, &place)
	if err != nil {
		return err
	}
	streamCfg.SendTo = "http://" + s.endpoints.http + "/" + cfg.Name
	if place.takes != "" {
		streamCfg.SendTo = "tcp://" + place.takes
	}
	stream, err := origin.NewStream(streamCfg)
	if err != nil {
		return err
	}
	sink.Sink = stream
	if err := s.server.Add(stream); err != nil {
		return err
	}
	if source != nil {
		s.sources = append(s.sources, source)
	}
	if err := s.bindSHOUTcast(ctx, cfg); err != nil {
		return err
	}
	s.endpoints.streams = append(s.endpoints.streams, place)
	return nil
}

// laterSink is the sink of a source that is made before its stream is, since
// the stream tells people where the source listens.
type laterSink struct{ ingest.Sink }

// newSource returns the source of a stream and notes where it takes media. It is
// nil if the stream has none of its own.
func (s *station) newSource(ctx context.Context, opts *serveOptions, cfg *StreamConfig, sink ingest.Sink, place *endpoint) (source runner, err error) {
	if inside, ok := opts.inside[cfg.Name]; ok {
		return inside(sink), nil
	}
	o := s.ingestOptions(cfg.Name, cfg, sink)
	if cfg.Connect != "" {
		place.fetches = cfg.Connect
		return own(cfg, o, ingest.NewTCPDialer(cfg.Connect, o)), nil
	}
	if source, place.fetches, err = newOwnSource(cfg, o); source != nil || err != nil {
		return source, err
	}
	if cfg.TCP == "" {
		return nil, nil // it is sent over HTTP
	}
	ln, err := ingest.Listen(ctx, cfg.TCP, o)
	if err != nil {
		return nil, explainBind(err, fmt.Sprintf("give stream %s another address with --tcp %s=ADDR", cfg.Name, cfg.Name))
	}
	s.ports = append(s.ports, ln.Close)
	place.takes = ln.Addr().String()
	return ln, nil
}

// supervised is a source that is tried again when it fails.
type supervised struct {
	log    *slog.Logger
	source ingest.Source
}

func (s supervised) Run(ctx context.Context) error {
	return ingest.Supervise(ctx, s.log, s.source, ingest.Backoff{})
}

// explainBind adds to the error of a port that cannot be had what to do about it.
func explainBind(err error, advice string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another program uses the port; stop it, or %s", err, advice)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w: ports below 1024 are for the administrator; %s", err, advice)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w: this machine does not have the address; %s", err, advice)
	}
	return err
}

// orElse returns d, or e if d is zero.
func orElse(d, e time.Duration) time.Duration {
	if d != 0 {
		return d
	}
	return e
}
