package mux

import (
	"fmt"
	"time"
)

// SourceInfo says who sends media to a stream: for logs, the API, and the
// message that the next source gets while this one holds the stream.
type SourceInfo struct {
	ID     string    // short, unique within the process, e.g. "tcp-7"
	Kind   string    // how it came in: "tcp", "demo", …
	Remote string    // the other end, host:port; empty for a source in the process
	Since  time.Time // when the connection was made

	// End ends the source, as an operator asks for. It returns at once. Nil: the
	// source cannot be ended.
	End func()

	Station Station // what the source says of itself
}

// Station is what a radio source says of itself in its headers (icy-name,
// ice-name, …). All is UTF-8 without control characters, and may be empty.
type Station struct {
	Name        string
	Description string
	Genre       string
	URL         string // of the station's page
	Bitrate     int    // kbit/s as announced, 0 if it was not
	AudioInfo   string // ice-audio-info, "samplerate=44100;channels=2"
	Public      bool   // may be listed in directories
}

// String returns the source as people name it in a sentence: the remote
// address, or the kind where there is none.
func (s SourceInfo) String() string {
	if s.Remote == "" {
		return s.Kind
	}
	return s.Remote
}

// Feed takes the media of the one source that holds a stream. It is not safe
// for concurrent use: one goroutine calls its methods, Close last.
// Nothing may be called after Close.
type Feed interface {
	// Write takes units in the order of delivery; now is when they arrived.
	// The slice may be reused by the caller after the return; the units are
	// immutable and may be kept.
	Write(units []*Unit, now time.Time)

	// Patience returns how long bytes may lie unread, which is asked before
	// each read: to read more at once costs less. 0 means that all is wanted as
	// it comes. It delays media by as much.
	Patience() time.Duration

	// Preview takes a unit that a coming Write will bring as well, with the same
	// Seq, or that may yet prove to be none. It is called while Patience is 0.
	Preview(unit *Unit, now time.Time)

	// Report says what the source sends, e.g. "MPEG-TS", and what its demuxer
	// counted since the source began. It is called about once a second while
	// media arrives, and once more before Close.
	Report(format string, stats Stats)

	// Close gives the stream back. The cause says why the source ended: nil
	// or io.EOF if it ended by itself, else what went wrong.
	Close(cause error, now time.Time)
}

// BusyError is why a source was turned away: another one holds the stream.
type BusyError struct {
	Stream string
	Holder SourceInfo
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("stream %s is held by %s since %s",
		e.Stream, e.Holder, e.Holder.Since.UTC().Format(time.RFC3339))
}
