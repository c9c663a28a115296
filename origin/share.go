package origin

import (
	"errors"
	"sync/atomic"
	"time"

	"headwater/segmenter"
)

// share is what a stream and the [Governor] tell each other about memory.
type share struct {
	_     [64]byte      // requests write the next field: nothing that they read shares its cache line
	asked atomic.Uint64 // requests for playlists and segments
	_     [64]byte

	governed atomic.Bool           // there is a governor
	crowded  atomic.Bool           // there is no memory for one stream more
	load     atomic.Pointer[load]  // nil until it is known
	bound    atomic.Pointer[bound] // nil: there is none
}

// load is what the windows of a stream hold, and would hold.
type load struct {
	held  int64         // bytes in memory
	full  int64         // bytes in memory once the windows are as long as configured
	floor int64         // bytes in memory of the shortest windows that players can use
	span  time.Duration // how old a playlist may be whose segments can still be fetched
}

// bound is how much the windows of a stream may hold.
type bound struct {
	bytes int64 // in memory
	least int   // segments that a playlist keeps whatever they weigh
	early bool  // what has left the playlists need not be fetchable any more
}

// listedTargets is how many target durations a playlist keeps (hls-rules A33).
const listedTargets = 3

var errNoMemory = errors.New("there is no memory for another stream: raise max_memory, or stop one")

// refuses returns why the stream cannot be taken on, if it holds nothing yet.
func (s *share) refuses() error {
	if l := s.load.Load(); s.crowded.Load() && (l == nil || l.full == 0) {
		return errNoMemory
	}
	return nil
}

// state returns what the API tells, nil if there is no governor.
func (s *share) state() *StreamMemory {
	l := s.load.Load()
	if l == nil {
		return nil
	}
	m := &StreamMemory{Held: l.held, Full: l.full}
	if b := s.bound.Load(); b != nil {
		m.Bound = b.bytes
	}
	return m
}

// weigh returns what the windows weigh.
func (p *publisher) weigh() *load {
	l := &load{}
	for _, r := range p.renditions {
		var bytes int64 // of the listed segments
		var length, longest time.Duration
		for _, seg := range r.window.Listed() {
			bytes += seg.Size
			length += seg.Duration()
			longest = max(longest, seg.Duration())
		}
		l.held += r.inMemory(0, len(r.entries))
		if bytes == 0 || length <= 0 {
			continue
		}
		configured := p.window.Listing(0) // with the defaults
		list := max(configured.Duration, time.Duration(configured.MinSegments)*longest)
		life := max(r.window.Longest(), list) + longest + p.window.Grace
		l.span = max(l.span, life)
		full := list + 2*longest
		least := max(segmenter.MinListed*longest, p.targets()) + 2*longest
		if p.storing() { // what is stored needs no memory
			least = 0
		} else {
			full += life
		}
		rate := float64(bytes) / length.Seconds()
		weight := int64(rate * full.Seconds())
		if p.window.MaxBytes > 0 {
			weight = min(weight, p.window.MaxBytes)
		}
		l.full += weight
		l.floor += min(weight, int64(rate*least.Seconds()))
	}
	return l
}

// targets returns how long a playlist is at least.
func (p *publisher) targets() time.Duration {
	return time.Duration(listedTargets*p.targetDuration) * time.Second
}

// storing reports whether the newest segment is in the store.
func (p *publisher) storing() bool {
	if p.spool == nil || len(p.renditions) == 0 {
		return false
	}
	entries := p.renditions[0].entries
	for i := len(entries) - 1; i >= 0; i-- {
		if !entries[i].seg.Gap {
			return entries[i].stored.Load()
		}
	}
	return true
}

// inMemory returns how many bytes entries from up to to hold.
func (r *rendition) inMemory(from, to int) (bytes int64) {
	for _, e := range r.entries[from:to] {
		if e.data != nil {
			bytes += e.seg.Size
		}
	}
	return bytes
}

// confine makes the windows weigh no more than b allows, as far as the rules
// do: first by what only lies in memory in case the store cannot be read, then
// by shorter playlists, then by what has left them. It returns what may no
// longer be fetched, and whether anything has changed.
func (p *publisher) confine(b *bound, now time.Time) (gone []*segmenter.Segment, changed bool) {
	held := p.total((*rendition).all)
	if held > b.bytes {
		freed := p.leaveToStore(held - b.bytes)
		held -= freed
		changed = freed > 0
	}
	least := b.least
	if !p.open {
		least = max(least, p.publishAfter)
	}
	for over := p.total((*rendition).listed) - b.bytes; over > 0; changed = true {
		over -= p.total((*rendition).oldest)
		if !p.shorten(least, now) {
			break
		}
	}
	if held > b.bytes {
		gone = p.release(held-b.bytes, b.early, now)
	}
	return gone, changed || len(gone) > 0
}

// total adds up what of returns for each rendition.
func (p *publisher) total(of func(*rendition) int64) (bytes int64) {
	for _, r := range p.renditions {
		bytes += of(r)
	}
	return bytes
}

func (r *rendition) all() int64 { return r.inMemory(0, len(r.entries)) }

// listed returns how much of the playlist's media only memory has, with room
// for one segment more.
func (r *rendition) listed() (bytes int64) {
	var last int64
	for _, e := range r.entries[len(r.entries)-len(r.window.Listed()):] {
		last = e.unstored()
		bytes += last
	}
	return bytes + last
}

// oldest returns how much of that is the oldest segment's.
func (r *rendition) oldest() int64 {
	if i := len(r.entries) - len(r.window.Listed()); i < len(r.entries) {
		return r.entries[i].unstored()
	}
	return 0
}

// unstored returns how many bytes only memory has.
func (e *entry) unstored() int64 {
	if e.data == nil || e.stored.Load() {
		return 0
	}
	return e.seg.Size
}

// leaveToStore lets go of bytes that the store has, the oldest first, until so
// many are free, and returns how many are.
func (p *publisher) leaveToStore(bytes int64) (freed int64) {
	for _, r := range p.renditions {
		for i, e := range r.entries {
			if freed >= bytes {
				return freed
			}
			if e.data == nil || !e.stored.Load() {
				continue
			}
			bare := *e
			bare.data = nil
			r.entries[i] = &bare
			freed += e.seg.Size
		}
	}
	return freed
}

// shorten removes the oldest segment from all playlists. It reports false if
// they are as short as they may be.
func (p *publisher) shorten(least int, now time.Time) bool {
	if len(p.renditions) == 0 {
		return false
	}
	from := p.from()
	for i, r := range p.renditions {
		for listed := r.window.Listed(); len(listed) > 0 && listed[0].Sequence <= from; listed = r.window.Listed() {
			if r.window.Shorten(least, p.targets(), now) {
				continue
			}
			if i == 0 {
				return false
			}
			break
		}
	}
	return true
}

// release lets go of the oldest removed segments that free so many bytes, as
// far as they may go, and returns them.
func (p *publisher) release(bytes int64, early bool, now time.Time) (gone []*segmenter.Segment) {
	if len(p.renditions) == 0 {
		return nil
	}
	main := p.renditions[0]
	if len(main.entries) == 0 {
		return nil
	}
	// Renditions hold the same numbers: those before this one shall go.
	until := main.entries[0].seg.Sequence
	for _, e := range main.entries {
		if bytes <= 0 {
			break
		}
		if e.data != nil {
			until = e.seg.Sequence + 1
		}
		for _, r := range p.renditions {
			bytes -= r.weight(e.seg.Sequence)
		}
	}
	for _, r := range p.renditions {
		n := 0
		for n < len(r.entries) && r.entries[n].seg.Sequence < until {
			n++
		}
		gone = append(gone, r.window.Release(n, early, now)...)
		r.trim()
	}
	return gone
}

// weight returns how many bytes the entry of a number holds in memory.
func (r *rendition) weight(sequence uint64) int64 {
	if len(r.entries) == 0 || sequence < r.entries[0].seg.Sequence {
		return 0
	}
	if i := sequence - r.entries[0].seg.Sequence; i < uint64(len(r.entries)) {
		return r.inMemory(int(i), int(i)+1)
	}
	return 0
}

// fixed returns how many bytes of media a stream holds besides those of the
// windows: segments that are not whole yet, and what only the tails have.
func (s *Stream) fixed(held int64) int64 {
	s.mu.Lock()
	open := s.seg.Held()
	for _, slot := range s.pending {
		for _, seg := range slot.Segments {
			open += seg.Size
		}
	}
	s.mu.Unlock()
	return open + max(0, s.out.bytes()-held-open)
}
