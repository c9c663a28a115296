package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"headwater/segmenter"
)

// Contents is what a store holds of one generation. The slices are the caller's.
type Contents struct {
	// Segments may be served: their files are there and have the right size.
	// They are in the order of rendition names and then of Sequence; Data is nil.
	Segments []*segmenter.Segment
	// Lost were put, but their files are missing or of another size. They are
	// forgotten by the store.
	Lost  []*segmenter.Segment
	Notes []string // plain sentences for the log: what was found damaged
}

// Segments returns the segments of generation gen, for a process that starts.
func (s *Store) Segments(gen uint64) (Contents, error) {
	var c Contents
	err := s.exclusive(func() (err error) {
		c, err = s.segments(gen)
		return err
	})
	if err != nil {
		return Contents{}, fmt.Errorf("read segments of stream %s: %w", s.stream, err)
	}
	return c, nil
}

func (s *Store) segments(gen uint64) (Contents, error) {
	entries, _, err := s.replay()
	if err != nil {
		return Contents{}, err
	}
	c := Contents{Notes: s.notes}
	s.notes = nil
	lost := make(map[key]bool)
	s.index(entries)
	for _, e := range entries {
		if e.Gen != gen {
			continue
		}
		seg, err := e.segment()
		if err != nil {
			return Contents{}, err // readJournal has let it pass
		}
		if ok, err := s.whole(e); err != nil {
			return Contents{}, err
		} else if ok {
			c.Segments = append(c.Segments, seg)
			continue
		}
		c.Lost = append(c.Lost, seg)
		lost[e.key()] = true
		s.drop(e.key())
	}
	if len(lost) > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("the files of %d of %d segments of stream %s are missing or cut short",
			len(lost), len(lost)+len(c.Segments), s.stream))
		if err := s.compact(lost); err != nil { // they are found again at the next start
			c.Notes = append(c.Notes, fmt.Sprintf("the journal of stream %s could not be rewritten: %v", s.stream, err))
		}
	}
	return c, nil
}

// whole reports whether the file of e is there and has the size it should have.
func (s *Store) whole(e entry) (bool, error) {
	if e.Gap {
		return true, nil
	}
	k := e.key()
	info, err := s.root.Lstat(k.path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.Mode().IsRegular() && info.Size() == e.Size, err
}

// Gens returns the generations of which there are live segments, oldest first.
func (s *Store) Gens() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var gens []uint64
	for k := range s.live {
		if !slices.Contains(gens, k.gen) {
			gens = append(gens, k.gen)
		}
	}
	slices.Sort(gens)
	return gens
}

// Clean removes the segments of all generations but gen, and files with the
// names of segments that the journal does not know: what a crash left behind.
// It returns the number of files removed. Files with other names are not
// touched: they may be of another stream whose name begins with this one's.
func (s *Store) Clean(gen uint64) (removed int, err error) {
	err = s.exclusive(func() error {
		entries, _, err := s.replay()
		if err != nil {
			return err
		}
		s.index(entries)
		for _, e := range entries {
			if e.Gen == gen {
				continue
			}
			if err := s.remove(e.key()); err != nil {
				return err
			}
			removed++
		}
		return s.removeOrphans(&removed)
	})
	if err != nil {
		return removed, fmt.Errorf("clean store of stream %s: %w", s.stream, err)
	}
	return removed, nil
}

// removeOrphans removes files of the form <rendition>/<gen>/<N><suffix> that
// are not live, and their folders if nothing else is in them.
func (s *Store) removeOrphans(removed *int) error {
	files, err := fs.Glob(s.root.FS(), "*/*/*")
	if err != nil {
		return err
	}
	for _, name := range files {
		k, ok := parsePath(name)
		if !ok {
			continue
		}
		if _, ok := s.live[k]; ok {
			continue
		}
		info, err := s.root.Lstat(name)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := s.root.Remove(name); err != nil {
			return err
		}
		*removed++
		if s.folders[k.folder()] == 0 {
			_ = s.root.Remove(k.folder()) // fails while something is in it
		}
	}
	return nil
}

// parsePath is the inverse of key.path.
func parsePath(name string) (key, bool) {
	folder, base := path.Split(name)
	rendition, gen, _ := strings.Cut(strings.TrimSuffix(folder, "/"), "/")
	suffix := path.Ext(base)
	k := key{rendition: rendition, suffix: suffix}
	var err1, err2 error
	k.gen, err1 = strconv.ParseUint(gen, 10, 64)
	k.sequence, err2 = strconv.ParseUint(strings.TrimSuffix(base, suffix), 10, 64)
	return k, errors.Join(err1, err2) == nil && k.valid() && k.path() == name
}
