package origin

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"headwater/mux"
	"headwater/origin/http1"
)

// maxStationText bounds what a station can say of itself in a header field.
const maxStationText = 512

// station is how a stream introduces itself to listeners, as its source has it.
// It is immutable.
type station struct {
	name    string
	fields  []http1.Field // on answers with sound (hls-rules F08)
	bitrate int64         // bits a second, as one of them says; 0 if none does
}

// newStation returns what is told of a stream whose source says s. name is for
// sources that say none. The fields have their names in lower case: there are
// players that know no other.
func newStation(s mux.Station, name string) *station {
	out := &station{name: fieldText(s.Name), bitrate: max(0, int64(s.Bitrate)) * 1000}
	if out.name == "" {
		out.name = fieldText(name)
	}
	add := func(field, value string) {
		if value = fieldText(value); value != "" {
			out.fields = append(out.fields, http1.Field{Name: field, Value: []string{value}})
		}
	}
	add("icy-name", out.name)
	add("icy-description", s.Description)
	add("icy-genre", s.Genre)
	add("icy-url", s.URL)
	add("ice-audio-info", s.AudioInfo)
	public := "0"
	if s.Public {
		public = "1"
	}
	add("icy-pub", public)
	if out.bitrate > 0 {
		add("icy-br", strconv.Itoa(s.Bitrate))
	}
	return out
}

// fieldText returns text as it can be the value of a header field.
func fieldText(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if n := maxStationText; len(text) > n {
		for !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	return strings.TrimSpace(text)
}
