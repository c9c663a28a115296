// Package store keeps one stream's record and segments in a folder, so that a
// process that was killed goes on where it stopped (hls-rules A24, H21).
//
// A stream's folder holds, beside hidden files, what is served, under the
// names it is served by:
//
//	.record.json            the record, replaced as a whole
//	.journal.jsonl          one line for each segment put or removed
//	.lock                   flock: one writer at a time, also among processes
//	.tmp/                   what is being written
//	<rendition>/<gen>/<N>.ts
//
// Every file appears whole, by rename (hls-rules A30), and a segment's bytes
// are in place before its line in the journal is. Hidden names cannot be those
// of a stream, a rendition or a request.
package store

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"headwater/segmenter"
)

const (
	recordName  = ".record.json"
	journalName = ".journal.jsonl"
	lockName    = ".lock"
	tempDir     = ".tmp"

	dirMode  = 0o755
	fileMode = 0o644
)

// ErrName means that a stream, rendition or suffix cannot be the name of a file.
var ErrName = errors.New("not a name that the store can use")

// Store is one stream's folder. It is safe for concurrent use, and several
// Stores, also of several processes, may share a folder.
type Store struct {
	stream string
	root   *os.Root
	lock   *os.File
	write  func(f *os.File, data [][]byte) error

	mu      sync.Mutex
	journal *os.File         // nil until the first line is appended; guarded by mu
	lines   int              // in the journal; guarded by mu
	live    map[key]file     // by segment; guarded by mu
	folders map[string]int   // number of live files by folder; guarded by mu
	usage   int64            // bytes of live; guarded by mu
	unsaved map[key]struct{} // put, but not yet synced; guarded by mu
	notes   []string         // what Open found; guarded by mu
}

// file is what the tables know of a live segment.
type file struct {
	size int64
	gap  bool // there is no file
}

// key names a segment.
type key struct {
	gen       uint64
	rendition string
	sequence  uint64
	suffix    string
}

func (k key) folder() string { return path.Join(k.rendition, strconv.FormatUint(k.gen, 10)) }

func (k key) path() string {
	return path.Join(k.folder(), strconv.FormatUint(k.sequence, 10)+k.suffix)
}

// compare orders by rendition, then from old to new.
func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.rendition, o.rendition), cmp.Compare(k.gen, o.gen),
		cmp.Compare(k.sequence, o.sequence), cmp.Compare(k.suffix, o.suffix))
}

// valid reports whether k names a file of the stream's folder and no other:
// what os.Root cannot know is that a folder below may be another stream's.
func (k key) valid() bool {
	return isName(k.rendition) && slices.Contains([]string{".ts", ".aac", ".mp3"}, k.suffix)
}

// Open opens the folder of stream below root, which stays the caller's, and
// makes it if there is none. What a killed process left half written is removed.
// stream may have slashes in it. The caller closes the store.
func Open(root *os.Root, stream string) (*Store, error) {
	s, err := open(root, stream)
	if err != nil {
		return nil, fmt.Errorf("open store of stream %s in %s: %w", stream, root.Name(), err)
	}
	return s, nil
}

func open(root *os.Root, stream string) (*Store, error) {
	for name := range strings.SplitSeq(stream, "/") {
		if !isName(name) {
			return nil, ErrName
		}
	}
	if err := root.MkdirAll(stream, dirMode); err != nil {
		return nil, err
	}
	folder, err := root.OpenRoot(stream)
	if err != nil {
		return nil, err
	}
	s := &Store{stream: stream, root: folder, write: writeAll, unsaved: make(map[key]struct{})}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// start brings the folder in order.
func (s *Store) start() (err error) {
	if err := s.root.MkdirAll(tempDir, dirMode); err != nil {
		return err
	}
	if s.lock, err = s.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode); err != nil {
		return err
	}
	return s.exclusive(func() error {
		if err := s.cleanTemp(); err != nil {
			return err
		}
		entries, damage, err := s.replay()
		if err != nil {
			return err
		}
		s.index(entries)
		if damage != "" {
			s.notes = append(s.notes, damage)
			_ = s.compact(nil) // on a full disk it is read again as it is
		}
		return nil
	})
}

// cleanTemp removes what was being written when a process ended. Nobody writes
// there without the lock, which the caller holds.
func (s *Store) cleanTemp() error {
	left, err := fs.ReadDir(s.root.FS(), tempDir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := s.root.Remove(path.Join(tempDir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// index makes the tables of live segments from the journal's entries.
func (s *Store) index(entries []entry) {
	s.live, s.folders, s.usage = make(map[key]file, len(entries)), make(map[string]int), 0
	for _, e := range entries {
		s.enter(e)
	}
}

// enter adds e, which is not there yet, to the tables.
func (s *Store) enter(e entry) {
	k := e.key()
	s.live[k] = file{size: e.Size, gap: e.Gap}
	s.usage += e.Size
	if !e.Gap {
		s.folders[k.folder()]++
	}
}

// drop takes k out of the tables and removes its folder if it was the last one there.
func (s *Store) drop(k key) {
	f := s.live[k]
	delete(s.live, k)
	delete(s.unsaved, k)
	s.usage -= f.size
	if f.gap {
		return
	}
	folder := k.folder()
	if s.folders[folder]--; s.folders[folder] == 0 {
		delete(s.folders, folder)
		_ = s.root.Remove(folder) // fails if something else is in it, which then stays
	}
}

// exclusive runs f as the only one that changes the folder.
func (s *Store) exclusive(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := lockFile(s.lock); err != nil {
		return fmt.Errorf("lock %s: %w", lockName, err)
	}
	defer unlockFile(s.lock)
	return f()
}

// Usage returns the bytes of the live segments' files.
func (s *Store) Usage() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.usage
}

// Close closes the folder. Nothing is synced; see [Store.Sync].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, f := range []*os.File{s.journal, s.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	s.journal = nil
	return errors.Join(append(errs, s.root.Close())...)
}

var _ segmenter.Registry = (*Store)(nil)
