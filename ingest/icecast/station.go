package icecast

import (
	"strconv"
	"strings"

	"headwater/mux"
)

// Station returns what header fields, by their names in lower case, say of the
// station: those that begin with icy- as SHOUTcast has them, and with ice- as
// Icecast. Passwords are not among what is taken (hls-rules F08).
func Station(fields map[string]string) mux.Station {
	text := func(names ...string) string {
		for _, name := range names {
			if value := mux.CleanText(mux.DecodeText("", fields[name])); value != "" {
				return value
			}
		}
		return ""
	}
	s := mux.Station{
		Name:        text("ice-name", "icy-name", "x-audiocast-name"),
		Description: text("ice-description", "icy-description", "x-audiocast-description"),
		Genre:       text("ice-genre", "icy-genre", "x-audiocast-genre"),
		URL:         text("ice-url", "icy-url", "x-audiocast-url"),
		AudioInfo:   text("ice-audio-info"),
	}
	for _, name := range []string{"ice-bitrate", "icy-br", "x-audiocast-bitrate"} {
		digits, _, _ := strings.Cut(fields[name], ",")
		if n, err := strconv.Atoi(strings.TrimSpace(digits)); err == nil && 0 < n && n < 1e6 && s.Bitrate == 0 {
			s.Bitrate = n
		}
	}
	switch strings.ToLower(text("ice-public", "icy-pub", "x-audiocast-public")) {
	case "1", "yes", "true":
		s.Public = true
	}
	return s
}
