package main

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Kinds of [Fallback].
const (
	fallbackSilence = "silence"
	fallbackStream  = "stream"
	fallbackFolder  = "folder"
)

// Fallback is what is heard of a stream while its source is away. The zero
// value is nothing.
type Fallback struct {
	Kind string // one of the constants above, or ""
	What string // name of the stream, path of the folder or .m3u; "" for silence
}

// fallbackSettings returns what concerns a stream whose source is away.
func fallbackSettings() []setting[StreamConfig] {
	return []setting[StreamConfig]{
		{"fallback", "WHAT", "what is heard while the source is away: silence, stream NAME, or folder PATH", "nothing",
			func(s *StreamConfig, v string) error { return setFallback(&s.Fallback, v) }},
		{"fallback_after", "DURATION", "how long a source may bring no media before that is heard, 100ms to 1m", "500ms",
			func(s *StreamConfig, v string) error {
				return setDuration(&s.FallbackAfter, v, 100*time.Millisecond, time.Minute)
			}},
		{"linger", "DURATION", "how long listeners of continuous outputs are kept while nothing is heard, 0s to 1h", "10s", setLinger},
	}
}

func setFallback(to *Fallback, value string) error {
	kind, what, _ := strings.Cut(value, " ")
	what = strings.TrimSpace(what)
	switch {
	case kind == fallbackSilence && what == "":
	case kind == fallbackStream && what != "" && checkStreamName(what) == nil:
	case kind == fallbackFolder && what != "":
	default:
		return errors.New("must be silence, stream NAME, or folder PATH")
	}
	*to = Fallback{Kind: kind, What: what}
	return nil
}

func setLinger(s *StreamConfig, value string) error {
	var d time.Duration
	if err := setDuration(&d, value, 0, time.Hour); err != nil {
		return err
	}
	s.Linger = max(d, time.Nanosecond) // 0 means the default
	return nil
}

// validateFallbacks adds what is wrong with what is heard in place of streams.
func (c *Config) validateFallbacks(add func(key, format string, args ...any)) {
	next := map[string]string{}
	for i := range c.Streams {
		s := &c.Streams[i]
		key := "streams." + s.Name
		if s.FallbackAfter != 0 && s.Fallback.Kind == "" {
			add(key+".fallback_after", "has no meaning without fallback")
		}
		if s.Fallback.Kind != fallbackStream {
			continue
		}
		if !slices.ContainsFunc(c.Streams, func(o StreamConfig) bool { return o.Name == s.Fallback.What }) {
			add(key+".fallback", "there is no stream %s", s.Fallback.What)
			continue
		}
		next[s.Name] = s.Fallback.What
	}
	told := map[string]bool{}
	for i := range c.Streams {
		circle := []string{c.Streams[i].Name}
		for {
			to, ok := next[circle[len(circle)-1]]
			if !ok || told[to] {
				break
			}
			circle = append(circle, to)
			if to == circle[0] {
				add("streams."+to+".fallback", "streams fall back on each other in a circle, %s: one of them needs silence, a folder, or another stream", strings.Join(circle, " → "))
				for _, name := range circle {
					told[name] = true
				}
				break
			}
			if slices.Index(circle, to) < len(circle)-1 {
				break // into a circle, which is told where it is one
			}
		}
	}
}
