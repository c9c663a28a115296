package segmenter

import "time"

// WindowConfig bounds a [Window].
type WindowConfig struct {
	Duration    time.Duration // of the playlist; default 60 s
	MinSegments int           // in the playlist; default 10 (hls-rules A34)
	Grace       time.Duration // added to the time a removed segment stays fetchable; default 30 s (hls-rules A36)
	// MaxBytes bounds the bytes held in memory by removed segments; the oldest
	// go first. 0 means no bound.
	MaxBytes int64
}
