package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"headwater/segmenter"
)

// Put stores seg under the generation gen of the stream's record: its bytes,
// then its line in the journal. Putting it again does nothing. Nothing is
// synced; see [Store.Sync].
//
// If the disk is full the error wraps syscall.ENOSPC; whatever the error,
// nothing of the segment is left, and a later Put works if the cause is gone.
func (s *Store) Put(gen uint64, seg *segmenter.Segment) error {
	e := newEntry(gen, seg)
	err := s.exclusive(func() error {
		if !e.key().valid() {
			return ErrName
		}
		return s.put(e, seg.Data)
	})
	if err != nil {
		return fmt.Errorf("store segment %s of stream %s: %w", e.key().path(), s.stream, err)
	}
	return nil
}

func (s *Store) put(e entry, data [][]byte) error {
	k := e.key()
	if _, ok := s.live[k]; ok {
		return nil
	}
	if !e.Gap {
		if n := length(data); n != e.Size {
			return fmt.Errorf("%d bytes of data, but size %d", n, e.Size)
		}
		if err := s.createIn(k.folder(), k.path(), data); err != nil {
			return err
		}
	}
	if err := s.log(e); err != nil {
		if !e.Gap {
			err = errors.Join(err, s.root.Remove(k.path()))
		}
		return err
	}
	s.enter(e)
	s.unsaved[k] = struct{}{}
	return nil
}

// createIn is create without sync; it makes the folders that are not there yet.
func (s *Store) createIn(folder, name string, data [][]byte) error {
	err := s.create(name, data, false)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := errors.Join(s.root.MkdirAll(folder, dirMode), s.root.MkdirAll(tempDir, dirMode)); err != nil {
		return err
	}
	return s.create(name, data, false)
}

func length(data [][]byte) (n int64) {
	for _, b := range data {
		n += int64(len(b))
	}
	return n
}

// Open opens the file of a segment for reading. The error is fs.ErrNotExist if
// there is none: a gap, or a segment that was removed. It takes no lock.
func (s *Store) Open(rendition string, gen, sequence uint64, suffix string) (*os.File, error) {
	k := key{gen: gen, rendition: rendition, sequence: sequence, suffix: suffix}
	if !k.valid() {
		return nil, fmt.Errorf("open segment of stream %s: %w", s.stream, fs.ErrNotExist)
	}
	f, err := s.root.Open(k.path())
	if err != nil {
		return nil, fmt.Errorf("open segment of stream %s: %w", s.stream, err)
	}
	return f, nil
}

// Remove deletes seg of generation gen. Removing what is not there is no error.
// The file is deleted even if the journal cannot be written, so that a full
// disk gets room again.
func (s *Store) Remove(gen uint64, seg *segmenter.Segment) error {
	k := key{gen: gen, rendition: seg.Rendition, sequence: seg.Sequence, suffix: seg.Suffix}
	if err := s.exclusive(func() error { return s.remove(k) }); err != nil {
		return fmt.Errorf("remove segment %s of stream %s: %w", k.path(), s.stream, err)
	}
	return nil
}

// remove says so in the journal first: a crash in between leaves a file too
// many, which [Store.Clean] finds, and never a line without a file.
func (s *Store) remove(k key) error {
	if _, ok := s.live[k]; !ok {
		return nil
	}
	gone := entry{Removed: true, Gen: k.gen, Rendition: k.rendition, Sequence: k.sequence, Suffix: k.suffix}
	logErr := s.log(gone)
	if err := s.root.Remove(k.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(logErr, err)
	}
	if logErr != nil {
		logErr = s.log(gone) // there is room now
	}
	s.drop(k)
	return errors.Join(logErr, s.tidy())
}

// Sync makes all that was put since the last Sync survive a power cut. It is
// slow; no other method waits for it. What could not be synced is tried again
// by the next Sync.
func (s *Store) Sync() error {
	s.mu.Lock()
	keys := s.unsaved
	s.unsaved = make(map[key]struct{})
	s.mu.Unlock()
	if len(keys) == 0 {
		return nil
	}
	if err := s.sync(keys); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for k := range keys {
			if _, ok := s.live[k]; ok {
				s.unsaved[k] = struct{}{}
			}
		}
		return fmt.Errorf("sync store of stream %s: %w", s.stream, err)
	}
	return nil
}

// sync syncs the files, then the folders that name them, then the journal.
func (s *Store) sync(keys map[key]struct{}) error {
	folders := make(map[string]bool)
	for k := range keys {
		if err := s.syncName(k.path()); err != nil {
			return err
		}
		folders[k.folder()], folders[k.rendition] = true, true
	}
	for folder := range folders {
		if err := s.syncName(folder); err != nil {
			return err
		}
	}
	return errors.Join(s.syncName(journalName), s.syncName("."))
}

// syncName makes a file's bytes, or the names in a folder, last. One that was
// removed meanwhile needs nothing, nor does a gap, which has no file.
func (s *Store) syncName(name string) error {
	f, err := s.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
