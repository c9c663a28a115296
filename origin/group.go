package origin

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"headwater/origin/http1"
	"headwater/playlist"
	"headwater/segmenter"
)

// group is several streams of one programme, at several bit rates, that are
// served as one: /{group}.m3u8 names the renditions of all that are live, so
// that a player has the choice. The grid gives the same number to what is at
// the same time in each, if their target durations are equal, and the numbering
// keeps it so (hls-rules B16-B19).
type group struct {
	name    string
	members []*Stream // by name
	log     *slog.Logger

	mu     sync.Mutex // serialises writing
	listed atomic.Pointer[listedGroup]
	uneven bool // it was told that target durations differ; guarded by mu
}

// listedGroup is a playlist and what it was made of. It is immutable.
type listedGroup struct {
	from []*document // the multivariant playlist of each member, nil of one that is not live
	text *document   // nil if none is
}

// AddGroup publishes streams that were added as one group. The error says that
// the name is taken, or that a path would mean two things.
func (s *Server) AddGroup(name string, members ...*Stream) error {
	if len(members) == 0 {
		return fmt.Errorf("group %s has no streams", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for other := range *s.streams.Load() {
		if other == name {
			return fmt.Errorf("group %s has the name of a stream: call it something else", name)
		}
		if err := distinct(other, name); err != nil {
			return err
		}
	}
	groups := maps.Clone(*s.groups.Load())
	if groups[name] != nil {
		return fmt.Errorf("group %s exists already", name)
	}
	g := &group{name: name, members: slices.Clone(members), log: s.log.With("group", name)}
	slices.SortFunc(g.members, func(a, b *Stream) int { return cmp.Compare(a.Name(), b.Name()) })
	groups[name] = g
	s.groups.Store(&groups)
	n := new(numbering)
	for _, m := range g.members {
		m.number(n)
	}
	return nil
}

// numbering is what the segments of a group's streams are numbered by. It is
// safe for concurrent use.
type numbering struct {
	mu       sync.Mutex
	furthest segmenter.Alignment // guarded by mu
}

// raise returns the furthest alignment of all streams, of which a is one's.
func (n *numbering) raise(a segmenter.Alignment) segmenter.Alignment {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.furthest = n.furthest.Max(a)
	return n.furthest
}

// number has the stream numbered like others from now on.
func (s *Stream) number(n *numbering) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers = n
	n.raise(s.seg.Alignment())
}

// align has the stream's numbers follow those of its group, which is told of a
// source that was replaced here: then all streams have a DISCONTINUITY, and each
// number stays at its time (hls-rules B18, B19). The caller holds s.mu.
func (s *Stream) align() {
	if s.numbers != nil {
		s.seg.Align(s.numbers.raise(s.seg.Alignment()))
	}
}

// group returns the group of a name, or nil.
func (s *Server) group(name string) *group { return (*s.groups.Load())[name] }

// answerGroup answers for the playlist of a group.
func (s *Server) answerGroup(req *http1.Request, rep *http1.Reply, g *group) {
	now := time.Now()
	d, err := g.document(now)
	switch {
	case err != nil:
		g.log.Error("playlist of a group cannot be written", "error", err)
		s.refuse(rep, http.StatusInternalServerError, s.headers.brief, "the playlist of group "+g.name+" cannot be written")
	case d == nil:
		s.refuse(rep, http.StatusServiceUnavailable, s.headers.brief, "no stream of group "+g.name+" is live: "+g.members[0].reason(now))
	default:
		s.answerDocument(req, rep, d)
	}
}

// document returns the playlist, nil if no member is live. It is written anew
// only if a member's has changed, or another one is live.
func (g *group) document(now time.Time) (*document, error) {
	if l := g.listed.Load(); l != nil && g.holds(l, now) {
		return l.text, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	l, err := g.list(now)
	if err != nil {
		return nil, err
	}
	g.listed.Store(l)
	return l.text, nil
}

// holds reports whether a playlist is still what the members make.
func (g *group) holds(l *listedGroup, now time.Time) bool {
	for i, m := range g.members {
		if _, d := m.listed(now); d != l.from[i] {
			return false
		}
	}
	return true
}

// listed returns the snapshot and the multivariant playlist of a stream, if
// that may be served.
func (s *Stream) listed(now time.Time) (*snapshot, *document) {
	snap := s.snapshot.Load()
	if !s.fresh(snap, now) {
		return snap, nil
	}
	return snap, snap.multivariant
}

// list writes the playlist. The caller holds g.mu.
func (g *group) list(now time.Time) (*listedGroup, error) {
	l := &listedGroup{from: make([]*document, len(g.members))}
	var variants []playlist.Variant
	var modified time.Time
	targets := map[time.Duration]bool{}
	for i, m := range g.members {
		snap, d := m.listed(now)
		if l.from[i] = d; d == nil {
			continue
		}
		for _, v := range snap.variants {
			v.URI = g.relative(m.Name(), v.URI)
			variants = append(variants, v)
		}
		if d.modified.After(modified) {
			modified = d.modified
		}
		targets[snap.target] = true
	}
	if len(variants) == 0 {
		return l, nil
	}
	if uneven := len(targets) > 1; uneven != g.uneven {
		if g.uneven = uneven; uneven {
			g.log.Warn("the streams of the group have segments of different length, so players cannot change between them without a seam: let their encoders send keyframes as often")
		}
	}
	text, err := render(&playlist.Multivariant{Version: 3, Variants: order(variants)}, g.name)
	if err != nil {
		return nil, err
	}
	maxAge := time.Minute
	for target := range targets {
		maxAge = min(maxAge, target/2) // D07
	}
	if last := g.listed.Load(); last != nil && last.text != nil && string(last.text.plain.body) == string(text) {
		l.text = last.text
	} else {
		l.text = newDocument(text, modified, max(1, int(maxAge/time.Second)))
	}
	return l, nil
}

// relative returns the URI of a member's rendition as seen from the group's
// playlist (hls-rules B22). uri is as seen from the member's.
func (g *group) relative(member, uri string) string {
	_, rendition, _ := strings.Cut(uri, "/")
	return strings.Repeat("../", strings.Count(g.name, "/")) + member + "/" + rendition
}

// order puts first what a player is to start with, the variant in the middle,
// and then the others by their rate (hls-rules B21). Sound without pictures is
// named once: that of the lowest rate.
func order(variants []playlist.Variant) []playlist.Variant {
	slices.SortStableFunc(variants, func(a, b playlist.Variant) int { return cmp.Compare(b.Bandwidth, a.Bandwidth) })
	var main, sound []playlist.Variant
	for _, v := range variants {
		if strings.HasSuffix(v.URI, "/"+segmenter.RenditionMain+".m3u8") {
			main = append(main, v)
		} else {
			sound = append(sound, v)
		}
	}
	if middle := len(main) / 2; middle > 0 {
		first := main[middle]
		main = slices.Insert(slices.Delete(main, middle, middle+1), 0, first)
	}
	return append(main, sound[max(0, len(sound)-1):]...)
}
