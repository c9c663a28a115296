package segmenter

import "time"

// Config is how one stream is cut. The zero value of a field means its default.
type Config struct {
	TargetDuration time.Duration // slot length; default 6 s
	MaxSkew        time.Duration // how long a closing segment waits for late audio, in media time; default 500 ms (hls-rules C14)
	GapMax         int           // slots filled with gaps by the clock while the source is dead; default 3 (hls-rules H17)
	// Latency is how old the media is when it arrives; the source's first unit
	// is dated that much before its arrival. Default 0.
	Latency time.Duration
	// MaxSegmentBytes bounds an open segment; default 64 MiB. A segment that
	// reaches it is cut there.
	MaxSegmentBytes int64
}

// withDefaults returns c with every zero field set.
func (c Config) withDefaults() Config {
	if c.TargetDuration <= 0 {
		c.TargetDuration = 6 * time.Second
	}
	if c.MaxSkew <= 0 {
		c.MaxSkew = 500 * time.Millisecond
	}
	if c.GapMax <= 0 {
		c.GapMax = 3
	}
	if c.MaxSegmentBytes <= 0 {
		c.MaxSegmentBytes = 64 << 20
	}
	return c
}
