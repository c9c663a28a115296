package check

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"time"
)

// probe makes the requests that caches, browsers and late players make, once
// for each media playlist.
func (w *watch) probe(ctx context.Context, l *list) {
	if ctx.Err() != nil {
		return
	}
	if r := w.fetcher.get(ctx, l.url, nil); r.err == nil && r.status == http.StatusOK {
		w.revalidate(ctx, l.url, r)
		w.identity(ctx, l.url)
	}
	if e := l.newest(); e != nil {
		r := w.fetcher.get(ctx, e.url, nil)
		if r.err == nil && r.status == http.StatusOK {
			if !bytes.Equal(r.body, e.body) {
				w.find("A23", e.url.String(), "a second download has other bytes than the first")
			}
			w.revalidate(ctx, e.url, r)
			w.ranges(ctx, e, r.body)
			w.head(ctx, e.url, r)
		}
		w.missing(ctx, e)
	}
	w.removed(ctx, l)
}

// newest returns the newest segment that was downloaded, nil if there is none.
func (l *list) newest() *entry {
	if n := len(l.fetched); n > 0 && l.fetched[n-1].body != nil {
		return l.fetched[n-1]
	}
	return nil
}

// revalidate: a cache that asks again with the ETag is told that nothing changed (hls-rules D13).
func (w *watch) revalidate(ctx context.Context, u *url.URL, first *response) {
	kind := kindOf(u)
	tag := first.header.Get("ETag")
	if tag == "" {
		w.find("D13", kind, "there is no ETag: caches must fetch the whole again to renew it")
		return
	}
	r := w.fetcher.get(ctx, u, http.Header{"If-None-Match": {tag}})
	switch {
	case r.err != nil:
	case r.status == http.StatusNotModified && r.size > 0:
		w.find("D13", kind, "304 comes with a body")
	case r.status == http.StatusNotModified && r.header.Get("Access-Control-Allow-Origin") == "":
		w.find("D18", kind, "304 comes without Access-Control-Allow-Origin")
	case r.status == http.StatusOK && r.header.Get("ETag") == tag:
		w.find("D13", kind, "If-None-Match with the present ETag answers 200, which should be 304")
	}
}

// identity: who does not ask for gzip must not get it (hls-rules D03).
func (w *watch) identity(ctx context.Context, u *url.URL) {
	for _, accept := range []string{"identity", "gzip;q=0"} {
		r := w.fetcher.get(ctx, u, http.Header{"Accept-Encoding": {accept}})
		if r.err == nil && r.header.Get("Content-Encoding") != "" {
			w.find("D03", u.String(), "Accept-Encoding: %s is answered with Content-Encoding %q", accept, r.header.Get("Content-Encoding"))
		}
	}
}

// ranges asks for parts of a segment (hls-rules D14).
func (w *watch) ranges(ctx context.Context, e *entry, whole []byte) {
	if len(whole) < 2 {
		return
	}
	last := min(len(whole), 188) - 1
	r := w.fetcher.get(ctx, e.url, http.Header{"Range": {fmt.Sprintf("bytes=0-%d", last)}})
	want := fmt.Sprintf("bytes 0-%d/%d", last, len(whole))
	switch {
	case r.err != nil:
	case r.status == http.StatusOK:
		w.find("D14", e.folder(), "Range is ignored: 200 instead of 206")
		return
	case r.status != http.StatusPartialContent:
		w.find("D14", e.folder(), "Range: bytes=0-%d answers %d, which should be 206", last, r.status)
		return
	case r.header.Get("Content-Range") != want:
		w.find("D14", e.folder(), "Content-Range is %q, which should be %q", r.header.Get("Content-Range"), want)
	case !bytes.Equal(r.body, whole[:last+1]):
		w.find("D14", e.folder(), "206 has other bytes than the same range of the whole")
	}
	beyond := w.fetcher.get(ctx, e.url, http.Header{"Range": {fmt.Sprintf("bytes=%d-", len(whole))}})
	if beyond.err == nil && beyond.status != http.StatusRequestedRangeNotSatisfiable {
		w.find("D14", e.folder(), "a Range behind the end answers %d, which should be 416", beyond.status)
	}
}

// head: HEAD has the header fields of GET and no body (hls-rules D17).
func (w *watch) head(ctx context.Context, u *url.URL, get *response) {
	r := w.fetcher.do(ctx, http.MethodHead, u, nil)
	if r.err != nil {
		return
	}
	if r.status != get.status {
		w.find("D17", kindOf(u), "HEAD answers %d where GET answers %d", r.status, get.status)
		return
	}
	for _, name := range []string{"Content-Type", "Content-Length", "ETag", "Cache-Control"} {
		if a, b := r.header.Get(name), get.header.Get(name); a != b {
			w.find("D17", kindOf(u), "%s is %q for HEAD and %q for GET", name, a, b)
		}
	}
}

// missing: an error is readable by pages of other sites, and not kept for long (hls-rules D07, D18, D24).
func (w *watch) missing(ctx context.Context, e *entry) {
	u := *e.url
	u.Path = path.Dir(u.Path) + "/no-such-segment" + path.Ext(u.Path)
	r := w.fetcher.get(ctx, &u, nil)
	if r.err != nil {
		return
	}
	if r.status != http.StatusNotFound && r.status != http.StatusGone {
		w.find("D24", e.folder(), "a segment that never was answers %d, which should be 404", r.status)
	}
	if r.header.Get("Access-Control-Allow-Origin") == "" {
		w.find("D18", e.folder(), "%d comes without Access-Control-Allow-Origin: pages cannot tell it from a broken network", r.status)
	}
	if r.header.Get("Cache-Control") == "" {
		w.find("D08", e.folder(), "%d comes without Cache-Control: caches will guess how long to keep it", r.status)
	}
}

// removed: a segment that left the list can be had for as long again as it
// could be listed (hls-rules A36). The one that left last is the strictest
// sample that needs no waiting; the first is another.
func (w *watch) removed(ctx context.Context, l *list) {
	var gone []*entry
	for _, e := range l.fetched {
		if !e.removed.IsZero() && e.segment != nil {
			gone = append(gone, e)
		}
	}
	if len(gone) > 2 {
		gone = []*entry{gone[0], gone[len(gone)-1]}
	}
	for _, e := range gone {
		since := time.Since(e.removed)
		if since > e.info.Duration.Std()+e.window {
			continue
		}
		if r := w.fetcher.get(ctx, e.url, nil); r.err == nil && r.status != http.StatusOK {
			w.find("A36", e.url.String(), "it answers %d only %.0f s after it left the list; it must stay for its duration and the list's, %.0f s",
				r.status, since.Seconds(), (e.info.Duration.Std() + e.window).Seconds())
		}
	}
}

// kindOf returns the subject of a finding that is about all URLs like u.
func kindOf(u *url.URL) string {
	if path.Ext(u.Path) == ".m3u8" {
		return u.String()
	}
	return (&entry{url: u}).folder()
}
