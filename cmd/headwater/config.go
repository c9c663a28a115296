package main

import (
	"cmp"
	"log/slog"
	"net/netip"
	"net/url"
	"time"

	"headwater/cmd/headwater/access"
	"headwater/cmd/headwater/hooks"
	"headwater/ingest/encode"
	"headwater/origin"
)

// Config is everything that "headwater serve" can be told. [loader] fills it
// from flags, the environment and a file; nothing in it is checked again.
type Config struct {
	HTTP           string        // address, host:port
	Pprof          string        // address of the profiles, host:port on loopback; "" shows none
	Data           string        // folder of records and segments; "" keeps all in memory
	TargetDuration time.Duration // of streams that have none of their own
	Window         time.Duration // likewise
	MaxMemory      int64         // bytes, of the process; 0: no limit
	Log            LogConfig
	Limits         Limits
	Passwords      Passwords
	TrustedProxies []netip.Prefix // whose X-Forwarded-For is believed
	TokenSecret    access.Secret  // of tokens; empty: one is kept in Data
	Hooks          []hooks.Hook   // are told of events
	Streams        []StreamConfig // by name, each name once
}

// LogConfig says what the log looks like.
type LogConfig struct {
	Format string // "text", "json", or "auto": text on a terminal, else JSON
	Level  slog.Level
}

// Limits bounds what listeners and players may use. 0 means the default of
// [headwater/origin.ServerConfig].
type Limits struct {
	Connections         int // over HTTP
	Listeners           int // of continuous outputs
	ListenersPerAddress int // of these from one; 0: no limit
	Requests            int // being answered, listeners not counted

	Bandwidth int64 // of listeners and HLS together, in bits a second; 0: no limit
}

// withDefaults returns l with the connections and requests that are meant.
func (l Limits) withDefaults() Limits {
	l.Connections = cmp.Or(l.Connections, origin.DefaultMaxConnections)
	l.Requests = cmp.Or(l.Requests, origin.DefaultMaxRequests)
	return l
}

// StreamConfig is one stream and where its media comes from. The zero value of
// a field means the default of the package that it goes to.
type StreamConfig struct {
	Name    string
	TCP     string // address to listen on for raw TCP, or ""
	Connect string // address to fetch from by raw TCP, or ""
	Folder  string // to play the files of, or an .m3u; or ""
	Shuffle bool   // play Folder in random order

	Exec        []string // program to run, and its arguments; or nil
	ExecFraming string   // of its output: "none", "eradio", or "" for none

	Pull []string // URLs to pull from, the best first; or nil

	OnDemand bool // the source is started only while somebody wants the stream

	Encode encode.Settings // of PCM that a source sends

	SHOUTcast      string          // address to listen on for SHOUTcast sources, or ""
	SourcePassword access.Password // of sources over HTTP; none: Config.Passwords.Source
	SourceAuth     *url.URL        // service that is asked instead; or nil
	Takeover       bool            // a new source over HTTP replaces the one before
	MaxStreams     int             // of a wildcard; 0 means defaultMaxStreams

	Allow   []netip.Prefix // who may send by TCP or HTTP; empty means everybody
	Program uint16         // program_number of a transport stream; 0 means the best one
	Timeout time.Duration  // silence after which a source is given up

	TargetDuration  time.Duration    // 0 means Config.TargetDuration
	Window          time.Duration    // 0 means Config.Window
	MaxBytes        int64            // kept of a rendition; 0 means no bound
	Latency         time.Duration    // age of the media when it arrives
	PublishAfter    int              // segments before the first playlist
	GapMax          int              // gaps that follow a lost source
	EndAfter        time.Duration    // playlists end when no source came for so long; 0 means never
	Mode            origin.Mode      // of the continuous outputs
	Flush           time.Duration    // how long these gather media; 0 means the default
	Title           string           // what people call the stream; "" means what the source says
	Burst           time.Duration    // at the start of the continuous outputs; 0 means the default
	Listening       access.Listening // who may listen
	MaxListeners    int              // of its continuous outputs; 0: no limit
	MaxListenerTime time.Duration    // of one of them; 0: as long as it likes
	Metaint         int              // bytes of audio between ICY titles; 0 means the default
	Fallback        Fallback         // what is heard while the source is away
	FallbackAfter   time.Duration    // how long that may bring nothing; 0 means the default
	Group           string           // programme that it is one bit rate of, or ""
	Linger          time.Duration    // of listeners while nothing is heard; 0 means the default
}

// Defaults of what has to have a value.
const (
	defaultHTTP   = ":8080"
	defaultData   = "./headwater-data"
	defaultStream = "live"
	// defaultTCP is on loopback: raw TCP has no password (see "allow").
	defaultTCP = "127.0.0.1:9999"
	// defaultTargetDuration is what Apple asks for (hls-rules A15).
	defaultTargetDuration = 6 * time.Second
	defaultWindow         = time.Minute
)

// defaultConfig returns the configuration of a machine that was told nothing,
// but for the stream: see [loader.load].
func defaultConfig() Config {
	return Config{
		HTTP:           defaultHTTP,
		Data:           defaultData,
		TargetDuration: defaultTargetDuration,
		Window:         defaultWindow,
		Log:            LogConfig{Format: "auto", Level: slog.LevelInfo},
	}
}

// stream returns the stream called name, which it adds at the end if there is none.
func (c *Config) stream(name string) *StreamConfig {
	for i := range c.Streams {
		if c.Streams[i].Name == name {
			return &c.Streams[i]
		}
	}
	c.Streams = append(c.Streams, StreamConfig{Name: name})
	return &c.Streams[len(c.Streams)-1]
}
