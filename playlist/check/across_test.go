package check_test

import (
	"strings"
	"testing"

	"headwater/playlist/check"
)

func acrossTests() []several {
	list := media(100, 8)
	with := func(body string) []check.Response {
		return []check.Response{answer(multiURL, multi, 0), answer(mainURL, list, 0), answer(audioURL, body, 0)}
	}
	undated := ""
	for line := range strings.Lines(list) {
		if !strings.HasPrefix(line, "#EXT-X-PROGRAM-DATE-TIME") {
			undated += line
		}
	}
	moved := func(pairs ...string) string { // each date is later
		return strings.NewReplacer(pairs...).Replace(list)
	}
	return []several{
		{"only one list has dates", "A43 A49", with(undated)},
		{"another target duration", "B16", with(edit(list, "TARGETDURATION:7", "TARGETDURATION:8"))},
		{"one list lies behind", "B16", with(media(90, 8))},
		{"cuts apart by 200 ms", "B17", with(moved(".600Z", ".800Z", ".606Z", ".806Z", ".612Z", ".812Z", ".618Z", ".818Z",
			".624Z", ".824Z", ".630Z", ".830Z", ".636Z", ".836Z", ".642Z", ".842Z"))},
		{"numbers apart by one", "B18", with(edit(media(101, 7), "MEDIA-SEQUENCE:101", "MEDIA-SEQUENCE:100"))},
		{"another discontinuity sequence", "B19", with(edit(list, "DISCONTINUITY-SEQUENCE:3", "DISCONTINUITY-SEQUENCE:4"))},
	}
}

func TestAcrossRules(t *testing.T) {
	for _, tt := range acrossTests() {
		t.Run(tt.name, func(t *testing.T) {
			if got := broken(t, tt.responses...); !same(got, tt.rules) {
				t.Errorf("breaks %q, want %q", got, tt.rules)
			}
			if got := broken(t, tt.responses[1:]...); strings.Contains(strings.Join(got, " "), "B1") {
				t.Errorf("two lists that no multivariant playlist names break %q", got)
			}
		})
	}
}
