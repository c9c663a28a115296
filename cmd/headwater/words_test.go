package main

import (
	"slices"
	"testing"
)

func TestSplitWords(t *testing.T) {
	tests := []struct {
		line string
		want []string
		ok   bool
	}{
		{"play music.mp3", []string{"play", "music.mp3"}, true},
		{" \t a  b\n", []string{"a", "b"}, true},
		{`a 'b c' "d 'e'" f\ g`, []string{"a", "b c", "d 'e'", "f g"}, true},
		{`"a\"b" "c\d" '\' ''`, []string{`a"b`, `c\d`, `\`, ""}, true},
		{"a $HOME | b > c; `d`", []string{"a", "$HOME", "|", "b", ">", "c;", "`d`"}, true},
		{"x'y'z", []string{"xyz"}, true},
		{"", nil, true},
		{"'a", nil, false},
		{`a\`, nil, false},
	}
	for _, tt := range tests {
		got, err := splitWords(tt.line)
		if !slices.Equal(got, tt.want) || (err == nil) != tt.ok {
			t.Errorf("splitWords(%q) = %q, %v, want %q, ok %v", tt.line, got, err, tt.want, tt.ok)
		}
	}
}

// What is joined is split again into the same.
func FuzzSplitWords(f *testing.F) {
	f.Add("a b", `c'"\`)
	f.Fuzz(func(t *testing.T, a, b string) {
		if got, err := splitWords(joinWords([]string{a, b})); err != nil || !slices.Equal(got, []string{a, b}) {
			t.Errorf("splitWords(joinWords(%q, %q)) = %q, %v", a, b, got, err)
		}
		_, _ = splitWords(a)
	})
}
