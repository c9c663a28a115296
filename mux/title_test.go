package mux_test

import (
	"testing"

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
