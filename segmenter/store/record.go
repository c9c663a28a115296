package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"headwater/segmenter"
)

// Load returns the record in force, or a zero Record if there is none.
//
// An error that is not the file system's means that the file is damaged. Going
// on without it would use names again, so only the operator can help.
func (s *Store) Load() (segmenter.Record, error) {
	record, err := s.load()
	if err != nil {
		return record, fmt.Errorf("load record of stream %s: %w", s.stream, err)
	}
	return record, nil
}

func (s *Store) load() (segmenter.Record, error) {
	var record segmenter.Record
	text, err := s.root.ReadFile(recordName)
	if errors.Is(err, fs.ErrNotExist) {
		return record, nil
	}
	if err != nil {
		return record, err
	}
	if err := json.Unmarshal(text, &record); err != nil {
		return segmenter.Record{}, fmt.Errorf("%s is damaged (%w): restore it, or delete the folder of the stream to begin it anew", recordName, err)
	}
	return record, nil
}

// Propose stores next if next.Revision is one more than the stored record's,
// or if none is stored, and returns the record in force afterwards. It is
// compare-and-swap also between processes, and what it returned without an
// error is on the disk.
func (s *Store) Propose(next segmenter.Record) (segmenter.Record, error) {
	var current segmenter.Record
	err := s.exclusive(func() (err error) {
		if current, err = s.load(); err != nil || current.Revision != 0 && next.Revision != current.Revision+1 {
			return err
		}
		text, err := json.Marshal(next)
		if err != nil {
			return err
		}
		if err := s.replace(recordName, [][]byte{text, []byte("\n")}); err != nil {
			return err
		}
		current = next
		return nil
	})
	if err != nil {
		return segmenter.Record{}, fmt.Errorf("store record %d of stream %s: %w", next.Revision, s.stream, err)
	}
	return current, nil
}

// replace makes name a file of these bytes, at once and for good.
func (s *Store) replace(name string, data [][]byte) error {
	if err := s.create(name, data, true); err != nil {
		return err
	}
	return s.syncName(".")
}

// create writes a temporary file and renames it to name; a failure leaves
// neither. The caller holds the lock.
func (s *Store) create(name string, data [][]byte, sync bool) error {
	temp := path.Join(tempDir, path.Base(name))
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	reserve(f, length(data))
	err = s.write(f, data)
	if err == nil && sync {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = s.root.Rename(temp, name)
	}
	if err != nil {
		_ = s.root.Remove(temp) // the first error is the one that tells
	}
	return err
}
