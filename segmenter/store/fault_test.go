package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"headwater/segmenter/store"
)

// limited writes until room bytes are used up, then says that the disk is full.
type limited struct{ room int }

func (l *limited) write(f *os.File, data [][]byte) error {
	for _, b := range data {
		n := min(len(b), l.room)
		if _, err := f.Write(b[:n]); err != nil {
			return err
		}
		if l.room -= n; n < len(b) {
			return &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
		}
	}
	return nil
}

// Wherever the disk becomes full, nothing of the segment is left, what was there
// is whole, and when there is room again the segment can be put.
func TestDiskFull(t *testing.T) {
	const size = 188 * 2
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1))
	before := snapshot(t, dir)
	for room := range size + 200 { // the line is shorter than 200 bytes more
		disk := &limited{room: room}
		s.SetWrite(disk.write)
		err := s.Put(gen, segment(2))
		if err == nil {
			if room < size {
				t.Fatalf("Put of %d bytes fits into %d", size, room)
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("with %d bytes: Put() = %v, want ENOSPC", room, err)
		}
		if after := snapshot(t, dir); !reflect.DeepEqual(after, before) {
			t.Fatalf("with %d bytes: files were %v and are %v", room, before, after)
		}
	}
	s.SetWrite(store.WriteAll)
	put(t, s, segment(2), segment(3))
	if got := contents(t, open(t, root, "live")); len(got) != 3 {
		t.Errorf("%d segments after the disk was full, want 3", len(got))
	}
}

// snapshot returns the bytes of all files below dir.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, name := range files(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

// A full disk gets room again by removing, though removing is noted too.
func TestRemoveOnFullDisk(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1), segment(2))
	full := &limited{}
	s.SetWrite(full.write)
	if err := s.Remove(gen, segment(1)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("Remove() = %v, want ENOSPC", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "live/main/3/1.ts")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	if got, want := s.Usage(), int64(188*2); got != want {
		t.Errorf("Usage() = %d, want %d", got, want)
	}
	c, err := open(t, root, "live").Segments(gen)
	if err != nil || len(c.Segments) != 1 || len(c.Lost) != 1 {
		t.Errorf("after a restart: %d segments, %d lost, %v, want 1 and 1", len(c.Segments), len(c.Lost), err)
	}
}

// The same on a file system that is really full.
func TestDiskFullForReal(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("no tmpfs can be mounted: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	s, err := store.Open(root, "live")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := uint64(40)
	for err == nil {
		n++
		if err = s.Put(gen, segment(n)); n > 100 {
			t.Fatal("64 KiB are never full")
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("Put() = %v, want ENOSPC", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "live/main/3", fmt.Sprint(n, ".ts"))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("half a file is left: %v", err)
	}
	for old := uint64(41); old < 44; old++ {
		if err := s.Remove(gen, segment(old)); err != nil {
			t.Error(err)
		}
	}
	put(t, s, segment(n))
	if got := read(t, s, n); !bytes.Equal(got, bytes.Join(segment(n).Data, nil)) {
		t.Errorf("segment %d has %d bytes", n, len(got))
	}
}

func TestPutWrongSize(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	seg := segment(2)
	seg.Size++
	if err := s.Put(gen, seg); err == nil {
		t.Error("Put() of fewer bytes than Size = nil error")
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("files %q are left", got)
	}
}

// What a killed process was writing is gone at the next start, and what it had
// not noted in the journal is found.
func TestClean(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1), segment(2))
	for _, old := range []uint64{1, 2} {
		if err := s.Put(old, segment(5)); err != nil {
			t.Fatal(err)
		}
	}
	keep := []string{"live/main/3/x.ts", "live/main/3/7.txt", "live/main/3/007.ts", "live/main/x/7.ts", "live/7.ts", "live/main/3/8/9.ts"}
	orphans := []string{"live/main/3/7.ts", "live/audio/9/7.aac", "live/.tmp/7.ts", "live/.tmp/.record.json"}
	for _, name := range append(append([]string(nil), keep...), orphans...) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	// A stream whose name begins with this one's keeps its files in the same folder.
	other := open(t, root, "live/main")
	put(t, other, segment(4))

	s = open(t, root, "live")
	if got := s.Gens(); !reflect.DeepEqual(got, []uint64{1, 2, 3}) {
		t.Errorf("Gens() = %d, want 1, 2 and 3", got)
	}
	if n, err := s.Clean(gen); n != 4 || err != nil {
		t.Errorf("Clean() = %d, %v, want 2 segments of other generations and 2 files", n, err)
	}
	for _, name := range append(append([]string(nil), orphans...), "live/main/1", "live/main/2", "live/audio/9") {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	for _, name := range append(keep, "live/main/main/3/4.ts", "live/main/3/1.ts") {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is gone: %v", name, err)
		}
	}
	if got := len(contents(t, s)) + len(contents(t, other)); got != 3 {
		t.Errorf("%d segments are left, want 3", got)
	}
	if got := s.Gens(); !reflect.DeepEqual(got, []uint64{gen}) {
		t.Errorf("Gens() after Clean = %d", got)
	}
}

// Two processes with one folder lose nothing of each other, whoever compacts
// the journal when.
func TestShared(t *testing.T) {
	_, root := folder(t)
	const each = 200
	var wg sync.WaitGroup
	for i := range uint64(2) {
		s := open(t, root, "live")
		wg.Go(func() {
			for n := range uint64(each) {
				seg := segment(1 + 2*n + i)
				if err := s.Put(gen, seg); err != nil {
					t.Error(err)
				}
				if n >= 5 {
					if err := s.Remove(gen, segment(1+2*(n-5)+i)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	got := contents(t, open(t, root, "live"))
	var numbers, want []uint64
	for _, seg := range got {
		numbers = append(numbers, seg.Sequence)
	}
	for n := uint64(2*each - 9); n <= 2*each; n++ {
		want = append(want, n)
	}
	if !reflect.DeepEqual(numbers, want) {
		t.Errorf("segments %d are left, want %d", numbers, want)
	}
}

// A reader never sees half a segment: hls-rules A30, A31.
func TestConcurrentRead(t *testing.T) {
	_, root := folder(t)
	s := open(t, root, "live")
	const last = 150
	var wg sync.WaitGroup
	var newest atomic.Uint64
	wg.Go(func() {
		for n := uint64(1); n <= last; n++ {
			if err := s.Put(gen, segment(n)); err != nil {
				t.Error(err)
			}
			newest.Store(n)
			if n > 3 {
				if err := s.Remove(gen, segment(n-3)); err != nil {
					t.Error(err)
				}
			}
		}
	})
	for n := uint64(1); n <= last; {
		b := read(t, s, n)
		if b != nil && len(b) != 188*int(n) {
			t.Fatalf("segment %d has %d bytes", n, len(b))
		}
		if b != nil || newest.Load() >= n { // read, or gone by now
			n++
		}
	}
	wg.Wait()
}

// FuzzJournal: whatever the journal holds, reading it gives segments that can
// be written and read back equal, no more than it has lines.
//
// Seeds: lines of all kinds, a torn one, removals before and after, numbers at
// their limits, names that lead out of the folder, and lines of a future store.
func FuzzJournal(f *testing.F) {
	if seeds, err := filepath.Glob("testdata/fuzz/FuzzJournal/*"); err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		segments, gens, compact, lines, bad := store.ReadJournal(text)
		if len(segments)+bad > lines || lines > bytes.Count(text, []byte("\n"))+1 {
			t.Fatalf("%d segments and %d bad lines of %d", len(segments), bad, lines)
		}
		again, gensAgain, _, _, bad := store.ReadJournal(compact)
		if bad != 0 || !reflect.DeepEqual(again, segments) || !reflect.DeepEqual(gensAgain, gens) {
			t.Fatalf("%d bad lines; read back as %+v, want %+v, from\n%s", bad, again, segments, compact)
		}
		for _, seg := range segments {
			if filepath.Base(seg.Rendition) != seg.Rendition || seg.Rendition[0] == '.' || seg.Size < 0 {
				t.Fatalf("rendition %q, size %d", seg.Rendition, seg.Size)
			}
		}
	})
}

// A line that a killed process has torn while we run costs no other line.
func TestTornWhileOpen(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1))
	f, err := os.OpenFile(filepath.Join(dir, "live/.journal.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"gen":3,"rend`); err != nil {
		t.Fatal(err)
	}
	f.Close()
	put(t, s, segment(2))
	c, err := open(t, root, "live").Segments(gen)
	if err != nil || len(c.Segments) != 2 || len(c.Notes) != 1 {
		t.Errorf("%d segments, notes %q, %v, want 2 and a note about one line", len(c.Segments), c.Notes, err)
	}
}

// Someone empties the folder below a store that is open.
func TestFoldersRemoved(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1))
	for _, name := range []string{"main", ".tmp", ".journal.jsonl"} {
		if err := os.RemoveAll(filepath.Join(dir, "live", name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, s, segment(2))
	if got := contents(t, open(t, root, "live")); len(got) != 1 || got[0].Sequence != 2 {
		t.Errorf("%d segments after the folder was emptied, want segment 2", len(got))
	}
}

// A start on a full disk serves what there is.
func TestStartOnFullDisk(t *testing.T) {
	dir, root := folder(t)
	s := open(t, root, "live")
	put(t, s, segment(1), segment(2))
	if err := os.Remove(filepath.Join(dir, "live/main/3/1.ts")); err != nil {
		t.Fatal(err)
	}
	full := &limited{}
	s.SetWrite(full.write)
	c, err := s.Segments(gen)
	if err != nil || len(c.Segments) != 1 || len(c.Lost) != 1 || len(c.Notes) != 2 {
		t.Errorf("Segments() = %d segments, %d lost, notes %q, %v, want 1, 1 and two notes", len(c.Segments), len(c.Lost), c.Notes, err)
	}
	if got, want := s.Usage(), int64(188*2); got != want {
		t.Errorf("Usage() = %d, want %d", got, want)
	}
}
