package check

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"headwater/playlist"
)

// snapshot is one answer, taken apart.
type snapshot struct {
	Response
	lines        []line
	media        *playlist.Media        // nil if it is none
	multivariant *playlist.Multivariant // nil if it is none
	faults       []fault                // why neither could be read
}

// fault is a finding without its surroundings.
type fault struct{ rule, text string }

func newSnapshot(r Response) *snapshot {
	s := &snapshot{Response: r}
	if r.Status != http.StatusOK {
		return s
	}
	s.lines = split(r.Body)
	var err error
	if s.hasClass(classMultivariant) {
		s.multivariant, err = playlist.ReadMultivariant(r.Body)
	} else {
		s.media, err = playlist.ReadMedia(r.Body)
	}
	if err != nil {
		id, text := describe(err)
		s.faults = append(s.faults, fault{id, "players cannot read the playlist: " + text})
	}
	return s
}

// list reports whether the answer is a playlist that could be read.
func (s *snapshot) list() bool { return s.media != nil || s.multivariant != nil }

// live reports whether the answer is a media playlist that goes on.
func (s *snapshot) live() bool { return s.media != nil && !s.media.End }

// target returns the target duration of a media playlist.
func (s *snapshot) target() time.Duration {
	return time.Duration(s.media.TargetDuration) * time.Second
}

// length returns the sum of the durations of a media playlist.
func (s *snapshot) length() (sum playlist.Duration) {
	for i := range s.media.Segments {
		sum += s.media.Segments[i].Duration
	}
	return sum
}

// end returns the number after the last segment.
func (s *snapshot) end() uint64 { return s.media.Sequence + uint64(len(s.media.Segments)) }

// mediaURLs returns the URLs of the media playlists that a multivariant
// playlist names, each once.
func (s *snapshot) mediaURLs() (urls []string) {
	base, err := url.Parse(s.URL)
	if err != nil {
		return nil
	}
	add := func(uri string) {
		if u, err := base.Parse(uri); err == nil && uri != "" && !slices.Contains(urls, u.String()) {
			urls = append(urls, u.String())
		}
	}
	for i := range s.multivariant.Variants {
		add(s.multivariant.Variants[i].URI)
	}
	for i := range s.multivariant.Renditions {
		add(s.multivariant.Renditions[i].URI)
	}
	return urls
}

// path returns the path of the answer's URL.
func (s *snapshot) path() string {
	if u, err := url.Parse(s.URL); err == nil {
		return u.Path
	}
	name, _, _ := strings.Cut(s.URL, "?")
	return name
}
