package check

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	rules "headwater/playlist/check"
)

// Report is what a watch found.
type Report struct {
	URL       string           `json:"url"`
	Started   time.Time        `json:"started"`
	Seconds   float64          `json:"seconds"` // how long it watched
	Requests  int              `json:"requests"`
	Segments  int              `json:"segments"` // downloaded
	Bytes     int64            `json:"bytes"`    // of segments
	Playlists []PlaylistReport `json:"playlists"`
	Findings  []Finding        `json:"findings"` // by rule, MUST before SHOULD
	Notes     []string         `json:"notes"`    // plain sentences that are no findings
}

// PlaylistReport is about one media playlist.
type PlaylistReport struct {
	URL            string   `json:"url"`
	TargetDuration float64  `json:"target_duration"` // seconds
	Window         float64  `json:"window"`          // seconds of media listed at last
	Segments       int      `json:"segments"`        // downloaded
	Container      string   `json:"container"`
	Tracks         []string `json:"tracks"` // RFC 6381 strings, or names where there is none
}

// Finding is a broken rule and all places where it was seen broken in that way.
type Finding struct {
	Rule    string    `json:"rule"`
	Level   string    `json:"level"` // MUST or SHOULD
	Text    string    `json:"text"`
	Subject string    `json:"subject"` // URL where it was first seen
	At      time.Time `json:"at"`      // when it was first seen
	Count   int       `json:"count"`   // how often, the first included
}

// Must returns the number of findings that break a MUST.
func (r *Report) Must() int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == levelMust {
			n++
		}
	}
	return n
}

const (
	levelMust   = "MUST"
	levelShould = "SHOULD"
)

// finish fills the report at the end of the watch.
func (r *Report) finish(w *watch) {
	r.Seconds = time.Since(r.Started).Seconds()
	r.Playlists = []PlaylistReport{}
	for _, l := range w.lists {
		r.Playlists = append(r.Playlists, l.report())
	}
	r.Findings = group(w.checker.Findings())
	if r.Notes == nil {
		r.Notes = []string{}
	}
}

func (l *list) report() PlaylistReport {
	p := PlaylistReport{URL: l.url.String(), TargetDuration: l.target.Seconds(), Window: l.window.Seconds(), Tracks: []string{}}
	for _, e := range l.fetched {
		if e.segment != nil {
			p.Segments++
			p.Container = e.segment.container.String()
		}
	}
	for _, t := range l.tracks() {
		name := t.Parameters.CodecString
		if name == "" {
			name = t.Codec.String()
		}
		p.Tracks = append(p.Tracks, name)
	}
	return p
}

// group joins findings of one rule whose texts differ in numbers only, and sorts them.
func group(all []rules.Finding) []Finding {
	index := map[string]int{}
	grouped := []Finding{}
	for _, f := range all {
		key := f.Rule + "\x00" + withoutNumbers(f.Text)
		if i, ok := index[key]; ok {
			grouped[i].Count++
			continue
		}
		index[key] = len(grouped)
		level := levelMust
		if f.Level == rules.Should {
			level = levelShould
		}
		grouped = append(grouped, Finding{Rule: f.Rule, Level: level, Text: f.Text, Subject: f.Subject, At: f.At, Count: 1})
	}
	slices.SortStableFunc(grouped, func(a, b Finding) int {
		if a.Level != b.Level {
			return strings.Compare(a.Level, b.Level)
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return grouped
}

// withoutNumbers replaces every run of digits, so that texts can be compared.
func withoutNumbers(s string) string {
	digit := false
	return strings.Map(func(r rune) rune {
		was := digit
		digit = r >= '0' && r <= '9'
		switch {
		case digit && was:
			return -1
		case digit:
			return '0'
		}
		return r
	}, s)
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, watched for %.0f s: %d segments, %.1f MB\n", r.URL, r.Seconds, r.Segments, float64(r.Bytes)/1e6)
	for _, p := range r.Playlists {
		fmt.Fprintf(&b, "  %s: target duration %.0f s, window %.0f s, %d segments of %s with %s\n",
			p.URL, p.TargetDuration, p.Window, p.Segments, either(p.Container, "nothing"), either(strings.Join(p.Tracks, ", "), "nothing known"))
	}
	for _, f := range r.Findings {
		times := ""
		if f.Count > 1 {
			times = fmt.Sprintf(" (%d times)", f.Count)
		}
		fmt.Fprintf(&b, "\n%-6s %s  %s%s\n            %s\n", f.Level, f.Rule, f.Text, times, f.Subject)
	}
	if len(r.Notes) > 0 {
		b.WriteByte('\n')
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note: %s\n", n)
	}
	must := r.Must()
	fmt.Fprintf(&b, "\n%s\n", verdict(must, len(r.Findings)-must))
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict returns the last line.
func verdict(must, should int) string {
	switch {
	case must == 0 && should == 0:
		return "No rule is broken."
	case must == 0:
		return fmt.Sprintf("No MUST is broken; %d SHOULD.", should)
	}
	return fmt.Sprintf("%d MUST and %d SHOULD are broken.", must, should)
}

func either(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
