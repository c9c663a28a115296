package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"headwater/origin"
)

func TestListeningSettings(t *testing.T) {
	type values struct {
		title   string
		burst   time.Duration
		metaint int
	}
	for _, tt := range []struct {
		name string
		file string
		want values
		err  string // part of what is said
	}{
		{"all", "{tcp: ':1', title: 'Radio Ü: live', burst: 5s, metaint: 8192}", values{"Radio Ü: live", 5 * time.Second, 8192}, ""},
		{"no burst", "{tcp: ':1', burst: 0s}", values{burst: origin.NoBurst}, ""},
		{"what is usual", "{tcp: ':1', metaint: 0}", values{}, ""},
		{"more than is kept", "{tcp: ':1', burst: 21s}", values{}, "must be 0s to 20s"},
		{"too many notices", "{tcp: ':1', metaint: 63}", values{}, "must be 0, or a whole number from 64 to 65536"},
		{"too few", "{tcp: ':1', metaint: 65537}", values{}, "must be 0, or a whole number from 64 to 65536"},
		{"a title on two lines", `{tcp: ':1', title: "a\nb"}`, values{}, "on one line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := load(t, environment(), "--config", writeConfig(t, "streams:\n  a: "+tt.file+"\n"))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("load(%s) = %v, want %q", tt.file, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s := c.Streams[0]
			if got := (values{s.Title, s.Burst, s.Metaint}); got != tt.want {
				t.Errorf("load(%s) = %+v, want %+v", tt.file, got, tt.want)
			}
		})
	}
}

func TestListenerLimitSettings(t *testing.T) {
	file := "trusted_proxies: [127.0.0.1, 10.0.0.0/8]\nlimits: {listeners_per_address: 20}\n" +
		"streams:\n  a: {tcp: ':1', max_listeners: 500, max_listener_duration: 12h}\n"
	c, err := load(t, environment(), "--config", writeConfig(t, file))
	if err != nil {
		t.Fatal(err)
	}
	s := c.Streams[0]
	if got, want := fmt.Sprint(c.TrustedProxies, c.Limits.ListenersPerAddress, s.MaxListeners, s.MaxListenerTime),
		"[127.0.0.1/32 10.0.0.0/8] 20 500 12h0m0s"; got != want {
		t.Errorf("load(%s) = %s, want %s", file, got, want)
	}
	for _, file := range []string{"trusted_proxies: [x]", "limits: {listeners_per_address: 0}", "streams: {a: {tcp: ':1', max_listeners: 0}}",
		"streams: {a: {tcp: ':1', max_listener_duration: 1s}}"} {
		if _, err := load(t, environment(), "--config", writeConfig(t, file)); err == nil {
			t.Errorf("load(%s) is no error", file)
		}
	}
}
