// Package check holds HLS playlists to the rules of the field: each answer by
// itself, against the earlier ones of the same URL, and against the other
// playlists of the presentation. It fetches nothing and reads no clock: the
// caller polls, as a player would, and hands over what came.
//
// A rule has the ID of the project's list (A13, B12, D08, ...), which names its
// source: RFC 8216, draft-pantos-hls-rfc8216bis-22, Apple's HLS Authoring
// Specification, or what players are known to do. Rules about the bytes of
// segments are the caller's, who adds its findings with [Checker.Add]. Tags of
// Low-Latency HLS are read, but only their form is checked.
package check

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Level is how binding a rule is.
type Level uint8

const (
	Should Level = iota // a MUST of nobody: play may suffer
	Must                // breaks a standard, or players
	// Ours is a rule that headwater holds itself to. Its findings are Must for
	// a checker with [Options].House, and Should otherwise.
	Ours
)

// String returns the level as standards spell it.
func (l Level) String() string {
	switch l {
	case Must:
		return "MUST"
	case Ours:
		return "OURS"
	}
	return "SHOULD"
}

// Finding is one broken rule.
type Finding struct {
	Rule    string    // ID, such as "A13"
	Level   Level     // Must or Should
	Subject string    // URL that it is about
	At      time.Time // when it was seen first
	Text    string    // a plain sentence
}

// Options are how strict a [Checker] is.
type Options struct {
	// House makes the rules that headwater sets itself binding, for checking
	// its own output. Without it they are recommendations.
	House bool
}

// Response is the answer to one request for a playlist.
type Response struct {
	URL    string
	At     time.Time
	Status int
	Header http.Header
	Body   []byte // without its Content-Encoding, which Header still has
	// Asked is the header of the request; nil if it is not known, and then
	// rules of content negotiation are left out.
	Asked http.Header
}

// Limits of what a Checker remembers.
const (
	maxFindings = 100    // of one rule and subject; further ones are dropped
	maxSegments = 50_000 // of one playlist; the oldest are forgotten
)

// Checker collects findings. It is not safe for concurrent use.
type Checker struct {
	options  Options
	findings []Finding
	seen     map[[3]string]bool // rule, subject and text of each finding
	counts   map[[2]string]int  // findings of each rule and subject
	lists    map[string]*list   // by URL
	order    []string           // of lists, as they were first seen
}

// New returns a checker that has seen nothing.
func New(o Options) *Checker {
	return &Checker{
		options: o,
		seen:    make(map[[3]string]bool),
		counts:  make(map[[2]string]int),
		lists:   make(map[string]*list),
	}
}

// Observe checks one answer. Those of one URL must come in the order of At.
func (c *Checker) Observe(r Response) {
	l := c.lists[r.URL]
	if l == nil {
		l = &list{url: r.URL, seen: make(map[uint64]*seen)}
		c.lists[r.URL] = l
		c.order = append(c.order, r.URL)
	}
	now := newSnapshot(r)
	v := &view{now: now, list: l, before: l.last, checker: c}
	for i := range now.faults {
		v.rule = &rule{id: now.faults[i].rule, level: Must}
		v.fault("%s", now.faults[i].text)
	}
	for section := range sections() {
		for i := range section {
			if v.rule = &section[i]; v.rule.scope.holds(now) {
				v.rule.check(v)
			}
		}
	}
	if now.list() {
		l.remember(now)
		l.last = now
	}
}

// Add adds a finding from elsewhere. One that is there already is dropped. The
// level Ours becomes what [Options] say.
func (c *Checker) Add(f Finding) {
	if f.Level == Ours {
		if f.Level = Should; c.options.House {
			f.Level = Must
		}
	}
	key, kind := [3]string{f.Rule, f.Subject, f.Text}, [2]string{f.Rule, f.Subject}
	if c.seen[key] || c.counts[kind] >= maxFindings {
		return
	}
	c.seen[key] = true
	c.counts[kind]++
	c.findings = append(c.findings, f)
}

// Findings returns what was found so far, in the order it was. The slice is
// the caller's.
func (c *Checker) Findings() []Finding { return slices.Clone(c.findings) }

// presentation returns the media playlists that have been seen and belong to
// the same multivariant playlist as l, l among them; only l if no multivariant
// playlist names it.
func (c *Checker) presentation(l *list) []*list {
	for _, u := range c.order {
		multi := c.lists[u]
		if multi.last == nil || multi.last.multivariant == nil {
			continue
		}
		names := multi.last.mediaURLs()
		if !slices.Contains(names, l.url) {
			continue
		}
		var all []*list
		for _, name := range names {
			if m := c.lists[name]; m != nil && m.last != nil && m.last.media != nil {
				all = append(all, m)
			}
		}
		return all
	}
	return []*list{l}
}

// view is what a rule looks at.
type view struct {
	now     *snapshot // the answer to check
	before  *snapshot // the last playlist of the same URL; nil if this is the first
	list    *list     // what is known of the URL, without now
	checker *Checker
	rule    *rule
}

// fault adds a finding of the rule at hand.
func (v *view) fault(format string, args ...any) {
	v.checker.Add(Finding{
		Rule:    v.rule.id,
		Level:   v.rule.level,
		Subject: v.now.URL,
		At:      v.now.At,
		Text:    fmt.Sprintf(format, args...),
	})
}
