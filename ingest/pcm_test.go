//go:build unix

package ingest_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headwater/ingest"
	"headwater/ingest/encode"
	"headwater/ingest/ingesttest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// tone returns a WAV file without end of some seconds, 16 bits mono.
func tone(rate, seconds int) []byte {
	b := []byte("RIFF\xff\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00")
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate))
	b = append(b, "\x02\x00\x10\x00data\xff\xff\xff\xff"...)
	for i := range rate * seconds {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(8000*math.Sin(float64(i)*2*math.Pi*440/float64(rate)))))
	}
	return b
}

// fakeFFmpeg puts a script in the place of ffmpeg.
func fakeFFmpeg(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ffmpeg"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

// serve has a session read what write sends, and returns how it ended.
func serve(t *testing.T, sink *ingesttest.Sink, o ingest.Options, write func(net.Conn)) error {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		write(far)
		far.Close()
	}()
	o.Sink = sink
	err := ingest.Serve(t.Context(), near, ingest.NewSourceInfo("test", "pipe"), o)
	<-done
	return err
}

// The encoder gets every byte of the source, also those of the head that came
// one by one, and what it writes is the media.
func TestPCMGoesThroughTheEncoder(t *testing.T) {
	dir := fakeFFmpeg(t, `echo "$@" >"${0%/*}/arguments"; cat >"${0%/*}/input"; cat "${0%/*}/output"`)
	media := muxtest.RawAudio(mux.CodecMP3).Bytes(2 * mux.ClockRate)
	if err := os.WriteFile(filepath.Join(dir, "output"), media, 0o644); err != nil {
		t.Fatal(err)
	}
	input := tone(48000, 3)
	sink := &ingesttest.Sink{}
	err := serve(t, sink, ingest.Options{}, func(c net.Conn) {
		for _, b := range input[:100] {
			c.Write([]byte{b})
		}
		c.Write(input[100:])
	})
	if !errors.Is(err, io.EOF) {
		t.Errorf("Serve = %v, want EOF", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "input")); !bytes.Equal(got, input[44:]) {
		t.Errorf("the encoder got %d bytes, want all %d samples", len(got), len(input)-44)
	}
	if feeds := sink.Feeds(); len(feeds) != 1 || !bytes.Equal(feeds[0].Bytes(), media) {
		t.Errorf("the stream did not get what the encoder wrote")
	}
	arguments, _ := os.ReadFile(filepath.Join(dir, "arguments"))
	for _, want := range []string{"-f s16le -ar 48000 -ac 1", "-b:a 64000", "-c:a libmp3lame"} {
		if !strings.Contains(string(arguments), want) {
			t.Errorf("arguments %q, want %s", arguments, want)
		}
	}
}

func TestPCMIsRefused(t *testing.T) {
	pcm := tone(8000, 1)
	tests := []struct {
		name, script string
		settings     encode.Settings
		input        []byte
		want         string
	}{
		{"encode: none", "cat", encode.Settings{Off: true}, pcm, "this is WAV, which the stream does not take (encode: none): send MP3, AAC or MPEG-TS"},
		{"no ffmpeg", "", encode.Settings{}, pcm, "this is WAV, and ffmpeg, which would encode it, is not installed: install it (apt install ffmpeg), or send MP3, AAC or MPEG-TS"},
		{"what is no PCM", "cat", encode.Settings{}, bytes.Replace(pcm, []byte("\x01\x00\x01\x00"), []byte("\x55\x00\x01\x00"), 1), "the samples of the WAV file are coded (format 0x0055): send PCM"},
		{"an encoder that fails", "read x; echo out of order >&2; exit 1", encode.Settings{}, pcm, "ffmpeg ended: exit status 1: out of order"},
		{"AVI", "cat", encode.Settings{}, append([]byte("RIFF\xff\xff\xff\xffAVI LIST"), make([]byte, 100)...), "this is RIFF (WAV or AVI)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.script != "" {
				fakeFFmpeg(t, tt.script)
			} else {
				t.Setenv("PATH", t.TempDir())
			}
			sink := &ingesttest.Sink{}
			err := serve(t, sink, ingest.Options{Encode: tt.settings}, func(c net.Conn) { c.Write(tt.input) })
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("Serve = %v, want %s", err, tt.want)
			}
			if refused := strings.Contains(tt.name, "fails"); errors.Is(err, mux.ErrUnknownFormat) == refused {
				t.Errorf("%v is ErrUnknownFormat: %v", err, !refused)
			}
			if len(sink.Feeds()) > 0 {
				t.Error("the stream was taken")
			}
		})
	}
}

// A sound card that falls silent is given up like any other source, and its
// encoder with it.
func TestPCMFallsSilent(t *testing.T) {
	dir := fakeFFmpeg(t, `cat "${0%/*}/output"; cat >/dev/null`)
	if err := os.WriteFile(filepath.Join(dir, "output"), muxtest.RawAudio(mux.CodecMP3).Bytes(2*mux.ClockRate), 0o644); err != nil {
		t.Fatal(err)
	}
	sink := &ingesttest.Sink{}
	near, far := net.Pipe()
	defer far.Close()
	go far.Write(tone(8000, 1))
	err := ingest.Serve(t.Context(), near, ingest.NewSourceInfo("test", ""), ingest.Options{Sink: sink, Timeout: 2 * time.Second})
	var end *ingest.EndError
	if !errors.Is(err, ingest.ErrSilent) || !errors.As(err, &end) {
		t.Errorf("Serve = %v, want that it was silent", err)
	}
	if closed, _ := sink.Feeds()[0].Closed(); !closed {
		t.Error("the stream is still held")
	}
	if _, err := far.Write([]byte("more")); err == nil {
		t.Error("the connection is still open")
	}
}

// kept is a connection that stays open, for an answer to what was sent.
type kept struct{ net.Conn }

func (kept) Close() error { return nil }

// When the encoder fails, a source that is silent does not keep the session.
func TestPCMEncoderFailsWhileTheSourceIsSilent(t *testing.T) {
	fakeFFmpeg(t, "exit 1")
	near, far := net.Pipe()
	defer far.Close()
	go far.Write(tone(8000, 1)[:44])
	err := ingest.Serve(t.Context(), kept{near}, ingest.NewSourceInfo("test", ""), ingest.Options{Sink: &ingesttest.Sink{}})
	if err == nil || err.Error() != "ffmpeg ended: exit status 1" {
		t.Errorf("Serve = %v, want that ffmpeg ended", err)
	}
}

// With the real encoder, sound is there before more of it is sent: it waits for
// less than a second and a half of it.
func TestPCMIsEncodedAtOnce(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed; the end-to-end tests have it")
	}
	for _, tt := range []struct {
		name     string
		settings encode.Settings
		rate     int
		codec    mux.Codec
	}{
		{"MP3", encode.Settings{}, 48000, mux.CodecMP3},
		{"AAC", encode.Settings{Codec: mux.CodecAAC, BitRate: 96000}, 44100, mux.CodecAAC},
		{"a scanner at 8 kHz", encode.Settings{Codec: mux.CodecMP3, BitRate: 128000}, 8000, mux.CodecMP3},
		{"a studio at 192 kHz", encode.Settings{}, 192000, mux.CodecMP3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sink := &ingesttest.Sink{}
			came := func() (d time.Duration) {
				for _, f := range sink.Feeds() {
					for _, u := range f.Units() {
						d = u.PTS.Duration()
					}
				}
				return d
			}
			var behind time.Duration
			err := serve(t, sink, ingest.Options{Encode: tt.settings, Timeout: time.Minute}, func(c net.Conn) {
				c.Write(tone(tt.rate, 3))
				for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
					if behind = 3*time.Second - came(); behind < 1500*time.Millisecond {
						break
					}
				}
			})
			if !errors.Is(err, io.EOF) || len(sink.Feeds()) != 1 {
				t.Fatalf("Serve = %v", err)
			}
			units := sink.Feeds()[0].Units()
			last := units[len(units)-1]
			if c := last.Program.Tracks[0].Codec; c != tt.codec {
				t.Errorf("codec %v, want %v", c, tt.codec)
			}
			if d := last.PTS.Duration(); d < 2800*time.Millisecond || d > 3300*time.Millisecond {
				t.Errorf("%v of sound, want 3 s", d)
			}
			if behind > 1500*time.Millisecond {
				t.Errorf("the encoder is %v behind", behind)
			}
		})
	}
}
