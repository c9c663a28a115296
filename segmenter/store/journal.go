package store

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"headwater/mux"
	"headwater/segmenter"
)

// entry is one line of the journal: a segment that was put, or removed.
type entry struct {
	Removed       bool      `json:"removed,omitempty"` // then only what names it counts
	Gen           uint64    `json:"gen"`
	Rendition     string    `json:"rendition"`
	Sequence      uint64    `json:"sequence"`
	Suffix        string    `json:"suffix"`
	Start         mux.Ticks `json:"start,omitempty"`
	End           mux.Ticks `json:"end,omitempty"`
	DSN           uint64    `json:"dsn,omitempty"`
	Discontinuity bool      `json:"discontinuity,omitempty"`
	Gap           bool      `json:"gap,omitempty"`
	Independent   bool      `json:"independent,omitempty"`
	Dirty         bool      `json:"dirty,omitempty"`
	Size          int64     `json:"size,omitempty"`
	Sum           string    `json:"sum,omitempty"` // hexadecimal
}

// newEntry returns the line that says seg was put.
func newEntry(gen uint64, seg *segmenter.Segment) entry {
	e := entry{
		Gen:           gen,
		Rendition:     seg.Rendition,
		Sequence:      seg.Sequence,
		Suffix:        seg.Suffix,
		Start:         seg.Start,
		End:           seg.End,
		DSN:           seg.DSN,
		Discontinuity: seg.Discontinuity,
		Gap:           seg.Gap,
		Independent:   seg.Independent,
		Dirty:         seg.Dirty,
	}
	if !seg.Gap {
		e.Size, e.Sum = seg.Size, hex.EncodeToString(seg.Sum[:])
	}
	return e
}

func (e *entry) key() key {
	return key{gen: e.Gen, rendition: e.Rendition, sequence: e.Sequence, suffix: e.Suffix}
}

// valid reports whether e can have been written by a store.
func (e *entry) valid() bool {
	sum := len(segmenter.Segment{}.Sum)
	return e.key().valid() && e.Size >= 0 && e.End >= e.Start &&
		(e.Removed || e.Gap == (e.Sum == "")) && (e.Sum == "" || len(e.Sum) == hex.EncodedLen(sum)) &&
		(e.Size == 0 || !e.Gap)
}

// segment returns the segment that e is about, without its bytes.
func (e *entry) segment() (*segmenter.Segment, error) {
	seg := &segmenter.Segment{
		Rendition:     e.Rendition,
		Suffix:        e.Suffix,
		Sequence:      e.Sequence,
		Start:         e.Start,
		End:           e.End,
		DSN:           e.DSN,
		Discontinuity: e.Discontinuity,
		Gap:           e.Gap,
		Independent:   e.Independent,
		Dirty:         e.Dirty,
		Size:          e.Size,
	}
	_, err := hex.Decode(seg.Sum[:], []byte(e.Sum))
	return seg, err
}

// readJournal returns the live entries of a journal's text, by rendition and
// from old to new, the number of lines read, and the number that make no sense:
// a torn last one, or what a failing disk made of others.
func readJournal(text []byte) (live []entry, lines, bad int) {
	found := make(map[key]entry)
	for line := range bytes.Lines(text) {
		lines++
		var e entry
		if line[len(line)-1] != '\n' || json.Unmarshal(line, &e) != nil || !e.valid() {
			bad++
			continue
		}
		if _, err := e.segment(); err != nil {
			bad++
			continue
		}
		if e.Removed {
			delete(found, e.key())
		} else {
			found[e.key()] = e
		}
	}
	live = make([]entry, 0, len(found))
	for _, e := range found {
		live = append(live, e)
	}
	slices.SortFunc(live, func(a, b entry) int { return a.key().compare(b.key()) })
	return live, lines, bad
}

// replay reads the journal. damage says in a sentence what was wrong with it.
func (s *Store) replay() (entries []entry, damage string, err error) {
	text, err := s.root.ReadFile(journalName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	entries, lines, bad := readJournal(text)
	s.lines = lines
	if bad > 0 {
		damage = fmt.Sprintf("%d of %d lines of the journal of stream %s are damaged; their segments are lost", bad, lines, s.stream)
	}
	return entries, damage, nil
}

// log appends one line to the journal. A failure leaves the journal as it was.
func (s *Store) log(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	size, err := s.openJournal()
	if err != nil {
		return err
	}
	text := [][]byte{line, []byte("\n")}
	if size > 0 {
		var last [1]byte
		if _, err := s.journal.ReadAt(last[:], size-1); err != nil {
			return err
		}
		if last[0] != '\n' { // torn by a process that was killed: it ends here
			text = [][]byte{[]byte("\n"), line, []byte("\n")}
		}
	}
	if err := s.write(s.journal, text); err != nil {
		return errors.Join(err, s.journal.Truncate(size))
	}
	s.lines++
	return nil
}

// openJournal opens the journal for appending, again if another process has
// compacted it, and returns its size.
func (s *Store) openJournal() (size int64, err error) {
	if s.journal != nil {
		ours, err := s.journal.Stat()
		if err != nil {
			return 0, err
		}
		if theirs, err := s.root.Stat(journalName); err == nil && os.SameFile(ours, theirs) {
			return ours.Size(), nil
		}
		_ = s.journal.Close() // each write to it was checked
		s.journal = nil
	}
	f, err := s.root.OpenFile(journalName, os.O_RDWR|os.O_CREATE|os.O_APPEND, fileMode)
	if err != nil {
		return 0, err
	}
	s.journal = f
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// spareLines is how many lines about segments that are gone the journal may
// always hold, so that a short window does not rewrite it all the time.
const spareLines = 64

// tidy rewrites the journal if more than half of it is about segments that are gone.
func (s *Store) tidy() error {
	if s.lines <= 2*len(s.live)+spareLines {
		return nil
	}
	return s.compact(nil)
}

// compact rewrites the journal from itself, since another process may have
// written there, without what is gone and without the keys in lost.
func (s *Store) compact(lost map[key]bool) error {
	entries, _, err := s.replay()
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(e entry) bool { return lost[e.key()] })
	var text bytes.Buffer
	lines := json.NewEncoder(&text)
	for _, e := range entries {
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	if err := s.replace(journalName, [][]byte{text.Bytes()}); err != nil {
		return err
	}
	s.lines = len(entries)
	s.index(entries)
	return nil
}
