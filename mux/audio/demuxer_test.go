package audio_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/id3"
)

// demux feeds b to a Demuxer in pieces of n bytes and returns all units.
func demux(b []byte, n int) ([]*mux.Unit, mux.Stats) {
	d := audio.NewDemuxer(mux.CodecUnknown)
	var units []*mux.Unit
	for len(b) > 0 {
		k := min(n, len(b))
		units = append(units, d.Write(b[:k:k])...)
		b = b[k:]
	}
	return append(units, d.Flush()...), d.Stats()
}

func TestDemuxer(t *testing.T) {
	in := join([]byte("junk"), garbageTag(5, 5, 0), info(), run(mp3128, 200))
	units, stats := demux(in, 1000)
	if len(units) != 200 {
		t.Fatalf("%d units, want 200", len(units))
	}
	var all []byte
	for i, u := range units {
		want := mux.FromSamples(int64(i)*1152, 44100)
		f := u.Frames
		if u.PTS != want || u.DTS != want || u.Untimed || u.Seq != uint64(i) || u.Access != mux.AccessRandom || u.Damaged || u.Track != 0 ||
			len(f) != 1 || cap(f) != 1 || f[0].PTS != want || f[0].Samples != 1152 || f[0].Rate != 44100 || u.Program != units[0].Program {
			t.Fatalf("unit %d = %+v", i, u)
		}
		all = append(all, f[0].Data...)
	}
	if !bytes.Equal(all, run(mp3128, 200)) {
		t.Error("the frames are not those that were sent")
	}
	want := mux.Stats{Bytes: uint64(len(in)), Units: 200, Frames: 200, Skipped: 4 + 15} // junk hides the tag behind it; the frame that tells the length is no fault
	if stats != want {
		t.Errorf("Stats = %+v, want %+v", stats, want)
	}
	p := *units[0].Program
	track := mux.Track{PID: 0x100, StreamType: 3, Codec: mux.CodecMP3, Parameters: p.Tracks[0].Parameters}
	if p.Number != 1 || p.PMTPID != 0x1000 || p.PCRPID != 0x100 || p.Timing != mux.TimingSamples || p.PMT != nil || len(p.Tracks) != 1 || p.Tracks[0] != track {
		t.Errorf("Program = %+v", p)
	}
}

// A frame can be had as soon as it is whole, and is the one that comes later.
func TestDemuxerPeek(t *testing.T) {
	in := join([]byte("junk"), garbageTag(5, 5, 0), info(), run(mp3128, 20), garbageTag(5, 5, 0), run(mp3128, 20))
	for _, n := range []int{1, 7, 100, 417, 1000} {
		d := audio.NewDemuxer(mux.CodecUnknown)
		ahead := map[uint64]*mux.Unit{}
		var units []*mux.Unit
		for b := in; len(b) > 0; {
			k := min(n, len(b))
			units = append(units, d.Write(b[:k:k])...)
			b = b[k:]
			if u := d.Peek(); u != nil {
				if u.Seq != uint64(len(units)) {
					t.Fatalf("reads of %d: after %d units Peek returns number %d", n, len(units), u.Seq)
				}
				ahead[u.Seq] = u
			}
		}
		units = append(units, d.Flush()...)
		if len(units) != 40 || n == 1 && len(ahead) < 36 { // the first ones wait for three in a row
			t.Fatalf("reads of %d: %d units, %d of them could be had early", n, len(units), len(ahead))
		}
		for seq, u := range ahead {
			if !reflect.DeepEqual(u, units[seq]) {
				t.Errorf("reads of %d: unit %d was %+v early, and is %+v", n, seq, u, units[seq])
			}
		}
		if d.Peek() != nil {
			t.Errorf("reads of %d: Peek returns a unit after the end", n)
		}
	}
}

// hls-rules C19, B07, B08
func TestDemuxerProgram(t *testing.T) {
	he := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("..", "codec", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want string
	}{
		{"MP3 at 44.1 kHz", run(mp3128, 5), "MP3 0x03 mp4a.40.34 44100 2"},
		{"MP3 at 22.05 kHz", run("fff38004", 5), "MP3 0x04 mp4a.40.34 22050 2"},
		{"AAC", runADTS(3, 1, 100, 20), "AAC 0x0f mp4a.40.2 48000 1"},
		{"a short AAC", runADTS(3, 1, 100, 3), "AAC 0x0f mp4a.40.2 48000 1"},
		{"HE-AAC", he("he-stereo-48000.aac"), "AAC 0x0f mp4a.40.5 48000 2"},
		{"HE-AAC v2 that tells late", he("he-v2-late-44100.aac"), "AAC 0x0f mp4a.40.29 44100 2"},
	}
	for _, tt := range tests {
		units, _ := demux(tt.in, 333)
		if len(units) == 0 {
			t.Errorf("%s: no units", tt.name)
			continue
		}
		for i, u := range units {
			track := u.Program.Tracks[0]
			p := track.Parameters
			if got := fmt.Sprintf("%v 0x%02x %s %d %d", track.Codec, track.StreamType, p.CodecString, p.SampleRate, p.Channels); got != tt.want {
				t.Fatalf("%s: unit %d of %s, want %s", tt.name, i, got, tt.want)
			}
			if u.Program != units[0].Program {
				t.Fatalf("%s: another Program from unit %d on", tt.name, i)
			}
		}
	}
}

// hls-rules C22, C25: 24 hours, and not a tick of drift.
func TestDemuxer24Hours(t *testing.T) {
	for _, tt := range []struct {
		head    string
		samples int64
		rate    int
	}{
		{"ffe314c4", 576, 12000}, // 8 kbit/s, 48 bytes
		{"ffe310c4", 576, 11025}, // 52 bytes
	} {
		d := audio.NewDemuxer(mux.CodecMP3)
		block := run(tt.head, 1000)
		end := mux.Ticks(24 * 3600 * mux.ClockRate)
		var n int64
		var last mux.Ticks
		for last < end {
			for _, u := range d.Write(block) {
				if want := mux.FromSamples(n*tt.samples, tt.rate); u.PTS != want {
					t.Fatalf("frame %d at %d Hz: PTS %d, want %d", n, tt.rate, u.PTS, want)
				}
				last = u.PTS
				n++
			}
		}
	}
}

// hls-rules C28: the clock goes on exactly through changes of rate.
func TestDemuxerChange(t *testing.T) {
	var in []byte
	for range 50 {
		in = append(in, run(mp3128, 3)...)
		in = append(in, run("fff38004", 5)...) // 22.05 kHz, 576 samples
		in = append(in, run(mp348k, 7)...)
		in = append(in, runADTS(11, 2, 60, 10)...) // 8 kHz
	}
	units, stats := demux(in, 777)
	if len(units) != 50*25 || stats.SyncLosses != 0 || stats.Skipped != 0 {
		t.Fatalf("%d units, %d losses, %d skipped, want 1250, 0, 0", len(units), stats.SyncLosses, stats.Skipped)
	}
	// 3*1152/44100 + 5*576/22050 + 7*1152/48000 + 10*1024/8000 s a round, in units of 1/28224000 s
	const round = 3*1152*640 + 5*576*1280 + 7*1152*588 + 10*1024*3528
	programs := 0
	for i, u := range units {
		if i == 0 || u.Program != units[i-1].Program {
			programs++
		}
		if i%25 == 0 {
			if want := mux.FromSamples(int64(i/25)*round, 28_224_000); u.PTS != want {
				t.Fatalf("unit %d: PTS %d, want %d", i, u.PTS, want)
			}
		}
	}
	if programs != 200 {
		t.Errorf("%d programs, want 200", programs)
	}
}

// A tag is no fault: nobody is to be told of it (hls-rules C26).
func TestDemuxerTag(t *testing.T) {
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x00\x23"), make([]byte, 35)...)
	for _, tt := range []struct {
		name    string
		in      []byte
		skipped uint64
	}{
		{"at the start", join(tag, run(mp3128, 20)), 0},
		{"on the way", join(run(mp3128, 10), tag, run(mp3128, 10)), 0},
		{"with junk behind it", join(tag, []byte("junk"), run(mp3128, 20)), 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			units, stats := demux(tt.in, 100)
			if len(units) != 20 || stats.Skipped != tt.skipped {
				t.Errorf("%d units, %d skipped, want 20, %d", len(units), stats.Skipped, tt.skipped)
			}
		})
	}
}

// titleTag returns an ID3v2 tag with a title behind n bytes of something else.
func titleTag(n int, t mux.Title) []byte {
	frames := id3.AppendPrivate(nil, "picture", bytes.Repeat([]byte{0xff, 0xd8}, n/2))
	return id3.Append(nil, id3.AppendTitle(frames, t))
}

// The title of a tag begins with the frame behind it, and the tag is not in
// the sound (hls-rules C26, C36).
func TestDemuxerTitles(t *testing.T) {
	a, b := mux.Title{Artist: "A", Name: "N"}, mux.Title{Name: "M", URL: "http://m/"}
	v1 := append([]byte("TAGthe end"), make([]byte, 118)...)
	ten := run(mp3128, 10)
	tests := []struct {
		name string
		in   []byte
		want map[int]mux.Title // by number of the unit
	}{
		{"at the start", join(titleTag(0, a), ten), map[int]mux.Title{0: a}},
		{"between frames", join(ten, titleTag(0, a), ten, titleTag(0, b), ten), map[int]mux.Title{10: a, 20: b}},
		{"before a frame without sound", join(ten, titleTag(0, a), info(), ten), map[int]mux.Title{10: a}},
		{"two tags: the last one", join(titleTag(0, a), titleTag(0, b), ten), map[int]mux.Title{0: b}},
		{"one without a title behind one with", join(titleTag(0, a), garbageTag(50, 50, 0), ten), map[int]mux.Title{0: a}},
		{"the same again", join(titleTag(0, a), ten, titleTag(0, a), ten), map[int]mux.Title{0: a}},
		{"behind a picture", join(titleTag(100_000, a), ten), map[int]mux.Title{0: a}},
		{"in front of the end of the file before", join(ten, v1, titleTag(0, a), ten), map[int]mux.Title{10: a}},
		{"the end of a file names nothing", join(ten, v1, ten), nil},
		{"before another format", join(ten, titleTag(0, a), runADTS(4, 2, 300, 10)), map[int]mux.Title{10: a}},
		{"nothing behind it", join(ten, titleTag(0, a)), nil},
		{"a tag that is cut short", join(ten, titleTag(0, a)[:20]), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, n := range []int{1, 100, 1000, len(tt.in)} {
				units, stats := demux(tt.in, n)
				got := map[int]mux.Title{}
				for i, u := range units {
					if u.Title != nil {
						got[i] = *u.Title
					}
				}
				if !maps.Equal(got, tt.want) {
					t.Errorf("in pieces of %d: titles %v, want %v", n, got, tt.want)
				}
				if len(units)%10 != 0 || len(units) == 0 || stats.Skipped > 0 && tt.want != nil {
					t.Errorf("in pieces of %d: %d units, %d bytes skipped", n, len(units), stats.Skipped)
				}
			}
		})
	}
}

// A tag that is longer than is believed gives the title that stands at its
// start, and none of it is held.
func TestDemuxerLongTag(t *testing.T) {
	tag := []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7f")
	tag = id3.AppendTitle(tag, mux.Title{Name: "N"})
	tag = append(tag, bytes.Repeat([]byte{0}, 4<<20)...)
	s := audio.NewSplitter(mux.CodecUnknown)
	var titles []mux.Title
	frames := 0
	emit := func([]byte, int, int) {
		frames++
		if t := s.Title(); t != nil {
			titles = append(titles, *t)
		}
	}
	for b := tag; len(b) > 0; {
		n := min(4096, len(b))
		s.Write(b[:n:n], emit)
		if b = b[n:]; s.Held() > audio.MaxHeld {
			t.Fatalf("%d bytes are held", s.Held())
		}
	}
	s.Write(run(mp3128, 10), emit)
	s.Flush(emit)
	if frames != 10 || !slices.Equal(titles, []mux.Title{{Name: "N"}}) {
		t.Errorf("%d frames, titles %v", frames, titles)
	}
}

func TestDemuxerDamage(t *testing.T) {
	in := join(run(mp3128, 5), make([]byte, 100), run(mp3128, 5))
	units, stats := demux(in, 100)
	for i, u := range units {
		if u.Damaged != (i == 5) {
			t.Errorf("unit %d: Damaged = %v", i, u.Damaged)
		}
	}
	if len(units) != 10 || stats.SyncLosses != 1 || stats.Skipped != 100 || !errors.Is(stats.LastError, mux.ErrSyncLost) {
		t.Errorf("%d units, Stats = %+v", len(units), stats)
	}
}

// At most one allocation for 64 units, in steady state with reads of 4 KiB.
func TestDemuxerAllocs(t *testing.T) {
	in := run(mp3128, 4096)
	d := audio.NewDemuxer(mux.CodecMP3)
	units := 0
	total := testing.AllocsPerRun(1, func() {
		for b := in; len(b) > 0; {
			k := min(4096, len(b))
			units += len(d.Write(b[:k:k]))
			b = b[k:]
		}
	})
	units /= 2 // AllocsPerRun runs once more to warm up
	// One for the units and one for the frames of each 64, and 64 KiB for about 160 frames across two reads.
	if most := float64(units)/64*2 + 8; total > most {
		t.Errorf("%d units allocate %v times, want at most %v", units, total, most)
	}
}

// What real encoders write is split as ffprobe counts it.
func TestDemuxerEncoders(t *testing.T) {
	for _, program := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	for _, args := range []string{
		"-ac 2 -ar 48000 -c:a libmp3lame x.mp3",
		"-ac 1 -ar 44100 -c:a libmp3lame -q:a 5 x.mp3",
		"-ac 2 -ar 22050 -c:a libmp3lame -id3v2_version 3 -write_id3v1 1 -metadata title=T x.mp3",
		"-ac 1 -ar 8000 -c:a libmp3lame -b:a 8k -write_xing 0 x.mp3",
		"-ac 2 -ar 44100 -c:a libshine x.mp3",
		"-ac 2 -ar 44100 -c:a aac x.aac",
		"-ac 6 -ar 48000 -c:a aac x.aac",
		"-ac 1 -ar 16000 -c:a aac -write_id3v2 1 -metadata title=T x.aac",
	} {
		fields := strings.Fields(args)
		file := filepath.Join(t.TempDir(), fields[len(fields)-1])
		fields = append([]string{"-loglevel", "error", "-f", "lavfi", "-i", "sine=440:d=2"}, append(fields[:len(fields)-1], file)...)
		if out, err := exec.Command("ffmpeg", fields...).CombinedOutput(); err != nil {
			t.Fatalf("ffmpeg %s: %v: %s", args, err, out)
		}
		out, err := exec.Command("ffprobe", "-loglevel", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file).Output()
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		units, stats := demux(b, 1000)
		if want := strings.TrimSpace(string(out)); fmt.Sprint(len(units)) != want || stats.SyncLosses != 0 {
			t.Errorf("%s: %d units, %d losses, want %s, 0", args, len(units), stats.SyncLosses, want)
		}
	}
}

func BenchmarkDemuxer(b *testing.B) {
	in := run(mp3128, 10) // about 4 KiB, 0.26 s of sound
	d := audio.NewDemuxer(mux.CodecMP3)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		d.Write(in)
	}
}

func ExampleDemuxer() {
	d := audio.NewDemuxer(mux.CodecUnknown)
	show := func(units []*mux.Unit) {
		for _, u := range units {
			fmt.Println(u.Program.Tracks[0].Codec, u.PTS, len(u.Frames[0].Data))
		}
	}
	show(d.Write(run(mp3128, 4)))
	show(d.Flush())
	// Output:
	// MP3 0 417
	// MP3 2351 417
	// MP3 4702 417
	// MP3 7053 417
}

// FuzzDemuxer: times never go back, all units have a program and one frame.
func FuzzDemuxer(f *testing.F) {
	f.Add(join(run(mp3tiny, 3), runADTS(3, 2, 40, 3)), uint16(100))
	f.Fuzz(func(t *testing.T, b []byte, n uint16) {
		units, stats := demux(b, int(n)+1)
		for i, u := range units {
			if u.Program == nil || len(u.Frames) != 1 || u.Seq != uint64(i) || i > 0 && u.PTS <= units[i-1].PTS {
				t.Fatalf("unit %d = %+v", i, u)
			}
		}
		if stats.Units != uint64(len(units)) || stats.Bytes != uint64(len(b)) {
			t.Fatalf("Stats = %+v for %d units of %d bytes", stats, len(units), len(b))
		}
	})
}
