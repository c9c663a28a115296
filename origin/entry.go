package origin

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"headwater/segmenter"
)

// entry is a segment that may be asked for, with its header values ready. All
// but stored is immutable.
type entry struct {
	seg          *segmenter.Segment // without Data
	data         [][]byte           // the bytes; nil if only the store has them
	stored       *atomic.Bool       // the store has the bytes
	check        validator
	etag         []string
	length       []string
	lastModified []string
	cacheControl []string  // while listed
	gone         time.Time // from when it is no longer served; zero while listed
}

// newEntry prepares seg. now bounds Last-Modified: it may not lie in the
// future if the source's clock runs fast. life is how long the segment is
// fetchable at least, from any moment at which it is listed (hls-rules D28).
func newEntry(seg *segmenter.Segment, stored *atomic.Bool, now time.Time, life time.Duration) *entry {
	modified := seg.End.Time()
	if modified.After(now) {
		modified = now.UTC()
	}
	modified = modified.Truncate(time.Second)
	etag := `"` + hex.EncodeToString(seg.Sum[:]) + `"`
	bare := *seg
	bare.Data = nil
	return &entry{
		seg: &bare, data: seg.Data, stored: stored,
		check:        validator{etag, modified},
		etag:         []string{etag},
		length:       []string{strconv.FormatInt(seg.Size, 10)},
		lastModified: []string{modified.Format(http.TimeFormat)},
		cacheControl: []string{immutable(life + seg.Duration())},
	}
}

// removed returns the entry as it is once it has left the playlist: served
// until gone, and from the store if that has it.
func (e *entry) removed(gone time.Time) *entry {
	if !e.gone.IsZero() && (e.data == nil || !e.stored.Load()) {
		return e
	}
	next := *e
	next.gone = gone
	if e.stored.Load() {
		next.data = nil
	}
	return &next
}

// caching returns the Cache-Control of the entry: never longer than it lives.
func (e *entry) caching(now time.Time) []string {
	if e.gone.IsZero() {
		return e.cacheControl
	}
	return []string{immutable(e.gone.Sub(now))}
}

func immutable(life time.Duration) string {
	const most = 14 * 24 * time.Hour
	return fmt.Sprintf("public, max-age=%d, immutable", max(0, min(life, most))/time.Second)
}
