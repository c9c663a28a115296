package main

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"headwater/origin"
)

// listeningSettings returns what concerns the listeners of a stream's
// continuous outputs.
func listeningSettings() []setting[StreamConfig] {
	return []setting[StreamConfig]{
		{"title", "TEXT", "what people call the stream", "what the source says, else the name", setTitle},
		{"mode", "MODE", "of continuous outputs whose requests do not say ?mode=: normal, where a listener gets every byte, or live, where it misses frames rather than hear them late", "normal",
			func(s *StreamConfig, v string) (err error) { s.Mode, err = origin.ParseMode(v); return err }},
		{"flush", "DURATION", "how long continuous outputs gather media before they send it, 20ms to 2s", "250ms of sound, and each picture",
			func(s *StreamConfig, v string) error {
				return setDuration(&s.Flush, v, 20*time.Millisecond, 2*time.Second)
			}},
		{"burst", "DURATION", "sound that a listener of continuous outputs gets at once, 0s to 20s", "2s", setBurst},
		{"max_listeners", "NUMBER", "most listeners of this stream's continuous outputs", "none",
			func(s *StreamConfig, v string) error {
				return orNone(func(n *int, v string) error { return setNumber(n, v, 1, 1_000_000) })(&s.MaxListeners, v)
			}},
		{"max_listener_duration", "DURATION", "how long one may listen, 10s to 168h", "as long as it likes",
			func(s *StreamConfig, v string) error {
				return setDuration(&s.MaxListenerTime, v, 10*time.Second, 7*24*time.Hour)
			}},
		{"metaint", "NUMBER", "bytes of sound from one ICY title to the next, 64 to 65536; 0: a tenth of a second", "0", setMetaint},
	}
}

func setTitle(s *StreamConfig, value string) error {
	if len(value) > 256 || strings.ContainsFunc(value, unicode.IsControl) {
		return errors.New("must be at most 256 bytes of text on one line")
	}
	s.Title = value
	return nil
}

func setBurst(s *StreamConfig, value string) error {
	var d time.Duration
	if err := setDuration(&d, value, 0, origin.MaxBurst); err != nil {
		return err
	}
	if s.Burst = d; d == 0 {
		s.Burst = origin.NoBurst
	}
	return nil
}

func setMetaint(s *StreamConfig, value string) error {
	if value == "0" {
		s.Metaint = 0
		return nil
	}
	if err := setNumber(&s.Metaint, value, 64, 65536); err != nil {
		return errors.New("must be 0, or a whole number from 64 to 65536")
	}
	return nil
}
