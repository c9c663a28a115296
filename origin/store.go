package origin

import (
	"os"

	"headwater/segmenter"
	"headwater/segmenter/store"
)

// Store keeps one stream's record and segments beyond the life of the process;
// [store.Store] is the one on disk. All methods but Open are called from one
// goroutine at a time.
type Store interface {
	segmenter.Registry

	// Put writes the bytes of seg, then notes it; a gap is only noted.
	Put(gen uint64, seg *segmenter.Segment) error
	// Open opens the bytes of a segment. It is safe for concurrent use.
	Open(rendition string, gen, sequence uint64, suffix string) (*os.File, error)
	// Remove deletes a segment.
	Remove(gen uint64, seg *segmenter.Segment) error
	// Segments returns what was put under gen and not removed, without Data.
	Segments(gen uint64) (store.Contents, error)
	// Clean removes the files of other generations, and those that nobody knows.
	Clean(gen uint64) (removed int, err error)
	// Sync makes what was put so far last through a power cut.
	Sync() error
}
