package ingest

import (
	"log/slog"
	"net"
	"net/netip"
	"time"

	"headwater/ingest/encode"
)

// Defaults of [Options].
const (
	// DefaultTimeout is longer than any pause of an encoder that works, and
	// short enough for a viewer to wait for its replacement.
	DefaultTimeout = 10 * time.Second
	// DefaultMaxPending allows for every encoder of a house that restarts at
	// once, at 4 KiB each.
	DefaultMaxPending = 64
	// DefaultMaxLead allows for the burst that a relay begins with, and for an
	// encoder that was held up and catches up.
	DefaultMaxLead = 10 * time.Second
)

// patience is how many timeouts a connection may send bytes without media: a
// sparse transport stream repeats its tables every few seconds.
const patience = 3

// Options are what every TCP source needs. The zero value of a field that has
// a default means that default.
type Options struct {
	Stream string       // name of the stream, for the log
	Sink   Sink         // where the media goes
	Log    *slog.Logger // default: no log

	// Program is the program_number to take from a transport stream with
	// several; 0 takes the first with video, else the first with audio.
	Program uint16
	// Timeout is how long a connection may be silent before it is closed;
	// default [DefaultTimeout]. One that sends bytes but no media is closed
	// after three times that.
	Timeout time.Duration

	// Encode says what becomes of PCM, which is sent as WAV; default MP3.
	Encode encode.Settings

	// MaxLead is how much sound without timestamps may come ahead of its time,
	// by its samples; default [DefaultMaxLead]. What is further ahead waits in
	// the connection. Negative: all is taken as it comes.
	MaxLead time.Duration

	// Allow lists the addresses that may send; empty means everybody.
	// [TCPListener] only.
	Allow []netip.Prefix
	// HTTP is given each connection that turns out to speak HTTP, with all that
	// it has sent still to be read, and owns it then. Nil: such are refused.
	// [TCPListener] only.
	HTTP func(net.Conn)
	// MaxPending bounds the connections that have not sent media yet; default
	// [DefaultMaxPending]. The oldest silent one makes room for a new one.
	// [TCPListener] only.
	MaxPending int

	encoders chan struct{} // a place for each source that is being encoded
}

// withDefaults returns o with zero values replaced and the log bound to the stream.
func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("stream", o.Stream)
	o.encoders = make(chan struct{}, maxEncoders)
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MaxLead == 0 {
		o.MaxLead = DefaultMaxLead
	}
	if o.MaxPending <= 0 {
		o.MaxPending = DefaultMaxPending
	}
	return o
}

// Allows reports whether a source at addr, "host:port", is in the allow list.
func (o *Options) Allows(addr string) bool {
	if len(o.Allow) == 0 {
		return true
	}
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return false
	}
	ip := ap.Addr().Unmap().WithZone("") // a prefix matches no zoned address
	for _, p := range o.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}
