package main

import (
	"errors"
	"slices"
	"strings"

	"headwater/segmenter"
)

// groupSettings returns what makes one programme of several streams.
func groupSettings() []setting[StreamConfig] {
	return []setting[StreamConfig]{
		{"group", "NAME", "programme that the stream is one bit rate of: /NAME.m3u8 lets players choose", "none",
			func(s *StreamConfig, v string) error { return setGroup(&s.Group, v) }},
	}
}

func setGroup(to *string, value string) error {
	if err := checkStreamName(value); err != nil {
		return errors.New(strings.Replace(err.Error(), "is no stream name", "is no name of a group", 1))
	}
	*to = value
	return nil
}

// groups returns the streams of each group.
func (c *Config) groups() map[string][]*StreamConfig {
	groups := map[string][]*StreamConfig{}
	for i := range c.Streams {
		s := &c.Streams[i]
		if _, any := s.wildcard(); s.Group != "" && !any {
			groups[s.Group] = append(groups[s.Group], s)
		}
	}
	return groups
}

// validateGroups adds what is wrong with how streams are grouped.
func (c *Config) validateGroups(add func(key, format string, args ...any)) {
	for i := range c.Streams {
		s := &c.Streams[i]
		if s.Group == "" {
			continue
		}
		key := "streams." + s.Name + ".group"
		if _, any := s.wildcard(); any {
			add(key, "has no meaning with a name that ends in /*")
			continue
		}
		for j := range c.Streams {
			name := c.Streams[j].Name
			last, ok := strings.CutPrefix(s.Group, name+"/")
			switch {
			case name == s.Group:
				add(key, "%s is the name of a stream: call the group something else", s.Group)
			case ok && slices.Contains([]string{segmenter.RenditionMain, segmenter.RenditionAudio}, last):
				add(key, "%s cannot be told from a URL of stream %s: call the group something else", s.Group, name)
			}
		}
		first := c.groups()[s.Group][0]
		if mine, theirs := orElse(s.TargetDuration, c.TargetDuration), orElse(first.TargetDuration, c.TargetDuration); mine != theirs {
			add(key, "stream %s has segments of %s, stream %s of %s: players can change only between segments of one length, so give all streams of group %s the same target_duration",
				s.Name, words(mine), first.Name, words(theirs), s.Group)
		}
	}
}
