package main

import (
	"fmt"
	"testing"
)

func TestConfigSources(t *testing.T) {
	tests := []struct {
		name string
		file string // of stream a
		got  func(StreamConfig) any
		want any
	}{
		{"an address to pull from", "pull: http://a.example/x", func(s StreamConfig) any { return fmt.Sprint(s.Pull) }, "[http://a.example/x]"},
		{"several", "pull: ['http://a.example/x', 'https://me:pass@b.example:8000/']", func(s StreamConfig) any { return fmt.Sprint(s.Pull) },
			"[http://a.example/x https://me:pass@b.example:8000/]"},
		{"on demand", "connect: a.example:1\n    on_demand: true", func(s StreamConfig) any { return s.OnDemand }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := load(t, environment(), "--config", writeConfig(t, "streams:\n  a:\n    "+tt.file+"\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.got(cfg.Streams[0]); got != tt.want {
				t.Errorf("stream = %v, want %v", got, tt.want)
			}
		})
	}
}
