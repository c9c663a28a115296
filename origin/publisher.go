package origin

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"headwater/mux"
	"headwater/segmenter"
)

// publisher turns closed slots into snapshots. One goroutine owns it.
type publisher struct {
	stream       string
	window       segmenter.WindowConfig
	publishAfter int
	spool        *spool // nil: memory only
	log          *slog.Logger
	// fix has the measured bandwidths written into the record (hls-rules B03).
	// It returns those in force.
	fix   func(map[string]segmenter.Bandwidth) map[string]segmenter.Bandwidth
	share *share

	targetDuration int // seconds; 0 until it is known

	renditions []*rendition // main first
	tracks     []mux.Track  // that the multivariant playlist names
	next       uint64       // sequence number of the next slot; 0 before the first
	edge       time.Time    // when the newest slot was published that players were told of
	stale      time.Time    // from when the playlists are no longer true
	media      time.Time    // when the newest slot with media was
	open       bool         // publication has begun
	ended      bool
}

// rendition is one window and the entries of all that it holds.
type rendition struct {
	name    string
	suffix  string
	window  *segmenter.Window
	entries []*entry // as window.Held()
}

// settle takes from the record what windows go by: three target durations stay
// listed (hls-rules A33), and half a one more, by which a rendition may be
// shorter than another that decides for both.
func (p *publisher) settle(record *segmenter.Record) {
	p.window.Least = time.Duration(record.TargetDuration) * time.Second * 7 / 2
}

// add lists a slot, after the store has had the chance to take it.
func (p *publisher) add(slot *segmenter.Slot, gen uint64, now time.Time) {
	switch {
	case slot.Sequence < p.next:
		p.log.Error("slot came twice and was not published", "sequence", slot.Sequence, "expected", p.next)
		return
	case slot.Sequence > p.next && p.next != 0:
		p.log.Error("slots are missing; the window begins anew", "sequence", slot.Sequence, "expected", p.next)
		p.forget(gen)
	}
	segments := p.complete(slot)
	stored := make([]atomic.Bool, len(segments))
	if p.spool != nil {
		p.spool.put(gen, segments, func(i int) { stored[i].Store(true) })
	}
	for i, seg := range segments {
		p.list(seg, &stored[i], now)
	}
	p.next = slot.Sequence + 1
	if !segments[0].Gap {
		p.media = now
	}
	if !segments[0].Gap || now.Before(p.stale) { // gaps alone do not bring back what players were told is away (hls-rules A35, D22)
		p.edge = now
	}
}

// forget has the store remove all that the windows hold: they drop it when a
// number does not follow.
func (p *publisher) forget(gen uint64) {
	if p.spool == nil {
		return
	}
	for _, r := range p.renditions {
		p.spool.remove(gen, r.window.Held())
	}
}

// complete returns the segments of a slot, with gaps for the renditions that
// it lacks: all list the same numbers (hls-rules B18).
func (p *publisher) complete(slot *segmenter.Slot) []*segmenter.Segment {
	segments := slices.Clone(slot.Segments)
	for _, r := range p.renditions {
		if !slices.ContainsFunc(segments, func(s *segmenter.Segment) bool { return s.Rendition == r.name }) {
			segments = append(segments, &segmenter.Segment{
				Rendition: r.name, Suffix: r.suffix, Sequence: slot.Sequence, Start: slot.Start, End: slot.End,
				DSN: slot.Segments[0].DSN, Discontinuity: slot.Segments[0].Discontinuity, Gap: true, Independent: true,
			})
		}
	}
	return segments
}

// list adds one segment to its window.
func (p *publisher) list(seg *segmenter.Segment, stored *atomic.Bool, now time.Time) {
	r := p.rendition(seg)
	e := newEntry(seg, stored, now, p.window.Duration+p.window.Grace)
	r.entries = append(r.entries, e)
	r.suffix = seg.Suffix
	r.window.Add(e.seg, now) // which has no bytes: the entry lets go of them as soon as it can
}

func (p *publisher) rendition(seg *segmenter.Segment) *rendition {
	for _, r := range p.renditions {
		if r.name == seg.Rendition {
			return r
		}
	}
	r := &rendition{name: seg.Rendition, suffix: seg.Suffix, window: segmenter.NewWindow(p.window)}
	p.renditions = append(p.renditions, r)
	return r
}

// expire lets go of what may no longer be fetched, or for what there is no
// memory, and reports whether anything was.
func (p *publisher) expire(gen uint64, now time.Time) bool {
	var gone []*segmenter.Segment
	for _, r := range p.renditions {
		gone = append(gone, r.window.Expire(now)...)
		r.trim()
	}
	changed := len(gone) > 0
	if b := p.share.bound.Load(); b != nil {
		more, confined := p.confine(b, now)
		gone, changed = append(gone, more...), changed || confined
	}
	if p.share.governed.Load() {
		p.share.load.Store(p.weigh())
	}
	if len(gone) > 0 && p.spool != nil {
		p.spool.remove(gen, gone)
	}
	return changed
}

// snapshot makes the snapshot that follows last. status is the segmenter's.
func (p *publisher) snapshot(last *snapshot, status segmenter.Status, now time.Time) (*snapshot, error) {
	s := &snapshot{gen: status.Record.Gen, edge: p.edge, media: p.media, ended: p.ended, changed: make(chan struct{})}
	p.measure(s, &status)
	p.targetDuration = status.Record.TargetDuration
	if !p.ended {
		s.stale = p.edge.Add(2 * time.Duration(status.Record.TargetDuration) * time.Second)
		p.stale = s.stale
	}
	from := p.from()
	for _, r := range p.renditions {
		v := r.view(from)
		if p.open {
			listed := r.window.Listed()
			for len(listed) > 0 && listed[0].Sequence < from {
				listed = listed[1:]
			}
			m := mediaPlaylist(r.name, s.gen, status.Record.TargetDuration, listed, p.ended)
			text, err := render(m, p.stream+"/"+r.name)
			if err != nil {
				return nil, err
			}
			var old *document
			if o := last.rendition(r.name); o != nil {
				old = o.playlist
			}
			v.playlist = p.document(old, text, status, now)
		}
		s.renditions = append(s.renditions, v)
	}
	if p.open {
		m := multivariantPlaylist(p.stream, p.tracks, status.Record, p.names())
		s.variants, s.target = m.Variants, time.Duration(status.Record.TargetDuration)*time.Second
		text, err := render(m, p.stream)
		if err != nil {
			return nil, err
		}
		s.multivariant = p.document(last.multivariant, text, status, now)
	}
	return s, nil
}

// from returns the number that all playlists begin with. The windows may
// differ by one segment, since audio is cut between frames and so is a little
// longer or shorter; a window that still lists one more only keeps it longer.
func (p *publisher) from() uint64 {
	var from uint64
	for _, r := range p.renditions {
		if listed := r.window.Listed(); len(listed) > 0 {
			from = max(from, listed[0].Sequence)
		}
	}
	return from
}

// measure begins publication once there is enough in the window (hls-rules
// A35) and enough is known to write the multivariant playlist.
func (p *publisher) measure(s *snapshot, status *segmenter.Status) {
	if len(status.Tracks) > 0 && (p.tracks == nil || known(status.Tracks)) {
		p.tracks = status.Tracks
	}
	if len(p.renditions) == 0 || p.tracks == nil || status.Record.TargetDuration == 0 {
		return
	}
	for _, seg := range p.renditions[0].window.Listed() {
		if !seg.Gap {
			s.measured++
		}
	}
	p.open = p.open || s.measured >= p.publishAfter
	if !p.open {
		return
	}
	bandwidths := maps.Clone(status.Record.Bandwidth)
	for _, r := range p.renditions {
		if _, ok := bandwidths[r.name]; ok {
			continue
		}
		if bandwidths == nil {
			bandwidths = map[string]segmenter.Bandwidth{}
		}
		bandwidths[r.name] = bandwidth(r.window.Listed(), time.Duration(status.Record.TargetDuration)*time.Second)
	}
	if len(bandwidths) != len(status.Record.Bandwidth) {
		status.Record.Bandwidth = p.fix(bandwidths)
	}
}

// trim lets go of the entries that the window holds no more, and of their bytes.
func (r *rendition) trim() {
	r.entries = slices.Delete(r.entries, 0, max(0, len(r.entries)-len(r.window.Held())))
}

// view brings the entries in line with the window and returns an immutable
// copy of them. from is the number that the playlist begins with.
func (r *rendition) view(from uint64) view {
	r.trim()
	held := r.window.Held()
	v := view{name: r.name, suffix: r.suffix, listed: from}
	if len(held) == 0 {
		return v
	}
	v.first = held[0].Sequence
	for i, e := range r.entries {
		gone, ok := r.window.Expiry(held[i])
		if !ok {
			break // still listed
		}
		r.entries[i] = e.removed(gone)
	}
	v.entries = slices.Clone(r.entries)
	return v
}

// document prepares text for sending, or returns old if that is the same.
//
// Last-Modified is the end of the newest segment, so that two origins say the
// same (hls-rules H23), unless the source's clock has drifted so far that the
// list would look stale or come from the future (A42).
func (p *publisher) document(old *document, text []byte, status segmenter.Status, now time.Time) *document {
	if old != nil && bytes.Equal(old.plain.body, text) {
		return old
	}
	td := time.Duration(status.Record.TargetDuration) * time.Second
	modified := now
	if listed := p.renditions[0].window.Listed(); len(listed) > 0 {
		modified = listed[len(listed)-1].End.Time()
	}
	if modified.After(now) || now.Sub(modified) > 2*td {
		modified = now
	}
	maxAge := max(1, status.Record.TargetDuration/2) // D07
	if p.ended {
		maxAge = 3600
	}
	return newDocument(text, modified, maxAge)
}

// names returns the names of the renditions, main first.
func (p *publisher) names() []string {
	var names []string
	for _, r := range p.renditions {
		names = append(names, r.name)
	}
	return names
}
