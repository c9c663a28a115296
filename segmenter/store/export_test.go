package store

import (
	"encoding/json"
	"os"

	"headwater/segmenter"
)

// SetWrite makes the store write with f, which is how a test fills the disk.
func (s *Store) SetWrite(f func(*os.File, [][]byte) error) { s.write = f }

// Unsaved returns the number of segments that Sync would sync.
func (s *Store) Unsaved() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.unsaved)
}

// WriteAll is how a store writes.
func WriteAll(f *os.File, data [][]byte) error { return writeAll(f, data) }

// ReadJournal returns the live segments and their generations, the text of a
// compacted journal, and the numbers of lines and of bad ones.
func ReadJournal(text []byte) (segments []*segmenter.Segment, gens []uint64, compact []byte, lines, bad int) {
	entries, lines, bad := readJournal(text)
	for _, e := range entries {
		seg, err := e.segment()
		if err != nil {
			panic(err)
		}
		segments, gens = append(segments, seg), append(gens, e.Gen)
		again := newEntry(e.Gen, seg)
		line, err := json.Marshal(again)
		if err != nil {
			panic(err)
		}
		compact = append(append(compact, line...), '\n')
	}
	return segments, gens, compact, lines, bad
}
