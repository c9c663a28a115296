package folder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/folder"
	"headwater/ingest/ingesttest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// sound returns raw audio of some seconds.
func sound(c mux.Codec, rate, seconds int) []byte {
	s := muxtest.RawAudio(c)
	s.SampleRate, s.BitRate = rate, 64000
	return s.Bytes(mux.Ticks(seconds) * mux.ClockRate)
}

// id3 returns an ID3v2.4 tag with a title, and a picture of some bytes before it.
func id3(artist, name string, picture int) []byte {
	size := func(n int) []byte {
		return []byte{byte(n >> 21 & 0x7f), byte(n >> 14 & 0x7f), byte(n >> 7 & 0x7f), byte(n & 0x7f)}
	}
	var body []byte
	frame := func(id string, data []byte) {
		body = slices.Concat(body, []byte(id), size(len(data)), []byte{0, 0}, data)
	}
	frame("APIC", bytes.Repeat([]byte{0xff, 0xfb, 0x50}, picture/3))
	frame("TPE1", append([]byte{3}, artist...))
	frame("TIT2", append([]byte{3}, name...))
	return slices.Concat([]byte("ID3\x04\x00\x00"), size(len(body)), body)
}

// write makes a file that was not written just now, with what pieces hold.
func write(t *testing.T, path string, pieces ...[]byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, slices.Concat(pieces...), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

// play plays for d of a bubble's time, and returns what came.
func play(t *testing.T, o folder.Options, d time.Duration) (*ingesttest.Sink, *ingesttest.Log) {
	t.Helper()
	sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
	sink.Patience.Store(int64(250 * time.Millisecond))
	o.Stream, o.Sink, o.Log = "auto", sink, log.Logger()
	p, err := folder.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	if err := p.Unwatched().Run(ctx); err != nil {
		t.Fatalf("Run = %v, want nil", err)
	}
	return sink, log
}

func TestPlayerInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first, second := sound(mux.CodecMP3, 44100, 5), sound(mux.CodecMP3, 44100, 7)
		write(t, filepath.Join(dir, "1.mp3"), id3("Ärtist", "One", 3000), first)
		write(t, filepath.Join(dir, "deeper", "Two - Hands.mp3"), second)
		sink, log := play(t, folder.Options{Path: dir}, 30*time.Second)

		feeds := sink.Feeds()
		if len(feeds) != 1 {
			t.Fatalf("%d sources, want 1", len(feeds))
		}
		f := feeds[0]
		if got, want := f.Titles(), []string{"Ärtist - One", "Two - Hands", "Ärtist - One", "Two - Hands", "Ärtist - One", "Two - Hands"}; !slices.Equal(got, want) {
			t.Errorf("titles %q, want %q", got, want)
		}
		whole := slices.Concat(first, second)
		if got := f.Bytes(); !bytes.HasPrefix(got, whole) {
			t.Errorf("the %d bytes played do not begin with the %d of the two files", len(got), len(whole))
		}
		program := f.Units()[0].Program
		for i, u := range f.Units() {
			if u.Program != program {
				t.Fatalf("unit %d begins another program, though the files have one format", i)
			}
			due := f.Since.Add(u.PTS.Duration() - folder.Ahead)
			if late := u.At.Sub(due); u.At != f.Since && (late < -time.Millisecond || late > 251*time.Millisecond) {
				t.Fatalf("unit %d, due at %v, came %v late", i, due, late)
			}
		}
		if n := len(log.Lines("now playing", "source="+f.Info.ID)); n != 6 {
			t.Errorf("%d lines on what is played, want 6:\n%s", n, log)
		}
		if closed, cause := f.Closed(); !closed || cause == nil {
			t.Errorf("Closed = %v, %v, want the end of the context", closed, cause)
		}
		if format, stats := f.Reported(); format != "MP3" || stats.SyncLosses != 0 || stats.Skipped != 0 || stats.Lead < 200*time.Millisecond || stats.Lead > folder.Ahead+30*time.Millisecond {
			t.Errorf("reported %s, %+v", format, stats)
		}
	})
}

func TestPlayerChangesFormat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "1.mp3"), sound(mux.CodecMP3, 44100, 3))
		write(t, filepath.Join(dir, "2.mp3"), sound(mux.CodecMP3, 48000, 3))
		write(t, filepath.Join(dir, "3.aac"), sound(mux.CodecAAC, 44100, 3))
		sink, _ := play(t, folder.Options{Path: dir}, 8*time.Second)
		var got []string
		var last mux.Ticks
		for _, u := range sink.Feeds()[0].Units() {
			p := &u.Program.Tracks[0]
			if words := fmt.Sprint(p.Codec, p.Parameters.SampleRate); len(got) == 0 || got[len(got)-1] != words {
				got = append(got, words)
			}
			if gap := u.PTS - last; gap > 2400 {
				t.Errorf("%d ticks between two frames", gap)
			}
			last = u.PTS
		}
		if want := []string{"MP3 44100", "MP3 48000", "AAC 44100"}; !slices.Equal(got, want) {
			t.Errorf("programs %q, want %q", got, want)
		}
	})
}

func TestPlayerSkipsWhatItCannotPlay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "a.mp3"), []byte("<html>no sound</html>"))
		write(t, filepath.Join(dir, "b.mp3"), sound(mux.CodecMP3, 48000, 2))
		write(t, filepath.Join(dir, "c.mp3"))
		write(t, filepath.Join(dir, ".hidden.mp3"), []byte("not even looked at"))
		write(t, filepath.Join(dir, "d.mp3"), id3("A", "4 GB", 30)[:6], []byte{0x7f, 0x7f, 0x7f, 0x7f}, sound(mux.CodecMP3, 48000, 2))
		sink, log := play(t, folder.Options{Path: dir}, 20*time.Second)
		if f := sink.Feeds(); len(f) != 1 || len(f[0].Units()) < 19*48000/1152 {
			t.Errorf("not 20 s of sound from one source")
		}
		for _, name := range []string{"a.mp3", "c.mp3", "d.mp3"} {
			if got := log.Lines("file skipped", name, "neither MP3 nor AAC"); len(got) != 1 {
				t.Errorf("%d lines on %s, want 1:\n%s", len(got), name, log)
			}
		}
		if got := log.Lines("skipped"); len(got) != 3 {
			t.Errorf("lines on skipped files: %q, want 3", got)
		}
	})
}

func TestPlayerShuffles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		const files = 8
		for i := range files {
			write(t, filepath.Join(dir, fmt.Sprint(i, ".mp3")), sound(mux.CodecMP3, 48000, 1))
		}
		sink, _ := play(t, folder.Options{Path: dir, Shuffle: true}, 5*files*time.Second)
		titles := sink.Feeds()[0].Titles()
		if len(titles) < 4*files {
			t.Fatalf("%d titles, want %d", len(titles), 4*files)
		}
		sorted := 0
		for round := range slices.Chunk(titles[:4*files], files) {
			if n := len(slices.Compact(slices.Sorted(slices.Values(round)))); n != files {
				t.Errorf("a round plays %d of %d files: %q", n, files, round)
			}
			if slices.IsSorted(round) {
				sorted++
			}
		}
		for i := range titles[1:] {
			if titles[i] == titles[i+1] {
				t.Errorf("%s is played twice in a row", titles[i])
			}
		}
		if sorted > 1 {
			t.Errorf("%d of 4 rounds are in order", sorted)
		}
	})
}

func TestPlayerReadsLists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "music", "x.mp3"), sound(mux.CodecMP3, 48000, 2))
		write(t, filepath.Join(dir, "music", "y.mp3"), id3("Y", "Why", 0), sound(mux.CodecMP3, 48000, 2))
		write(t, filepath.Join(dir, "unlisted.mp3"), sound(mux.CodecMP3, 48000, 2))
		list := filepath.Join(dir, "all.m3u8")
		write(t, list, []byte("\ufeff#EXTM3U\r\n#EXTINF:2,Artist - Listed\r\nmusic/y.mp3\r\n\r\n"+
			"gone.mp3\n"+filepath.Join(dir, "music", "x.mp3")+"\nmusic/y.mp3\n"))
		sink, log := play(t, folder.Options{Path: list}, 8*time.Second)
		if got, want := sink.Feeds()[0].Titles(), []string{"Artist - Listed", "x", "Y - Why", "Artist - Listed", "x"}; !slices.Equal(got[:min(len(got), 5)], want) {
			t.Errorf("titles %q, want %q", got, want)
		}
		if got := log.Lines("file skipped", "gone.mp3"); len(got) != 1 {
			t.Errorf("%d lines on the missing file, want 1:\n%s", len(got), log)
		}
	})
}

// An operator ends the source, and it comes again.
func TestPlayerIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "1.mp3"), sound(mux.CodecMP3, 44100, 5))
		sink := &ingesttest.Sink{}
		p, err := folder.New(folder.Options{Path: dir, Sink: sink})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- p.Unwatched().Run(t.Context()) }()
		time.Sleep(2 * time.Second)
		sink.Feeds()[0].Info.End()
		if err := <-done; !errors.Is(err, ingest.ErrEnded) {
			t.Errorf("Run = %v, want ErrEnded", err)
		}
		if closed, cause := sink.Feeds()[0].Closed(); !closed || !errors.Is(cause, ingest.ErrEnded) {
			t.Errorf("Closed = %v, %v, want ErrEnded", closed, cause)
		}
	})
}

// pace is a stream that holds each unit to its time.
type pace struct {
	ingesttest.Sink
	start   time.Time
	samples int64
	worst   time.Duration
	early   time.Duration
}

func (p *pace) Attach(src mux.SourceInfo, now time.Time) (mux.Feed, error) {
	p.start = now
	_, err := p.Sink.Attach(src, now)
	return paced{&ingesttest.Feed{}, p}, err
}

type paced struct {
	*ingesttest.Feed
	p *pace
}

func (f paced) Patience() time.Duration  { return 250 * time.Millisecond }
func (f paced) Report(string, mux.Stats) {}
func (f paced) Close(error, time.Time)   {}
func (f paced) Write(units []*mux.Unit, now time.Time) {
	for _, u := range units {
		due := f.p.start.Add(time.Duration(f.p.samples*1e6/44100)*time.Microsecond - folder.Ahead)
		if now != f.p.start {
			f.p.worst, f.p.early = max(f.p.worst, now.Sub(due)), max(f.p.early, due.Sub(now))
		}
		f.p.samples += int64(u.Frames[0].Samples)
	}
}

// A day of 44.1 kHz, of which no frame is a whole number of ticks or
// nanoseconds long: nothing adds up (hls-rules C22).
func TestPlayerForADay(t *testing.T) {
	d := 24 * time.Hour
	if testing.Short() {
		d = time.Hour
	}
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s := muxtest.RawAudio(mux.CodecMP3)
		s.SampleRate, s.BitRate, s.Channels = 44100, 32000, 1
		for i := range 3 {
			write(t, filepath.Join(dir, fmt.Sprint(i, ".mp3")), s.Bytes(mux.Ticks(60+i)*mux.ClockRate))
		}
		var sink pace
		p, err := folder.New(folder.Options{Path: dir, Sink: &sink})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), d)
		defer stop()
		if err := p.Unwatched().Run(ctx); err != nil {
			t.Fatal(err)
		}
		played := time.Duration(sink.samples/44100) * time.Second
		if off := played - d - folder.Ahead; off.Abs() > time.Second {
			t.Errorf("%v of sound in %v", played, d)
		}
		if sink.worst > 251*time.Millisecond || sink.early > time.Millisecond {
			t.Errorf("frames came up to %v late and %v early", sink.worst, sink.early)
		}
	})
}

// What is dropped in is played, what is removed is not, and with nothing left
// the stream has no source.
func TestPlayerWatches(t *testing.T) {
	dir := t.TempDir()
	sink, log := &ingesttest.Sink{}, &ingesttest.Log{}
	p, err := folder.New(folder.Options{Path: dir, Stream: "auto", Sink: sink, Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: not in time\n%s", what, log)
			}
		}
	}
	until("an empty folder is told", func() bool { return len(log.Lines("nothing to play")) == 1 })
	write(t, filepath.Join(dir, "new", "b.mp3"), sound(mux.CodecMP3, 48000, 1))
	until("a file in a new folder is played", func() bool { return len(log.Lines("now playing", "b.mp3")) > 0 })
	write(t, filepath.Join(dir, "a.mp3"), sound(mux.CodecMP3, 48000, 1))
	until("another file is played", func() bool { return len(log.Lines("now playing", "a.mp3")) > 0 })
	if err := os.RemoveAll(filepath.Join(dir, "new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "a.mp3")); err != nil {
		t.Fatal(err)
	}
	until("the source goes", func() bool { f := sink.Feeds(); closed, _ := f[len(f)-1].Closed(); return closed })
	write(t, filepath.Join(dir, "c.mp3"), sound(mux.CodecMP3, 48000, 1))
	until("it comes back", func() bool { return len(log.Lines("now playing", "c.mp3")) > 0 })
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if got := log.Lines("skipped"); len(got) > 0 {
		t.Errorf("files that came and went were complained of: %s", strings.Join(got, ""))
	}
}

func TestNewWithoutAFolder(t *testing.T) {
	if _, err := folder.New(folder.Options{Path: filepath.Join(t.TempDir(), "none")}); !os.IsNotExist(err) {
		t.Errorf("New = %v, want that there is none", err)
	}
}
