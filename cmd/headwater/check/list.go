package check

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"time"

	"headwater/mux"
	"headwater/playlist"
)

// list is one media playlist and what was fetched from it.
type list struct {
	url *url.URL
	due time.Time // when it is polled next; at once at first

	target  time.Duration
	text    string // of the last answer
	window  time.Duration
	next    uint64 // the sequence number after the newest that was looked at
	started bool
	latest  *playlist.Media

	edge    *edge
	anchor  anchor
	fetched []*entry // every segment that was listed since the watch began, oldest first
}

// entry is one listed segment.
type entry struct {
	sequence uint64
	url      *url.URL
	info     playlist.Segment
	segment  *segment // nil if it could not be had, or is a gap
	size     int
	header   http.Header
	body     []byte    // kept for the newest only
	removed  time.Time // when it was first missing from the list
	window   time.Duration
}

// anchor is the segment from which durations are added up.
type anchor struct {
	set    bool
	start  mux.Ticks     // of its media
	sum    time.Duration // of the EXTINF since
	sample int64         // packed audio: samples since
}

// maxBacklog bounds how many segments of the first list are fetched: the
// newest ones, enough for each rule that looks at several.
const maxBacklog = 12

func newList(u *url.URL) *list { return &list{url: u, edge: newEdge()} }

// poll fetches the list once, and then every segment that is new in it.
func (l *list) poll(ctx context.Context, w *watch) {
	asked := time.Now()
	r := w.observe(ctx, l.url)
	wait := max(l.target, time.Second)
	if r.err != nil || r.status != http.StatusOK {
		if ctx.Err() != nil {
			return
		}
		if r.err != nil {
			w.find("A30", l.url.String(), "the playlist could not be had: %v", r.err)
		}
		l.due = asked.Add(wait / 2)
		return
	}
	if r.alien != "" {
		w.find("A02", l.url.String(), "what is answered %s, not a playlist", r.alien)
		l.due = asked.Add(wait)
		return
	}
	media, err := playlist.ReadMedia(r.body)
	if err != nil {
		w.find("A04", l.url.String(), "the playlist cannot be read: %v", err)
		l.due = asked.Add(wait)
		return
	}
	l.target = time.Duration(media.TargetDuration) * time.Second
	wait = max(l.target, time.Second)
	if string(r.body) == l.text {
		wait /= 2 // RFC 8216 §6.3.4
	}
	l.due = asked.Add(wait)
	if media.End {
		l.due = asked.Add(24 * time.Hour)
	}
	l.text, l.latest = string(r.body), media
	l.take(ctx, w, media)
}

// take fetches what is new in media and notes what has gone from it.
func (l *list) take(ctx context.Context, w *watch, media *playlist.Media) {
	l.window = 0
	for i := range media.Segments {
		l.window += media.Segments[i].Duration.Std()
	}
	now := time.Now()
	for _, e := range l.fetched {
		e.window = max(e.window, l.window)
		if e.removed.IsZero() && e.sequence < media.Sequence {
			e.removed = now
		}
	}
	if !l.started {
		l.started = true
		l.next = media.Sequence + uint64(max(0, len(media.Segments)-maxBacklog))
	}
	for i := range media.Segments {
		sequence := media.Sequence + uint64(i)
		if sequence < l.next {
			continue
		}
		if sequence > l.next {
			l.skip() // the watch was too slow, or the list jumped: the checker tells
		}
		l.next = sequence + 1
		l.fetch(ctx, w, sequence, media.Segments[i])
		if ctx.Err() != nil {
			return
		}
	}
}

// fetch downloads one segment and looks at it.
func (l *list) fetch(ctx context.Context, w *watch, sequence uint64, info playlist.Segment) {
	u, err := l.url.Parse(info.URI)
	if err != nil {
		w.find("A04", l.url.String(), "the URI %q cannot be read: %v", info.URI, err)
		return
	}
	e := &entry{sequence: sequence, url: u, info: info, window: l.window}
	l.fetched = append(l.fetched, e)
	if info.Discontinuity || info.Gap {
		l.skip()
	}
	if info.Gap {
		l.gap(ctx, w, e)
		return
	}
	r := w.fetcher.get(ctx, u, nil)
	if ctx.Err() != nil {
		return
	}
	w.report.Requests++
	if !w.arrived(e, r) {
		l.skip()
		return
	}
	w.report.Segments++
	w.report.Bytes += int64(len(r.body))
	e.header, e.size, e.body = r.header, len(r.body), r.body
	if n := len(l.fetched); n > 1 {
		l.fetched[n-2].body = nil
	}
	e.segment = examine(r.body, l.edge)
	for _, p := range e.segment.problems {
		w.find(p.rule, u.String(), "%s", p.text)
	}
	w.tell("%s: %v, %d bytes", path.Base(u.Path), info.Duration.Std(), len(r.body))
	l.measure(w, e)
}

// skip forgets what the next segment would have to go on from.
func (l *list) skip() {
	l.edge = newEdge()
	l.anchor = anchor{}
}

// gap holds a gap to hls-rules A51: its URI answers 404 at once.
func (l *list) gap(ctx context.Context, w *watch, e *entry) {
	r := w.fetcher.get(ctx, e.url, nil)
	if r.err == nil && r.status != http.StatusNotFound {
		w.find("A51", e.url.String(), "the segment is marked EXT-X-GAP but its URI answers %d, which should be 404", r.status)
	}
}

// arrived holds the answer for a segment to the rules of HTTP (hls-rules A31, D01-D03, D08, D18, D19).
func (w *watch) arrived(e *entry, r *response) bool {
	subject := e.url.String()
	if r.err != nil {
		w.find("A31", subject, "the segment is listed but could not be had: %v", r.err)
		return false
	}
	if r.status != http.StatusOK {
		w.find("A31", subject, "the segment is listed but answers %d%s", r.status, quoted(r.body))
		return false
	}
	if r.redirected {
		w.note("Segments are answered with redirects, which costs each viewer a round trip.")
	}
	if took, length := r.done.Sub(r.at), e.info.Duration.Std(); took > length/2 && took > time.Second {
		w.find("A31", subject, "its download took %.1f s for %.1f s of media", took.Seconds(), length.Seconds())
	}
	kind := recognise(r.body)
	if got := mediaType(r.header); kind.mediaType() != "" && !sameType(kind, got) {
		w.find("D01", e.folder(), "%v segments come as Content-Type %q, which should be %q", kind, got, kind.mediaType())
	}
	if got := path.Ext(e.url.Path); kind.suffix() != "" && got != kind.suffix() && !(kind == containerMP4 && got == ".mp4") {
		w.find("D02", e.folder(), "%v segments have URLs that end in %q: ffmpeg refuses those that do not end in %q", kind, got, kind.suffix())
	}
	if r.header.Get("Content-Encoding") != "" {
		w.find("D03", e.folder(), "segments come with Content-Encoding %q; only playlists should", r.header.Get("Content-Encoding"))
	}
	if r.header.Get("Cache-Control") == "" {
		w.find("D08", e.folder(), "segments come without Cache-Control: caches will guess how long to keep them")
	}
	if r.header.Get("Access-Control-Allow-Origin") == "" {
		w.find("D18", e.folder(), "segments come without Access-Control-Allow-Origin: pages of other sites cannot play them")
	}
	return true
}

// folder returns the subject of a finding that is about all segments of a list.
func (e *entry) folder() string {
	u := *e.url
	u.Path, u.RawQuery = path.Dir(u.Path)+"/", ""
	return u.String()
}
