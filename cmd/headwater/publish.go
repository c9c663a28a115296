package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"

	"headwater/cmd/headwater/access"
	"headwater/ingest"
	"headwater/ingest/icecast"
	"headwater/origin"
)

// Files of the data folder that hold passwords. No stream has such a name.
const (
	sourcePasswordFile = ".source-password"
	adminPasswordFile  = ".admin-password"
)

// openAccess reads the passwords, and makes those that there are none of.
func (s *station) openAccess(opts *serveOptions) (err error) {
	keeper := access.Config{Server: s.endpoints.http, Log: s.log}
	p := &opts.Passwords
	var file string
	if keeper.Source, file, err = s.password("source", p.Source, p.SourceFile, sourcePasswordFile); err != nil {
		return err
	}
	switch {
	case file != "":
		s.endpoints.password = "the password in " + file
	case keeper.Source.Set():
		s.endpoints.password = "the password that is configured"
	}
	if keeper.Admin, _, err = s.password("admin", p.Admin, p.AdminFile, adminPasswordFile); err != nil {
		return err
	}
	keeper.Stream = func(name string) (access.Stream, bool) {
		cfg := opts.match(name)
		if cfg == nil {
			return access.Stream{}, false
		}
		return access.Stream{Source: cfg.SourcePassword, Service: cfg.SourceAuth}, true
	}
	s.access = access.New(keeper)
	return nil
}

// password returns a password, and the file that it is in: p, which is in none,
// else that in file, else that which the data folder keeps as kept. Without a
// data folder there is none then.
func (s *station) password(who string, p access.Password, file, kept string) (_ access.Password, in string, err error) {
	switch {
	case p.Set():
		return p, "", nil
	case file != "":
		if p, err = access.ReadFile(file); err != nil {
			return p, "", fmt.Errorf("read the %s password: %w", who, err)
		}
	case s.data != nil:
		file = filepath.Join(s.data.Name(), kept)
		if p, _, err = access.Keep(s.data, kept); err != nil {
			return p, "", fmt.Errorf("keep the %s password in the data folder: %w", who, err)
		}
	default:
		return p, "", nil // what needs one is refused
	}
	s.passwords = append(s.passwords, slog.String(who, file))
	return p, file, nil
}

// tellPasswords logs which files the passwords are in.
func (s *station) tellPasswords() {
	if len(s.passwords) > 0 {
		s.log.LogAttrs(context.Background(), slog.LevelInfo, "passwords are in files", s.passwords...)
	}
}

// openPublish makes what takes sources that send over HTTP.
func (s *station) openPublish(opts *serveOptions) {
	s.names = newNames(s, opts)
	s.publisher = icecast.New(icecast.Config{Guard: s.access, Open: s.names.open, Log: s.log})
	s.sources = append(s.sources, s.publisher, s.names)
}

// bindSHOUTcast takes SHOUTcast sources of a stream, if it has an address for them.
func (s *station) bindSHOUTcast(ctx context.Context, cfg *StreamConfig) error {
	if cfg.SHOUTcast == "" {
		return nil
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.SHOUTcast)
	if err != nil {
		return explainBind(err, fmt.Sprintf("give stream %s another address with --shoutcast %s=ADDR", cfg.Name, cfg.Name))
	}
	s.ports = append(s.ports, ln.Close)
	s.log.Info("waiting for a SHOUTcast source", "stream", cfg.Name, "address", ln.Addr().String())
	s.sources = append(s.sources, s.publisher.NewSHOUTcast(ln, cfg.Name, s.server.ServeConn))
	return nil
}

// mountOf returns a stream as what a source sends to.
func (s *station) mountOf(stream *origin.Stream, cfg *StreamConfig) *icecast.Stream {
	return &icecast.Stream{
		Options:  s.ingestOptions(stream.Name(), cfg, stream),
		Holder:   stream.Holder,
		Takeover: cfg.Takeover,
	}
}

// ingestOptions returns the options of each source of a stream.
func (s *station) ingestOptions(name string, cfg *StreamConfig, sink ingest.Sink) ingest.Options {
	return ingest.Options{
		Stream: name, Sink: sink, Log: s.log,
		Program: cfg.Program, Timeout: cfg.Timeout, Allow: cfg.Allow, Encode: cfg.Encode,
		HTTP: s.server.ServeConn,
	}
}
