package main

import (
	"strings"
	"testing"
)

func TestAccessSettings(t *testing.T) {
	const before = "streams: {a: {tcp: ':1', "
	for file, want := range map[string]string{
		before + "listeners: {anna: pw, bert: '$2y$x'}}}":                         "begins like a hash of bcrypt and is none",
		before + "listeners: pw}}":                                                "must be keys with values below it",
		before + "listeners: {anna: [a, b]}}}":                                    "must be a plain value",
		before + "listener_password: ''}}":                                        "must not be empty",
		before + "listener_tokens: perhaps}}":                                     "must be",
		before + "listener_add: 'ftp://x'}}":                                      "must be a URL",
		before + "listener_remove: 'x'}}":                                         "must be a URL",
		"token_secret: short\n" + before + "listener_tokens: true}}":              "must be 16 characters",
		"streams: {a: {folder: /x, on_demand: true, listener_add: 'http://a/b'}}": "has no meaning with on_demand",
		"streams: {t: {tcp: ':1'}}":                                               "is no stream name",
		before + "listeners: {anna: pw}, listener_add: 'http://a/b'}}":            "",
	} {
		c, err := load(t, environment(), "--config", writeConfig(t, file))
		if want == "" {
			if err != nil || len(c.Streams[0].Listening.Users) != 1 || c.Streams[0].Listening.Add == nil || c.Streams[0].Listening.Open() {
				t.Errorf("load(%s) = %+v, %v", file, c, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("load(%s) = %v, want %q", file, err, want)
		}
	}
}
