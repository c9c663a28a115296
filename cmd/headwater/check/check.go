// Package check watches an HLS stream as a player would and tells which rules
// it breaks: those of the playlists ([headwater/playlist/check]), those of the
// bytes of every segment, and those of HTTP. It works on any server's stream.
package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"headwater/playlist"
	rules "headwater/playlist/check"
)

// Options say what to watch.
type Options struct {
	URL string        // of a multivariant or media playlist; http or https
	For time.Duration // how long to watch; default [DefaultDuration]

	// Client is the transport of all requests; default [http.DefaultTransport].
	Client http.RoundTripper
	// Strict makes the rules that headwater sets itself binding too; otherwise
	// they are recommendations.
	Strict bool
	// Progress, if not nil, is told what was done, in short lines.
	Progress func(line string)
	// Waiting, if not nil, is told why the watch does not begin yet.
	Waiting func(line string)
}

// DefaultDuration is long enough for a few changes of a list with segments of 6 s.
const DefaultDuration = 30 * time.Second

// ErrUnreachable means that there was nothing to check.
var ErrUnreachable = errors.New("no playlist can be had")

// Watch fetches the playlist at o.URL, follows all media playlists that it
// names for o.For, downloads each segment once, and reports what it found. The
// end of ctx ends the watch early; the report is of what was seen. The error
// is about the URL or wraps [ErrUnreachable]; findings are no error.
func Watch(ctx context.Context, o Options) (*Report, error) {
	if o.For <= 0 {
		o.For = DefaultDuration
	}
	if o.Client == nil {
		o.Client = http.DefaultTransport
	}
	base, err := url.Parse(o.URL)
	if err != nil {
		return nil, err
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%s: not an http or https URL", o.URL)
	}
	w := &watch{
		fetcher:  fetcher{transport: o.Client},
		checker:  rules.New(rules.Options{House: o.Strict}),
		progress: o.Progress,
		report:   &Report{URL: base.String(), Started: time.Now()},
		noted:    map[string]bool{},
	}
	if err := w.open(ctx, base, o.Waiting); err != nil {
		return nil, err
	}
	w.report.Started = time.Now()
	w.follow(ctx, w.report.Started.Add(o.For))
	w.finish(ctx)
	return w.report, nil
}

// watch is one run of [Watch]. Everything happens in one goroutine: a player
// that fetches a segment does not poll meanwhile either.
type watch struct {
	fetcher  fetcher
	checker  *rules.Checker
	progress func(string)
	report   *Report

	variants []variant
	lists    []*list
	noted    map[string]bool // notes and findings that are told once
}

// variant is what a multivariant playlist says of one of its media playlists.
type variant struct {
	playlist.Variant
	list *list
}

// open fetches the first playlist and finds out which media playlists there are.
func (w *watch) open(ctx context.Context, base *url.URL, waiting func(string)) error {
	r := w.first(ctx, base, waiting)
	if r.err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, r.err)
	}
	if r.status != http.StatusOK {
		return fmt.Errorf("%w: %s answers %d %s%s", ErrUnreachable, base, r.status, http.StatusText(r.status), quoted(r.body))
	}
	if r.alien != "" {
		return fmt.Errorf("%w: what %s answers %s, not a playlist", ErrUnreachable, base, r.alien)
	}
	multi, err := playlist.ReadMultivariant(r.body)
	if err != nil || len(multi.Variants) == 0 {
		w.lists = append(w.lists, newList(base))
		return nil
	}
	for _, v := range multi.Variants {
		w.variants = append(w.variants, variant{Variant: v, list: w.list(base, v.URI)})
	}
	for _, r := range multi.Renditions {
		if r.URI != "" {
			w.list(base, r.URI)
		}
	}
	return nil
}

// Bounds of how long a watch waits for a server that asks it to.
const (
	maxWaiting = 2 * time.Minute // a stream is measured for at most one
	maxPause   = 10 * time.Second
)

// first fetches the first playlist, and again for as long as the server says
// that it will be there soon: a stream that is being measured.
func (w *watch) first(ctx context.Context, u *url.URL, waiting func(string)) *response {
	told := ""
	for until := time.Now().Add(maxWaiting); ; {
		r := w.observe(ctx, u)
		pause, ok := r.retryAfter()
		if r.err != nil || !ok || time.Now().Add(pause).After(until) {
			return r
		}
		if why := string(firstLine(r.body)); waiting != nil && why != told {
			told = why
			waiting(fmt.Sprintf("waiting for %s, for up to %v: it answers %d%s", u, maxWaiting, r.status, quoted(r.body)))
		}
		if !sleepUntil(ctx, time.Now().Add(pause)) {
			return r
		}
	}
}

// list returns the media playlist at uri, which is made if it is new.
func (w *watch) list(base *url.URL, uri string) *list {
	u, err := base.Parse(uri)
	if err != nil {
		w.find("A04", base.String(), "the URI %q cannot be read: %v", uri, err)
		u = base
	}
	for _, l := range w.lists {
		if l.url.String() == u.String() {
			return l
		}
	}
	l := newList(u)
	w.lists = append(w.lists, l)
	return l
}

// observe fetches a playlist and gives it to the rules. Redirects are followed.
func (w *watch) observe(ctx context.Context, u *url.URL) *response {
	r := w.fetcher.get(ctx, u, nil)
	if r.err != nil {
		return r
	}
	if r.redirected {
		w.find("D04", u.String(), "the playlist is answered with a redirect")
	}
	w.report.Requests++
	if r.status == http.StatusOK {
		if r.alien = alien(r.body); r.alien != "" {
			return r
		}
	}
	w.checker.Observe(rules.Response{URL: u.String(), At: r.at, Status: r.status, Header: r.header, Body: r.body, Asked: r.asked})
	return r
}

// follow polls all media playlists until the given time, each when a player would.
func (w *watch) follow(ctx context.Context, until time.Time) {
	for ctx.Err() == nil {
		next := w.lists[0]
		for _, l := range w.lists[1:] {
			if l.due.Before(next.due) {
				next = l
			}
		}
		if next.due.After(until) || !sleepUntil(ctx, next.due) {
			return
		}
		next.poll(ctx, w)
	}
}

// sleepUntil waits for t and reports whether ctx let it.
func sleepUntil(ctx context.Context, t time.Time) bool {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// finish makes the requests that no player makes, and adds up.
func (w *watch) finish(ctx context.Context) {
	for _, l := range w.lists {
		l.finish(w)
		w.probe(ctx, l)
	}
	w.rates()
	w.report.finish(w)
}

// find notes a broken rule; the same of the same subject is told once.
func (w *watch) find(rule, subject, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if key := rule + subject + text; !w.noted[key] {
		w.noted[key] = true
		w.checker.Add(rules.Finding{Rule: rule, Level: level(rule), Subject: subject, At: time.Now(), Text: text})
	}
}

// note adds a plain sentence that is no finding; it is told once.
func (w *watch) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !w.noted[text] {
		w.noted[text] = true
		w.report.Notes = append(w.report.Notes, text)
	}
}

// tell reports progress.
func (w *watch) tell(format string, args ...any) {
	if w.progress != nil {
		w.progress(fmt.Sprintf(format, args...))
	}
}

// level returns how binding a rule of segments or HTTP is. Those of the
// playlists know theirs.
func level(rule string) rules.Level {
	switch rule {
	case "C09":
		return rules.Should
	case "A51", "C20", "D02", "D13", "D14", "D17", "D18", "D24":
		return rules.Ours
	}
	return rules.Must
}
