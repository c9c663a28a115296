// Package encode makes MP3 or AAC of a source that sends PCM as a WAV file
// without end: a sound card's. An ffmpeg that is installed does the work, in a
// process of its own that lives as long as the source.
package encode

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"headwater/ingest/child"
	"headwater/mux"
)

// Settings says what PCM is encoded as. The zero value is MP3.
type Settings struct {
	Off     bool      // PCM is refused
	Codec   mux.Codec // CodecMP3, which is the default, or CodecAAC
	BitRate int       // bits a second; 0: 128,000 for stereo, 64,000 for mono
}

// RefusedError says why PCM is not taken. It is a [mux.ErrUnknownFormat].
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// Is makes the error one about the format.
func (e *RefusedError) Is(target error) bool { return target == mux.ErrUnknownFormat }

const (
	sendOther = "send MP3, AAC or MPEG-TS"
	// program encodes.
	program = "ffmpeg"
	// blockSize is how much PCM is passed on at once: a fifth of a second of most.
	blockSize = 32 << 10
)

// Source is PCM to be encoded: an [headwater/ingest.Conn].
type Source interface {
	io.ReadCloser
	SetReadDeadline(t time.Time) error
}

// Encoder is a source that brings what was encoded of another one: an
// [headwater/ingest.Conn]. One goroutine reads it, any may close it.
type Encoder struct {
	child   *child.Process
	source  Source
	feeding sync.WaitGroup
	close   sync.Once

	mu  sync.Mutex
	err error // why the source ended, nil for io.EOF; guarded by mu
}

// New starts to encode src, whose first bytes, head, were read already and
// begin a WAV file. The encoder owns src, unless there is an error: a
// [*RefusedError], or what Read returned.
func New(src Source, head []byte, s Settings, log *slog.Logger) (*Encoder, error) {
	if s.Off {
		return nil, &RefusedError{"this is WAV, which the stream does not take (encode: none): " + sendOther}
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, &RefusedError{"this is WAV, and ffmpeg, which would encode it, is not installed: install it (apt install ffmpeg), or " + sendOther}
	}
	wav, samples, err := readHead(src, head)
	if err != nil {
		return nil, err
	}
	s = s.resolve(wav)
	log.Info("the source sends PCM, which is encoded", "format", wav.String(), "codec", s.Codec.String(), "bit_rate", s.BitRate)
	p, err := child.Start(log, append([]string{program}, s.arguments(wav)...)...)
	if err != nil {
		return nil, err
	}
	e := &Encoder{child: p, source: src}
	e.feeding.Go(func() { e.feed(samples) })
	return e, nil
}

// readHead reads on until the head of the file is whole, and returns what was
// read of the samples.
func readHead(src io.Reader, head []byte) (w WAV, samples []byte, err error) {
	for {
		w, begin, err := ParseWAV(head)
		if err == nil {
			return w, head[begin:], nil
		}
		if !errors.Is(err, errShort) {
			return WAV{}, nil, &RefusedError{err.Error()}
		}
		b := make([]byte, 4<<10)
		n, err := src.Read(b)
		head = append(head, b[:n]...)
		if err != nil && n == 0 {
			return WAV{}, nil, err
		}
	}
}

// resolve returns s with the defaults for w, within what the codec knows.
func (s Settings) resolve(w WAV) Settings {
	if s.Codec == mux.CodecUnknown {
		s.Codec = mux.CodecMP3
	}
	if s.BitRate == 0 {
		s.BitRate = 64_000 * min(w.Channels, 2)
	}
	if s.Codec == mux.CodecMP3 { // ISO/IEC 13818-3 §2.4.2.3, and what is called MPEG-2.5
		switch {
		case w.Rate <= 12_000:
			s.BitRate = min(s.BitRate, 64_000)
		case w.Rate <= 24_000:
			s.BitRate = min(s.BitRate, 160_000)
		}
	}
	return s
}

// arguments returns those of ffmpeg. It is to pass on each frame at once, and
// gets the bare samples: it would look for other things in 64 KiB of a WAV file
// first, which are 4 s of a scanner.
func (s Settings) arguments(w WAV) []string {
	args := []string{
		"-hide_banner", "-nostdin", "-v", "error",
		"-fflags", "+nobuffer", "-probesize", "32", "-analyzeduration", "0", "-protocol_whitelist", "pipe",
		"-f", w.raw(), "-ar", strconv.Itoa(w.Rate), "-ac", strconv.Itoa(w.Channels), "-i", "pipe:0",
		"-map", "0:a:0", "-map_metadata", "-1", "-b:a", strconv.Itoa(s.BitRate),
	}
	if w.Channels > 2 {
		args = append(args, "-ac", "2")
	}
	if w.Rate > 48_000 {
		args = append(args, "-ar", "48000")
	}
	if s.Codec == mux.CodecAAC {
		args = append(args, "-c:a", "aac", "-f", "adts")
	} else {
		args = append(args, "-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0", "-f", "mp3")
	}
	return append(args, "-flush_packets", "1", "pipe:1")
}

// feed gives the encoder what the source brings, until either ends. What the
// encoder does not take yet waits in the source's connection.
func (e *Encoder) feed(samples []byte) {
	stdin := e.child.Stdin()
	_, err := stdin.Write(samples)
	b := make([]byte, blockSize)
	for err == nil {
		var n int
		if n, err = e.source.Read(b); n > 0 {
			if _, failed := stdin.Write(b[:n]); failed != nil {
				return // its own end tells why
			}
		}
	}
	if !errors.Is(err, io.EOF) {
		e.mu.Lock()
		e.err = err
		e.mu.Unlock()
	}
	stdin.Close() // and it writes what it has left
}

// Read reads what was encoded. At the end the error is io.EOF if the source
// has closed, else it says what became of the source or the encoder.
func (e *Encoder) Read(p []byte) (int, error) {
	n, err := e.child.Read(p)
	if n == 0 && errors.Is(err, io.EOF) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.err != nil {
			return 0, fmt.Errorf("read PCM: %w", e.err)
		}
	}
	return n, err
}

// SetReadDeadline makes Read fail with [os.ErrDeadlineExceeded] from t on.
func (e *Encoder) SetReadDeadline(t time.Time) error { return e.child.SetReadDeadline(t) }

// Close ends the encoder and closes the source. Both have ended when it returns.
func (e *Encoder) Close() error {
	var err error
	e.close.Do(func() {
		e.child.Close()
		past := time.Unix(1, 0)
		_ = e.source.SetReadDeadline(past) // one that is kept open is read no more
		e.feeding.Wait()
		err = e.source.Close()
	})
	return err
}
