package main

import (
	"reflect"
	"strings"
	"testing"

	"headwater/cmd/headwater/hooks"
	"headwater/origin"
)

func TestHookSettings(t *testing.T) {
	file := "hooks:\n  title: [/bin/a b, 'https://x.example/hook']\n  all: /bin/c\nstreams: {a: {tcp: ':1'}}\n"
	c, err := load(t, environment(), "--config", writeConfig(t, file))
	if err != nil {
		t.Fatal(err)
	}
	want := []hooks.Hook{
		{On: origin.EventTitle, Command: []string{"/bin/a", "b"}},
		{On: origin.EventTitle, URL: "https://x.example/hook"},
		{Command: []string{"/bin/c"}},
	}
	if !reflect.DeepEqual(c.Hooks, want) {
		t.Errorf("load(%s) has %+v, want %+v", file, c.Hooks, want)
	}
	for file, want := range map[string]string{
		"hooks: {titles: /bin/a}":        "no such key; there are hooks.all, hooks.source_connected",
		"hooks: {title: 'ftp://x/y'}":    "must be a command",
		"hooks: {title: {exec: /bin/a}}": "must be a plain value",
	} {
		if _, err := load(t, environment(), "--config", writeConfig(t, file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load(%s) = %v, want %q", file, err, want)
		}
	}
}
