package mux_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"headwater/mux"
)

func TestParseTitle(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		want mux.Title
	}{
		{"artist and name", "Nina Simone - Sinnerman", mux.Title{Artist: "Nina Simone", Name: "Sinnerman"}},
		{"a name with the separator in it belongs to the first artist", "A - B - C", mux.Title{Artist: "A", Name: "B - C"}},
		{"a dash without space around it separates nothing", "Jean-Michel Jarre", mux.Title{Name: "Jean-Michel Jarre"}},
		{"no artist before the separator", " - Sinnerman", mux.Title{Name: "- Sinnerman"}},
		{"no name after it", "Nina Simone - ", mux.Title{Name: "Nina Simone -"}},
		{"nothing", "", mux.Title{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := mux.ParseTitle(c.text); got != c.want {
				t.Errorf("ParseTitle(%q) = %+v, want %+v", c.text, got, c.want)
			}
		})
	}
}

func FuzzParseTitle(f *testing.F) {
	f.Add("A - B - C")
	f.Fuzz(func(t *testing.T, text string) {
		title := mux.ParseTitle(text)
		if again := mux.ParseTitle(title.String()); again != title {
			t.Errorf("ParseTitle(%q) = %+v, of its String %+v", text, title, again)
		}
	})
}

func TestTitleClean(t *testing.T) {
	long := strings.Repeat("ä", 50<<10)
	for _, c := range []struct {
		name, text, want string
	}{
		{"nothing to do", "Für Elise", "Für Elise"},
		{"control characters", "a\r\nb\x00c\u0085d", "a  b c d"},
		{"space around it", " \t a \n", "a"},
		{"no UTF-8", "a\xff\xfeb", "a\uFFFDb"},
		{"100 KB are cut at the edge of a character", long, strings.Repeat("ä", 512)},
		{"likewise when that is odd", "x" + long, "x" + strings.Repeat("ä", 511)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := (mux.Title{Name: c.text}).Clean().Name; got != c.want {
				t.Errorf("Clean of %.20q = %.20q, want %.20q", c.text, got, c.want)
			}
		})
	}
}

// Whatever comes, it is text of one line that is not too long, and stays as it is.
func FuzzCleanText(f *testing.F) {
	f.Add(" a\x00\xffb ")
	f.Fuzz(func(t *testing.T, text string) {
		clean := mux.CleanText(text)
		if !utf8.ValidString(clean) || len(clean) > 1<<10 || strings.ContainsFunc(clean, unicode.IsControl) || mux.CleanText(clean) != clean {
			t.Errorf("CleanText(%q) = %q", text, clean)
		}
	})
}
