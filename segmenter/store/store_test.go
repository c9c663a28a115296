package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"headwater/mux"
	"headwater/segmenter"
	"headwater/segmenter/store"
)

const gen = 3

// folder returns a new data folder and the root of it.
func folder(t testing.TB) (string, *os.Root) {
	t.Helper()
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return dir, root
}

func open(t testing.TB, root *os.Root, stream string) *store.Store {
	t.Helper()
	s, err := store.Open(root, stream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// segment returns segment n of the rendition main with 188 x n bytes in three slices.
func segment(n uint64) *segmenter.Segment {
	data := bytes.Repeat([]byte{0x47, byte(n), byte(n >> 8), 0x10}, 47*int(n))
	seg := &segmenter.Segment{
		Rendition:   segmenter.RenditionMain,
		Suffix:      ".ts",
		Sequence:    n,
		Start:       mux.Ticks(n) * 540540,
		End:         mux.Ticks(n+1) * 540540,
		DSN:         7,
		Independent: true,
		Data:        [][]byte{data[:94], data[94 : len(data)/2], data[len(data)/2:]},
		Size:        int64(len(data)),
	}
	copy(seg.Sum[:], fmt.Sprintf("%08x", crc32.ChecksumIEEE(data)))
	return seg
}

func gap(n uint64) *segmenter.Segment {
	return &segmenter.Segment{
		Rendition: segmenter.RenditionMain, Suffix: ".ts", Sequence: n, Discontinuity: true,
		Start: mux.Ticks(n) * 540540, End: mux.Ticks(n+1) * 540540, DSN: 8, Gap: true,
	}
}

// stored returns seg as a store gives it back.
func stored(seg *segmenter.Segment) *segmenter.Segment {
	c := *seg
	c.Data = nil
	return &c
}

func put(t testing.TB, s *store.Store, segments ...*segmenter.Segment) {
	t.Helper()
	for _, seg := range segments {
		if err := s.Put(gen, seg); err != nil {
			t.Fatal(err)
		}
	}
}

// contents fails the test if something is lost or damaged.
func contents(t testing.TB, s *store.Store) []*segmenter.Segment {
	t.Helper()
	c, err := s.Segments(gen)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Lost) > 0 || len(c.Notes) > 0 {
		t.Fatalf("Segments() lost %d, notes %q", len(c.Lost), c.Notes)
	}
	return c.Segments
}

// read returns the bytes of segment n, or nil if there is none.
func read(t testing.TB, s *store.Store, n uint64) []byte {
	t.Helper()
	f, err := s.Open(segmenter.RenditionMain, gen, n, ".ts")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// files returns all paths below dir that are not folders, but for the lock.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != ".lock" {
			name, _ := filepath.Rel(dir, path)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestPut(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "radio/one")
	put(t, s, segment(5), gap(6), segment(7), segment(7))
	if got, want := s.Usage(), int64(188*12); got != want {
		t.Errorf("Usage() = %d, want %d", got, want)
	}
	want := []string{"radio/one/.journal.jsonl", "radio/one/main/3/5.ts", "radio/one/main/3/7.ts"}
	if got := files(t, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("files are %q, want %q", got, want)
	}
	for _, n := range []uint64{5, 7} {
		if got, want := read(t, s, n), bytes.Join(segment(n).Data, nil); !bytes.Equal(got, want) {
			t.Errorf("segment %d has %d bytes, want %d others", n, len(got), len(want))
		}
	}
	if got := read(t, s, 6); got != nil {
		t.Errorf("a gap has %d bytes", len(got))
	}
	// Others may read, as far as the process lets them.
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "folder"), 0o755), os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)); err != nil {
		t.Fatal(err)
	}
	for name, like := range map[string]string{"main/3/5.ts": "file", "main/3": "folder", ".journal.jsonl": "file"} {
		got, err1 := os.Stat(filepath.Join(dir, "radio/one", name))
		want, err2 := os.Stat(filepath.Join(dir, like))
		if err := errors.Join(err1, err2); err != nil || got.Mode() != want.Mode() {
			t.Errorf("mode of %s = %v, %v, want %v", name, got.Mode(), err, want.Mode())
		}
	}
}

func TestRemove(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(5), gap(6), segment(7))
	for _, seg := range []*segmenter.Segment{segment(5), gap(6), segment(5), segment(99)} {
		if err := s.Remove(gen, seg); err != nil {
			t.Errorf("Remove(%d) = %v", seg.Sequence, err)
		}
	}
	if got := contents(t, s); len(got) != 1 || got[0].Sequence != 7 || read(t, s, 5) != nil {
		t.Errorf("after removing 5 and 6, %d segments are left, and 5 has %d bytes", len(got), len(read(t, s, 5)))
	}
	if err := s.Remove(gen, segment(7)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "live/main/3")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder of a generation with no segment is still there: %v", err)
	}
	if s.Usage() != 0 || s.Unsaved() != 0 {
		t.Errorf("Usage() = %d, %d unsaved, want nothing", s.Usage(), s.Unsaved())
	}
	put(t, s, segment(8)) // the folder is made again
}

// What was put is there after a kill (hls-rules H21, A24).
func TestRestart(t *testing.T) {
	_, root := folder(t)
	first := open(t, root, "live")
	audio := segment(6)
	audio.Rendition, audio.Suffix, audio.Dirty = segmenter.RenditionAudio, ".aac", true
	want := []*segmenter.Segment{stored(audio), stored(segment(5)), gap(6), stored(segment(7))}
	put(t, first, segment(5), segment(7), audio, gap(6), segment(4))
	if err := first.Remove(gen, segment(4)); err != nil {
		t.Fatal(err)
	}
	second := open(t, root, "live") // the first was not closed
	if got := contents(t, second); !reflect.DeepEqual(got, want) {
		t.Errorf("Segments() = %v, want %v", got, want)
	}
	if second.Usage() != first.Usage() {
		t.Errorf("Usage() = %d, was %d", second.Usage(), first.Usage())
	}
	if c, err := second.Segments(gen + 1); err != nil || len(c.Segments) != 0 {
		t.Errorf("Segments of another generation = %v, %v, want none", c, err)
	}
	if got := second.Gens(); !reflect.DeepEqual(got, []uint64{gen}) {
		t.Errorf("Gens() = %d", got)
	}
}

// A journal that ends anywhere gives the segments whose lines are whole.
func TestTornJournal(t *testing.T) {
	dir, root := folder(t)
	put(t, open(t, root, "live"), segment(1), segment(2), gap(3))
	name := filepath.Join(dir, "live/.journal.jsonl")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := range text {
		if err := os.WriteFile(name, text[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(root, "live")
		if err != nil {
			t.Fatalf("journal of %d bytes: %v", n, err)
		}
		c, err := s.Segments(gen)
		if want := bytes.Count(text[:n], []byte("\n")); err != nil || len(c.Segments) != want || len(c.Lost) > 0 {
			t.Errorf("journal of %d bytes: %d segments, %d lost, %v, want %d", n, len(c.Segments), len(c.Lost), err, want)
		}
		if torn := n > 0 && text[n-1] != '\n'; torn != (len(c.Notes) == 1) {
			t.Errorf("journal of %d bytes: notes %q", n, c.Notes)
		}
		put(t, s, segment(9)) // its line must not be glued to the torn one
		if got := len(contents(t, s)); got != len(c.Segments)+1 {
			t.Errorf("journal of %d bytes: %d segments after one more", n, got)
		}
		if err := errors.Join(s.Remove(gen, segment(9)), s.Close()); err != nil {
			t.Error(err)
		}
	}
}

// A segment whose file is not what the journal says is never served.
func TestLost(t *testing.T) {
	dir, root := folder(t)
	first := open(t, root, "live")
	put(t, first, segment(1), segment(2), segment(3), segment(4))
	if err := os.Remove(filepath.Join(dir, "live/main/3/2.ts")); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "live/main/3/3.ts"), 188); err != nil {
		t.Fatal(err)
	}
	s := open(t, root, "live")
	c, err := s.Segments(gen)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Segments) != 2 || len(c.Lost) != 2 || c.Lost[0].Sequence != 2 || c.Lost[1].Sequence != 3 {
		t.Errorf("Segments() = %d segments, lost %v, want 2 and 3 lost", len(c.Segments), c.Lost)
	}
	if want := "the files of 2 of 4 segments of stream live are missing or cut short"; len(c.Notes) != 1 || c.Notes[0] != want {
		t.Errorf("notes = %q, want %q", c.Notes, want)
	}
	if got, want := s.Usage(), int64(188*5); got != want {
		t.Errorf("Usage() = %d, want %d", got, want)
	}
	contents(t, s)                                    // they are told once
	contents(t, open(t, root, "live"))                // and forgotten for good
	if n, err := s.Clean(gen); n != 1 || err != nil { // the truncated file
		t.Errorf("Clean() = %d, %v, want 1", n, err)
	}
}

// The journal does not grow with the stream's age.
func TestCompaction(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	const window = 10
	for n := range uint64(500) {
		put(t, s, segment(n+1))
		if n >= window {
			if err := s.Remove(gen, segment(n+1-window)); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(filepath.Join(dir, "live/.journal.jsonl"))
		if lines := bytes.Count(text, []byte("\n")); err != nil || lines > 2*window+64+2 {
			t.Fatalf("journal has %d lines with %d live segments, %v", lines, window, err)
		}
	}
	if got := contents(t, open(t, root, "live")); len(got) != window || got[0].Sequence != 491 {
		t.Errorf("%d segments after 500, first %d, want %d from 491", len(got), got[0].Sequence, window)
	}
}

func TestSync(t *testing.T) {
	_, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1), gap(2), segment(3))
	if err := s.Remove(gen, segment(1)); err != nil {
		t.Fatal(err)
	}
	if s.Unsaved() != 2 {
		t.Errorf("%d unsaved after three puts and a removal, want 2", s.Unsaved())
	}
	if err := s.Sync(); err != nil || s.Unsaved() != 0 {
		t.Errorf("Sync() = %v, %d unsaved", err, s.Unsaved())
	}
	if err := s.Sync(); err != nil {
		t.Errorf("Sync() with nothing to do = %v", err)
	}
}

func TestNames(t *testing.T) {
	_, root := folder(t)
	for _, stream := range []string{"", "..", "../x", "a/../../x", "/etc", "a//b", "a/", ".hidden", "a/.lock", "a\\b", "a\x00b"} {
		if s, err := store.Open(root, stream); err == nil {
			s.Close()
			t.Errorf("Open(%q) = nil error", stream)
		}
	}
	s := open(t, root, "live")
	for _, tt := range []struct{ rendition, suffix string }{
		{"..", ".ts"}, {"", ".ts"}, {"main/..", ".ts"}, {".tmp", ".ts"}, {"main", ""}, {"main", "/../../x"}, {"main", ".sh"},
	} {
		seg := segment(1)
		seg.Rendition, seg.Suffix = tt.rendition, tt.suffix
		if err := s.Put(gen, seg); !errors.Is(err, store.ErrName) {
			t.Errorf("Put(%q, %q) = %v, want ErrName", tt.rendition, tt.suffix, err)
		}
		if _, err := s.Open(tt.rendition, gen, 1, tt.suffix); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Open(%q, %q) = %v, want not exist", tt.rendition, tt.suffix, err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	_, root := folder(b)
	s := open(b, root, "live")
	seg := segment(1)
	packets := bytes.Repeat([]byte{0x47}, 7*188)
	seg.Data, seg.Size = nil, 0
	for seg.Size < 2<<20 {
		seg.Data, seg.Size = append(seg.Data, packets), seg.Size+int64(len(packets))
	}
	b.SetBytes(seg.Size)
	for b.Loop() {
		if err := s.Put(gen, seg); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Remove(gen, seg); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
