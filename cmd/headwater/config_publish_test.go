package main

import (
	"strings"
	"testing"
)

func TestPublishSettings(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		err        string // part of what is said, or ""
	}{
		{"all", "source_password: a\nadmin_password_file: b\nstreams:\n  a: {source_password: $2a$04$" + strings.Repeat("x", 53) + ", takeover: true}\n  live/*: {source_auth: 'http://h/', max_streams: 7}", ""},
		{"a password and a file", "source_password: a\nsource_password_file: b\nstreams: {a: {}}", "source_password_file: has no meaning with source_password"},
		{"half a hash", "streams: {a: {source_password: $2a$04$x}}", "begins like a hash of bcrypt and is none"},
		{"no URL", "streams: {a: {source_auth: h}}", "must be a URL such as"},
		{"two ways to say who may", "streams: {a: {source_auth: 'http://h/', source_password: x}}", "has no meaning with source_password"},
		{"most of one", "streams: {a: {max_streams: 7}}", "has no meaning without a name that ends in /*"},
		{"a port for many", "streams: {'a/*': {tcp: ':1'}}", "has no meaning with a name that ends in /*"},
		{"all there is", "streams: {'*': {}}", "is no stream name"},
		{"in the middle", "streams: {'a/*/b': {}}", "is no stream name"},
		{"pages", "streams: {'api/*': {}}", "is no stream name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := load(t, environment(), "--config", writeConfig(t, tt.file))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("load(%s) = %v, want %q", tt.file, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if a := c.match("a"); a == nil || !a.SourcePassword.Set() || !a.Takeover || !c.Passwords.Source.Set() || c.Passwords.AdminFile != "b" {
				t.Errorf("load(%s) = %+v", tt.file, c)
			}
			if w := c.match("live/x"); w == nil || w.SourceAuth.Host != "h" || w.MaxStreams != 7 {
				t.Errorf("live/x is %+v", w)
			}
			for _, name := range []string{"live", "live/", "liver/x", "b"} {
				if w := c.match(name); w != nil {
					t.Errorf("match(%q) = %s, want none", name, w.Name)
				}
			}
		})
	}
}
