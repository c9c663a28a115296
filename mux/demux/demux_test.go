package demux_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
)

// drain returns all units of b, in reads of at most the given size.
func drain(d *demux.Demuxer, b []byte, read int) []*mux.Unit {
	var units []*mux.Unit
	for len(b) > 0 {
		room := d.Buffer()
		n := copy(room[:min(len(room), read)], b)
		b = b[n:]
		units = append(units, d.Advance(n)...)
	}
	return append(units, d.Flush()...)
}

// describe writes units down, one a line.
func describe(units []*mux.Unit) []string {
	lines := make([]string, len(units))
	for i, u := range units {
		lines[i] = fmt.Sprintf("%d %d %d %d %x %x", u.Track, u.PTS, u.DTS, u.Access, bytes.Join(u.Packets, nil), u.Frames)
	}
	return lines
}

// id3 returns an ID3v2 tag with n bytes in it.
func id3(n int) []byte {
	return append([]byte{'I', 'D', '3', 4, 0, 0, byte(n >> 21 & 0x7f), byte(n >> 14 & 0x7f), byte(n >> 7 & 0x7f), byte(n & 0x7f)}, make([]byte, n)...)
}

// widened puts n bytes before each packet, or after it if n is negative.
func widened(b []byte, n int) []byte {
	var w []byte
	for p := range slices.Chunk(b, mux.PacketSize) {
		if n > 0 {
			w = append(w, make([]byte, n)...)
		}
		w = append(w, p...)
		if n < 0 {
			w = append(w, make([]byte, -n)...)
		}
	}
	return w
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestDemuxer recognises each format, whatever the size of reads, and loses
// nothing that came before it was sure.
func TestDemuxer(t *testing.T) {
	const long = 3 * mux.ClockRate
	av, aac, mp3 := muxtest.AV(), muxtest.RawAudio(mux.CodecAAC), muxtest.RawAudio(mux.CodecMP3)
	low := mp3
	low.SampleRate, low.Channels, low.BitRate = 22050, 1, 32000
	tsMP3 := muxtest.Audio(mux.CodecMP3)
	tsMP3.SampleRate, tsMP3.BitRate, tsMP3.FramesPerPES = 22050, 8000, 8 // frames of 26 bytes: three in a packet
	tests := []struct {
		name   string
		input  []byte
		stream muxtest.Stream
		format demux.Format
		string string
	}{
		{"transport stream", av.Bytes(long), av, demux.TS, "MPEG-TS"},
		{"192-byte packets", widened(av.Bytes(long), 4), av, demux.TS192, "MPEG-TS (192-byte packets)"},
		{"204-byte packets", widened(av.Bytes(long), -16), av, demux.TS204, "MPEG-TS (204-byte packets)"},
		{"transport stream behind junk", append(noise(3000), av.Bytes(long)...), av, demux.TS, "MPEG-TS"},
		{"transport stream of tiny MP3 frames", tsMP3.Bytes(long), tsMP3, demux.TS, "MPEG-TS"},
		{"AAC", aac.Bytes(long), aac, demux.ADTS, "ADTS AAC"},
		{"MP3", mp3.Bytes(long), mp3, demux.MP3, "MP3"},
		{"MP3 of low rate", low.Bytes(long), low, demux.MP3, "MP3"},
		{"MP3 behind an ID3 tag", append(id3(500), mp3.Bytes(long)...), mp3, demux.MP3, "MP3"},
		{"MP3 behind an ID3 tag larger than the limit (hls-rules C26)", append(id3(400<<10), mp3.Bytes(long)...), mp3, demux.MP3, "MP3"},
		{"AAC behind junk", append(noise(3000), aac.Bytes(long)...), aac, demux.ADTS, "ADTS AAC"},
		{"MP3 from the middle of a frame", append(mp3.Bytes(long)[100:384], mp3.Bytes(long)...), mp3, demux.MP3, "MP3"},
	}
	for _, tt := range tests {
		want := describe(tt.stream.UnitsFor(long))
		slices.Sort(want) // audio may be complete before the picture that it came after
		for _, read := range []int{1 << 20, 1000, 7} {
			t.Run(fmt.Sprintf("%s, reads of %d", tt.name, read), func(t *testing.T) {
				d := demux.New(demux.Options{})
				got := describe(drain(d, tt.input, read))
				slices.Sort(got)
				if d.Err() != nil || d.Format() != tt.format || d.Format().String() != tt.string {
					t.Fatalf("Format() = %v, Err() = %v, want %v", d.Format(), d.Err(), tt.string)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d units, want %d, or they differ", len(got), len(want))
				}
				if d.Program() == nil || d.Program().Tracks[0].Codec != muxtest.NewProgram(tt.stream).Tracks[0].Codec {
					t.Errorf("Program() = %+v", d.Program())
				}
				if s := d.Stats(); s.Bytes != uint64(len(tt.input)) {
					t.Errorf("Stats().Bytes = %d, want %d", s.Bytes, len(tt.input))
				}
			})
		}
	}
}

// TestDemuxerErr: what is not taken is named, early if its beginning shows it.
func TestDemuxerErr(t *testing.T) {
	tests := []struct {
		name  string
		input []byte
		want  string // in the error
		early bool   // in the first bytes
	}{
		{"HTTP request", []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP request", true},
		{"Icecast source", []byte("SOURCE /live ICE/1.0\r\n\r\n"), "HTTP request", true},
		{"HTML", []byte("<!DOCTYPE html><title>x</title>"), "HTML", true},
		{"WAV", []byte("RIFF\x24\x00\x00\x00WAVEfmt "), "RIFF", true},
		{"bare FLAC", []byte("fLaC\x00\x00\x00\x22"), "FLAC", true},
		{"FLV", []byte("FLV\x01\x05\x00\x00\x00\x09"), "FLV", true},
		{"MP4", []byte("\x00\x00\x00\x18ftypisom"), "MP4", true},
		{"WebM", []byte("\x1a\x45\xdf\xa3\x9f\x42"), "WebM", true},
		{"RTMP", append([]byte{3, 1, 2, 3, 4}, make([]byte, 1532)...), "RTMP", true},
		{"TLS", []byte("\x16\x03\x01\x02\x00\x01"), "TLS", true},
		{"text", []byte(strings.Repeat("all work and no play\n", 100)), "text", true},
		{"noise", noise(300 << 10), "neither", false},
		{"zeros", make([]byte, 300<<10), "neither", false},
		{"sync bytes at another distance", bytes.Repeat(append(make([]byte, 99), 0x47), 3<<10), "neither", false},
		{"bare H.264", append([]byte{0, 0, 0, 1, 0x67}, noise(300<<10)...), "bare video", false},
		{"an ID3 tag and noise", append(id3(5000), noise(300<<10)...), "neither", false},
		{"an ID3 tag longer than any, then zeros (hls-rules C26)", append([]byte("ID3\x04\x00\x00\x00\x04\x00\x00"), make([]byte, 500<<10)...), "neither", false},
	}
	for _, tt := range tests {
		for _, read := range []int{1 << 20, 13} {
			t.Run(fmt.Sprintf("%s, reads of %d", tt.name, read), func(t *testing.T) {
				d := demux.New(demux.Options{})
				units := drain(d, tt.input, read)
				if err := d.Err(); !errors.Is(err, mux.ErrUnknownFormat) || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("Err() = %v, want one that tells of %q", err, tt.want)
				}
				if len(units) != 0 || d.Format() != demux.Unknown || d.Program() != nil {
					t.Errorf("%d units, Format() = %v", len(units), d.Format())
				}
				if len(d.Buffer()) == 0 || d.Advance(1) != nil || d.Flush() != nil {
					t.Error("after the error it does not go on in peace")
				}
			})
		}
	}
	t.Run("too short to tell", func(t *testing.T) {
		d := demux.New(demux.Options{})
		drain(d, []byte{1, 2, 3}, 10)
		if err := d.Err(); !errors.Is(err, mux.ErrUnknownFormat) || !strings.Contains(err.Error(), "3 bytes") {
			t.Errorf("Err() = %v", err)
		}
	})
	t.Run("nothing came", func(t *testing.T) {
		d := demux.New(demux.Options{})
		if drain(d, nil, 10); d.Err() != nil {
			t.Errorf("Err() = %v, want none", d.Err())
		}
	})
}

// TestDemuxerShort: an input shorter than what recognition likes is read at its end.
func TestDemuxerShort(t *testing.T) {
	mp3 := muxtest.RawAudio(mux.CodecMP3)
	for _, tt := range []struct {
		name  string
		input []byte
		want  int
	}{
		{"two MP3 frames", mp3.Bytes(mux.ClockRate)[:3*384], 3},
		{"two units", muxtest.AV().Bytes(1), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := demux.New(demux.Options{})
			if units := drain(d, tt.input, 100); len(units) != tt.want || d.Err() != nil {
				t.Errorf("%d units, want %d; Err() = %v", len(units), tt.want, d.Err())
			}
		})
	}
}

// TestDemuxerMemory: what is never recognised does not grow, and a silent source is small.
func TestDemuxerMemory(t *testing.T) {
	var before, after runtime.MemStats
	const n = 1000
	all := make([]*demux.Demuxer, n)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		all[i] = demux.New(demux.Options{})
		all[i].Buffer()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / n; each > 8<<10 {
		t.Errorf("a silent demuxer takes %d bytes, want at most 8 KiB", each)
	}
	runtime.KeepAlive(all)
	d := demux.New(demux.Options{})
	junk := noise(64 << 10)
	for range 100 {
		drain(d, junk, len(junk))
	}
	if size := len(d.Buffer()); size > 1<<20 {
		t.Errorf("Buffer() has %d bytes after endless junk", size)
	}
}

// FuzzDemuxer: any bytes, in any reads, either become units or an error, and
// the reads do not matter for a recognised transport stream.
//
// Seeds: one of each format, and the beginnings of some that are not taken.
func FuzzDemuxer(f *testing.F) {
	if files, err := os.ReadDir(filepath.Join("testdata", "fuzz", f.Name())); err != nil || len(files) < 5 {
		f.Fatalf("%d seeds, want at least 5: %v", len(files), err)
	}
	f.Fuzz(func(t *testing.T, b []byte, read uint16) {
		d := demux.New(demux.Options{})
		units := drain(d, b, 1+int(read))
		if d.Err() != nil && len(units) > 0 {
			t.Fatalf("%d units and error %v", len(units), d.Err())
		}
		if d.Format() == demux.Unknown && len(units) > 0 {
			t.Fatalf("%d units of an unknown format", len(units))
		}
		for _, u := range units {
			if u.Program == nil || u.Track >= len(u.Program.Tracks) || len(u.Packets) == 0 && len(u.Frames) == 0 {
				t.Fatalf("unit %+v", u)
			}
		}
	})
}

func ExampleDemuxer() {
	source := bytes.NewReader(muxtest.RawAudio(mux.CodecMP3).Bytes(mux.ClockRate))
	d := demux.New(demux.Options{})
	n := 0
	for d.Err() == nil {
		read, err := source.Read(d.Buffer())
		n += len(d.Advance(read))
		if err != nil {
			break
		}
	}
	n += len(d.Flush())
	fmt.Println(d.Format(), n, "frames")
	// Output:
	// MP3 42 frames
}
