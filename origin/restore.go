package origin

import (
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"headwater/mux"
	"headwater/mux/ts"
	"headwater/segmenter"
)

// restore fills the windows from the store, so that players notice nothing of
// a restart (hls-rules H21), and returns the newest slot that was published.
func (s *Stream) restore(registry segmenter.Registry) (*segmenter.Slot, error) {
	if s.spool == nil {
		return nil, nil
	}
	record, err := registry.Load()
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", s.cfg.Name, err)
	}
	contents, err := s.cfg.Store.Segments(record.Gen)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", s.cfg.Name, err)
	}
	for _, note := range contents.Notes {
		s.log.Warn("store was damaged", "note", note)
	}
	slots, partial := slotsOf(append(contents.Segments, gaps(contents.Lost)...))
	s.spool.remove(record.Gen, partial)
	if _, err := s.cfg.Store.Clean(record.Gen); err != nil {
		s.log.Warn("store keeps files that nobody needs", "error", err)
	}
	s.publisher.settle(&record)
	s.resume(registry, record, slots)
	if len(slots) == 0 {
		return nil, nil
	}
	now := time.Now()
	p := &s.publisher
	for _, slot := range slots {
		for _, seg := range p.complete(slot) {
			stored := new(atomic.Bool)
			stored.Store(true)
			p.list(seg, stored, now)
		}
	}
	last := slots[len(slots)-1]
	p.next, p.edge = last.Sequence+1, last.End.Time().Add(s.cfg.Segmenter.Latency)
	if p.edge.After(now) {
		p.edge = now
	}
	p.media = p.edge
	p.tracks = s.probe(record.Gen)
	s.log.Info("stream goes on from the store", "sequence", last.Sequence, "segments", len(slots))
	return last, nil
}

// resume has the windows begin where the playlists began, also if they were
// configured otherwise, and the record say how they are now (hls-rules A21).
func (s *Stream) resume(registry segmenter.Registry, record segmenter.Record, slots []*segmenter.Slot) {
	was, is := record.Listing, s.publisher.window.Listing(0)
	if was == (segmenter.Listing{}) {
		was = is
	}
	windows := map[*rendition]*segmenter.Window{}
	for _, slot := range slots {
		for _, seg := range slot.Segments {
			r := s.publisher.rendition(seg)
			if windows[r] == nil {
				windows[r] = was.Window(s.publisher.window.Least)
			}
			windows[r].Add(seg, time.Time{})
		}
	}
	is.First = was.First
	var longest time.Duration
	for _, w := range windows {
		listed := w.Listed()
		if len(listed) > 0 {
			is.First = max(is.First, listed[0].Sequence)
		}
		longest = max(longest, w.Longest())
	}
	for r := range windows {
		r.window.Resume(is.First, longest)
	}
	if was.First = is.First; was == is && record.Listing != (segmenter.Listing{}) {
		return // where they began follows from what is held
	}
	record.Revision++
	record.Listing = is
	if _, err := registry.Propose(record); err != nil {
		s.log.Warn("the record does not say how long the playlists are; a longer window at the next start may list segments again that were removed", "error", err)
	}
}

// gaps returns segments as gaps: their numbers were published, their bytes are lost.
func gaps(lost []*segmenter.Segment) []*segmenter.Segment {
	out := make([]*segmenter.Segment, len(lost))
	for i, seg := range lost {
		out[i] = &segmenter.Segment{
			Rendition: seg.Rendition, Suffix: seg.Suffix, Sequence: seg.Sequence, Start: seg.Start, End: seg.End,
			DSN: seg.DSN, Discontinuity: seg.Discontinuity, Gap: true, Independent: true,
		}
	}
	return out
}

// slotsOf groups stored segments into slots, oldest first, with contiguous
// numbers up to the newest that all its renditions have: a process that died
// between two files of a slot had not published it, and returns those files as
// partial. What lies before a hole is partial too.
func slotsOf(segments []*segmenter.Segment) (slots []*segmenter.Slot, partial []*segmenter.Segment) {
	bySequence := map[uint64]*segmenter.Slot{}
	newest := map[string]uint64{}
	for _, seg := range segments {
		slot := bySequence[seg.Sequence]
		if slot == nil {
			slot = &segmenter.Slot{Sequence: seg.Sequence, Start: seg.Start, End: seg.End}
			bySequence[seg.Sequence] = slot
			slots = append(slots, slot)
		}
		slot.Segments = append(slot.Segments, seg)
		newest[seg.Rendition] = max(newest[seg.Rendition], seg.Sequence)
	}
	slices.SortFunc(slots, func(a, b *segmenter.Slot) int {
		return int(int64(a.Sequence - b.Sequence))
	})
	complete := ^uint64(0)
	for _, n := range newest {
		complete = min(complete, n)
	}
	from := 0
	for i, slot := range slots {
		slices.SortFunc(slot.Segments, mainFirst)
		if slot.Segments[0].Rendition == segmenter.RenditionMain {
			slot.Start, slot.End = slot.Segments[0].Start, slot.Segments[0].End
		}
		if i > 0 && slot.Sequence != slots[i-1].Sequence+1 && slot.Sequence <= complete {
			from = i
		}
	}
	to := len(slots)
	for to > from && slots[to-1].Sequence > complete {
		to--
	}
	for i, slot := range slots {
		if i < from || i >= to {
			partial = append(partial, slot.Segments...)
		}
	}
	return slots[from:to], partial
}

func mainFirst(a, b *segmenter.Segment) int {
	rank := func(s *segmenter.Segment) int {
		if s.Rendition == segmenter.RenditionMain {
			return 0
		}
		return 1
	}
	return rank(a) - rank(b)
}

// probeBytes is how much of a stored segment is read to learn its codecs.
const probeBytes = 4 << 20

// probe reads the tracks of the newest stored segment of the main rendition,
// so that the multivariant playlist can be written before a source is back, and
// what it sounds like, for a standby. It returns nil if that cannot be told.
func (s *Stream) probe(gen uint64) []mux.Track {
	main := s.publisher.renditions[0]
	for _, e := range slices.Backward(main.entries) {
		if e.seg.Gap {
			continue
		}
		f, err := s.cfg.Store.Open(main.name, gen, e.seg.Sequence, e.seg.Suffix)
		if err != nil {
			return nil
		}
		defer f.Close()
		return tracksOf(io.LimitReader(f, probeBytes), s.listen)
	}
	return nil
}

// tracksOf returns the tracks of a transport stream, with what their bytes say
// as far as r goes. listen is called with the units that were read for that.
func tracksOf(r io.Reader, listen func([]*mux.Unit)) []mux.Track {
	d := ts.NewDemuxer(ts.Options{})
	for {
		n, err := r.Read(d.Buffer())
		listen(d.Advance(n))
		if err != nil {
			listen(d.Flush())
		}
		p := d.Program()
		switch {
		case p != nil && (err != nil || known(p.Tracks)):
			return p.Tracks
		case err != nil:
			return nil
		}
	}
}

// known reports whether the parameters of all sound and pictures are.
func known(tracks []mux.Track) bool {
	return !slices.ContainsFunc(tracks, func(t mux.Track) bool {
		return (t.Codec.Audio() || t.Codec.Video()) && !t.Parameters.Known()
	})
}
