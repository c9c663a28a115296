// Package access says who may send to a stream, set its titles and administer
// the server: by passwords, as they are or hashed, and by asking the operator's
// own service (Icecast's URL authentication).
//
// hls-rules F10, F14; RFC 7617; Icecast's stream_auth.
package access

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"

	"headwater/ingest"
)

// Stream is who may send to one stream.
type Stream struct {
	Source  Password // none: that of all streams
	Service *url.URL // that is asked instead; nil: none is
}

// Config says whom a [Keeper] lets in.
type Config struct {
	Source Password // of all streams that have none of their own
	Admin  Password
	// Stream returns who may send to a stream of a name, and false if there is none.
	Stream func(name string) (Stream, bool)
	// Server is the address of this server as services are told it.
	Server string
	Log    *slog.Logger // nil: nothing is logged
}

// Keeper checks passwords. It is safe for concurrent use.
type Keeper struct {
	cfg     Config
	memory  *memory
	service *http.Client
	refused *ingest.Tally
	silent  *ingest.Tally // services that do not answer
}

// New returns a keeper. It starts nothing.
func New(cfg Config) *Keeper {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Keeper{
		cfg: cfg, memory: newMemory(), service: newClient(),
		refused: ingest.NewTally(cfg.Log, "wrong password"),
		silent:  ingest.NewTally(cfg.Log, "the service that says who may send does not answer, so nobody may"),
	}
}

// Admin reports whether the password is the administrator's. The user is not
// asked for: there is one administrator. remote is who asks, host:port.
func (k *Keeper) Admin(_ context.Context, user, password, remote string) bool {
	if k.memory.check(k.cfg.Admin, password, remote) {
		return true
	}
	k.refused.Add(slog.String("remote", remote), slog.String("user", clip(user)))
	return false
}

// Source reports whether who has the password may send to a stream: the stream's
// own, else that of all streams; or if the stream's service says so. Only the
// service is told the user. A stream that does not exist has the password of all.
func (k *Keeper) Source(ctx context.Context, stream, user, password, remote string) bool {
	of, _ := k.cfg.Stream(stream)
	var right bool
	switch {
	case of.Service != nil:
		right = k.ask(ctx, of.Service, question{stream, user, password, remote})
	case of.Source.Set():
		right = k.memory.check(of.Source, password, remote)
	default:
		right = k.memory.check(k.cfg.Source, password, remote)
	}
	if !right {
		k.refused.Add(slog.String("stream", clip(stream)), slog.String("remote", remote), slog.String("user", clip(user)))
	}
	return right
}

// clip returns the beginning of a name that a stranger sent.
func clip(name string) string { return name[:min(len(name), 64)] }
