package check

import (
	"errors"
	"iter"
	"net/http"

	"headwater/playlist"
)

// Rule describes one rule that a [Checker] knows.
type Rule struct {
	ID    string
	Level Level
	Text  string // what it asks for
}

// Rules returns all rules in the order of their IDs' sections. An ID can stand
// there twice: where headwater asks for more than the standard does.
func Rules() (all []Rule) {
	for section := range sections() {
		for _, r := range section {
			all = append(all, Rule{ID: r.id, Level: r.level, Text: r.text})
		}
	}
	return all
}

// rule is one rule: to add one, write its check and put it into its section.
type rule struct {
	id    string
	level Level
	scope scope
	text  string
	check func(*view)
}

// scope is what a rule is about.
type scope uint8

const (
	anyAnswer    scope = iota // also errors and redirects
	anyText                   // of status 200, even if it cannot be read
	anyMedia                  // media playlists
	liveMedia                 // media playlists without EXT-X-ENDLIST
	multivariant              // multivariant playlists
)

// holds reports whether a rule of scope s is about the answer. Delta updates of
// Low-Latency HLS are only parts of media playlists: rules of those do not hold.
func (s scope) holds(a *snapshot) bool {
	switch s {
	case anyText:
		return a.Status == http.StatusOK
	case anyMedia:
		return a.media != nil && !a.has("EXT-X-SKIP")
	case liveMedia:
		return a.live() && !a.has("EXT-X-SKIP")
	case multivariant:
		return a.multivariant != nil
	}
	return true
}

// sections yields the rules, one file of them at a time.
func sections() iter.Seq[[]rule] {
	return func(yield func([]rule) bool) {
		for _, section := range []func() []rule{
			syntaxRules, versionRules, durationRules, numberRules, changeRules, windowRules,
			dateRules, variantRules, groupRules, acrossRules, answerRules,
		} {
			if !yield(section()) {
				return
			}
		}
	}
}

// describe returns the rule that a playlist breaks which cannot be read, and why.
func describe(err error) (id, text string) {
	var at *playlist.ParseError
	if !errors.As(err, &at) {
		return "A04", err.Error()
	}
	text = at.Error()
	switch {
	case errors.Is(err, playlist.ErrNotPlaylist):
		return "A02", text
	case errors.Is(err, playlist.ErrMedia), errors.Is(err, playlist.ErrMultivariant):
		return "A06", text
	}
	switch at.Tag {
	case "EXT-X-TARGETDURATION":
		return "A12", text
	case "EXTINF", "URI":
		return "A19", text
	case "EXT-X-PROGRAM-DATE-TIME":
		return "A44", text
	case "EXT-X-MEDIA-SEQUENCE":
		return "A22", text
	case "EXT-X-DISCONTINUITY-SEQUENCE":
		return "A25", text
	case "EXT-X-VERSION":
		return "A09", text
	}
	return "A04", text
}
