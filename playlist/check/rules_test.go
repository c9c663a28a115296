package check_test

import (
	"strings"
	"testing"

	"headwater/playlist/check"
)

// Every rule has a test that breaks it.
func TestEveryRule(t *testing.T) {
	tested := make(map[string]bool)
	add := func(rules string) {
		for _, id := range strings.Fields(rules) {
			tested[id] = true
		}
	}
	for _, tt := range append(mediaTests(), multivariantTests()...) {
		add(tt.rules)
	}
	for _, tt := range append(append(changeTests(), acrossTests()...), multivariantChangeTests()...) {
		add(tt.rules)
	}
	for _, tt := range answerTests() {
		add(tt.rules)
	}
	for _, r := range check.Rules() {
		if !tested[r.ID] || r.Text == "" {
			t.Errorf("rule %s (%s) has no test", r.ID, r.Text)
		}
	}
}

func TestFindings(t *testing.T) {
	bad := answer(mainURL, media(100, 0), 0) // A35 is a MUST
	bad.Header.Del("Date")                   // D20 is ours
	for _, tt := range []struct {
		name    string
		options check.Options
		levels  map[string]check.Level
	}{
		{"in the house", check.Options{House: true}, map[string]check.Level{"A35": check.Must, "D20": check.Must}},
		{"elsewhere", check.Options{}, map[string]check.Level{"A35": check.Must, "D20": check.Should}},
	} {
		c := check.New(tt.options)
		for range 3 {
			c.Observe(bad)
		}
		for range 1000 {
			c.Add(check.Finding{Rule: "A31", Level: check.Should, Subject: "x", Text: "the same"})
		}
		got := make(map[string]check.Level)
		for _, f := range c.Findings() {
			if _, twice := got[f.Rule]; twice {
				t.Errorf("%s: %s is there twice", tt.name, f.Rule)
			}
			got[f.Rule] = f.Level
		}
		for id, level := range tt.levels {
			if got[id] != level || len(got) != len(tt.levels)+1 {
				t.Errorf("%s: findings are %v, want %v and A31", tt.name, got, tt.levels)
			}
		}
	}
}
