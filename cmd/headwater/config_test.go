package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"headwater/ingest/encode"
	"headwater/mux"
)

var update = flag.Bool("update", false, "write the golden files anew")

// environment returns a lookup in "KEY=value" pairs.
func environment(pairs ...string) func(string) (string, bool) {
	return func(key string) (string, bool) {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == key {
				return v, true
			}
		}
		return "", false
	}
}

// load parses a command line of serve.
func load(t *testing.T, lookup func(string) (string, bool), args ...string) (Config, error) {
	t.Helper()
	l := newLoader(lookup)
	fs := newFlagSet("serve")
	l.bind(fs)
	if err := fs.Parse(args); err != nil {
		t.Fatalf("Parse(%q) = %v", args, err)
	}
	return l.load()
}

// writeConfig writes a configuration file and returns its name.
func writeConfig(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "headwater.yaml")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDefaultConfig(t *testing.T) {
	got, err := load(t, environment())
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		HTTP: ":8080", Data: "./headwater-data", TargetDuration: 6 * time.Second, Window: time.Minute,
		Log:     LogConfig{Format: "auto"},
		Streams: []StreamConfig{{Name: "live", TCP: "127.0.0.1:9999"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("load() = %+v, want %+v", got, want)
	}
}

func TestConfigPrecedence(t *testing.T) {
	const file = "window: 2m\nstreams:\n  live: {tcp: ':1', program: 3}\n  other: {connect: 'a:2'}\n"
	streams := func(c Config) any {
		var s []string
		for _, x := range c.Streams {
			s = append(s, fmt.Sprintf("%s=%s%s/%d", x.Name, x.TCP, x.Connect, x.Program))
		}
		return strings.Join(s, " ")
	}
	window := func(c Config) any { return c.Window }
	tests := []struct {
		name string
		file string
		env  []string
		args []string
		got  func(Config) any
		want any
	}{
		{"the file beats the default", file, nil, nil, window, 2 * time.Minute},
		{"the environment beats the file", file, []string{"HEADWATER_WINDOW=3m"}, nil, window, 3 * time.Minute},
		{"a flag beats the environment", file, []string{"HEADWATER_WINDOW=3m"}, []string{"--window", "4m"}, window, 4 * time.Minute},
		{"an empty variable is none", file, []string{"HEADWATER_WINDOW="}, nil, window, 2 * time.Minute},
		{"streams of a file", file, nil, nil, streams, "live=:1/3 other=a:2/0"},
		{"a flag replaces the address of a stream only", file, nil, []string{"--tcp", ":9"}, streams, "live=:9/3 other=a:2/0"},
		{"a flag adds a stream", file, nil, []string{"--tcp", "new=connect:b:3"}, streams, "live=:1/3 new=b:3/0 other=a:2/0"},
		{"a variable lists streams", "", []string{"HEADWATER_TCP=a=:1, b=:2"}, nil, streams, "a=:1/0 b=:2/0"},
		{"flags replace the variable's list", "", []string{"HEADWATER_TCP=a=:1,b=:2"}, []string{"--tcp", "c=:3"}, streams, "c=:3/0"},
		{"a stream in the file replaces the default one", "streams:\n  a: {tcp: ':1'}", nil, nil, streams, "a=:1/0"},
		{"an empty file is the default", "# nothing\n", nil, nil, streams, "live=127.0.0.1:9999/0"},
		{"a folder that is played", "streams:\n  a: {folder: music, shuffle: true}", nil, nil,
			func(c Config) any { return fmt.Sprint(c.Streams[0].Folder, c.Streams[0].Shuffle) }, "musictrue"},
		{"a program as a line", "streams:\n  a: {exec: 'play  \"a b\" c'}", nil, nil,
			func(c Config) any { return fmt.Sprintf("%q", c.Streams[0].Exec) }, `["play" "a b" "c"]`},
		{"a program as a list", "streams:\n  a:\n    exec: [play, 'a b', \"it's\", 7]\n    exec_framing: eradio", nil, nil,
			func(c Config) any { return fmt.Sprintf("%q %s", c.Streams[0].Exec, c.Streams[0].ExecFraming) }, `["play" "a b" "it's" "7"] eradio`},
		{"what is heard while the source is away", "streams:\n  a: {tcp: ':1', fallback: stream b, fallback_after: 2s, linger: 0s}\n  b: {tcp: ':2', fallback: folder my music}\n  c: {tcp: ':3', fallback: silence}", nil, nil,
			func(c Config) any {
				return fmt.Sprint(c.Streams[0].Fallback, c.Streams[0].FallbackAfter, c.Streams[0].Linger, c.Streams[1].Fallback, c.Streams[2].Fallback)
			}, "{stream b} 2s 1ns {folder my music} {silence }"},
		{"a group of streams", "streams:\n  a: {tcp: ':1', group: all/ab}\n  b: {tcp: ':2', group: all/ab}\n  c: {tcp: ':3'}", nil, nil,
			func(c Config) any {
				return fmt.Sprintf("%q", []string{c.Streams[0].Group, c.Streams[1].Group, c.Streams[2].Group})
			}, `["all/ab" "all/ab" ""]`},
		{"a codec for PCM", "streams:\n  a: {tcp: ':1', encode: aac 96k}\n  b: {tcp: ':2', encode: none}", nil, nil,
			func(c Config) any { return fmt.Sprint(c.Streams[0].Encode, c.Streams[1].Encode) }, "{false AAC 96000} {true unknown 0}"},
		{"an empty data folder is memory", "", []string{"HEADWATER_DATA="}, nil, func(c Config) any { return c.Data }, ""},
		{"a group of the file", "log: {level: debug}\nlimits:\n  requests: 7\n", nil, nil,
			func(c Config) any { return fmt.Sprint(c.Log.Level, c.Limits.Requests) }, "DEBUG 7"},
		{"a group as a flag", "", nil, []string{"--log-format=json", "--limits-listeners", "5"},
			func(c Config) any { return fmt.Sprint(c.Log.Format, c.Limits.Listeners) }, "json5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := tt.args
			env := tt.env
			if tt.file != "" {
				env = append(env, "HEADWATER_CONFIG="+writeConfig(t, tt.file))
			}
			cfg, err := load(t, environment(env...), args...)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.got(cfg); got != tt.want {
				t.Errorf("load(%q, %q) = %v, want %v", env, args, got, tt.want)
			}
		})
	}
}

func TestConfigFlagErrors(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		args []string
		want []string // lines of the message
	}{
		{"no unit", nil, []string{"--window", "60"},
			[]string{`--window: "60" must be a duration from 10s to 24h, with its unit`}},
		{"out of range", nil, []string{"--target-duration", "2m"},
			[]string{`--target-duration: "2m" must be 1s to 1m`}},
		{"several at once, each with its place", []string{"HEADWATER_LOG_LEVEL=loud"}, []string{"--http", "8080"},
			[]string{"2 things are wrong:",
				`HEADWATER_LOG_LEVEL: "loud" must be one of debug, info, warn, error`,
				`--http: "8080" must be an address such as :8080 or 127.0.0.1:9999`}},
		{"no such file", nil, []string{"--config", "/nonexistent/h.yaml"},
			[]string{"--config: open /nonexistent/h.yaml: no such file or directory"}},
		{"a stream twice", nil, []string{"--tcp", "a=:1", "--tcp", "a=:2"},
			[]string{`--tcp: "a=:2" is the second address of stream a: give each stream one`}},
		{"a name that is a page", nil, []string{"--tcp", "metrics=:1"},
			[]string{`--tcp: "metrics=:1" is no stream name: /metrics is a page of headwater`}},
		{"an address without a port", nil, []string{"--tcp", "connect:encoder"},
			[]string{`--tcp: "connect:encoder" must be like 127.0.0.1:9999, NAME=127.0.0.1:9999 or NAME=connect:encoder.example:9999`}},
		{"profiles for everybody", nil, []string{"--pprof", ":6060"},
			[]string{`--pprof: ":6060" must be an address of this machine alone, such as 127.0.0.1:6060: profiles show what is in memory`}},
		{"two listeners on a port", nil, []string{"--http", ":9000", "--tcp", "127.0.0.1:9000"},
			[]string{"--tcp: streams.live.tcp: 127.0.0.1:9000 is taken by http: :9000"}},
		{"a name that hides a rendition", nil, []string{"--tcp", "a=:1", "--tcp", "a/audio=:2"},
			[]string{"--tcp: streams.a/audio: cannot be told from a URL of stream a: call it something else"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := load(t, environment(tt.env...), tt.args...)
			if !errors.Is(err, errUsage) {
				t.Fatalf("load(%q) = %v, want a usage error", tt.args, err)
			}
			if want := strings.Join(tt.want, "\n"); err.Error() != want {
				t.Errorf("load(%q) =\n%v\nwant\n%s", tt.args, err, want)
			}
		})
	}
}

func TestConfigFileErrors(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			_, err := load(t, environment(), "--config", name)
			if !errors.Is(err, errUsage) {
				t.Fatalf("load(%s) = %v, want a usage error", name, err)
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if got := err.Error() + "\n"; got != string(want) {
				t.Errorf("load(%s) =\n%swant\n%s", name, got, want)
			}
		})
	}
}

// The file that is shipped explains every key, and can be used as it stands.
func TestExampleConfig(t *testing.T) {
	const name = "packaging/headwater.yaml"
	cfg, err := load(t, environment(), "--config", name)
	if err != nil {
		t.Fatal(err)
	}
	want := []StreamConfig{
		{
			Name: "live", TCP: "127.0.0.1:9999",
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"),
				netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("10.0.0.0/8")},
			Timeout: 10 * time.Second, Encode: encode.Settings{Codec: mux.CodecMP3}, TargetDuration: 6 * time.Second, Window: time.Minute, PublishAfter: 3, GapMax: 3,
			Burst: 2 * time.Second, Linger: 10 * time.Second,
		},
		{Name: "radio", Connect: "encoder.example:9999"},
	}
	if !reflect.DeepEqual(cfg.Streams, want) {
		t.Errorf("Streams = %+v, want %+v", cfg.Streams, want)
	}
	def := defaultConfig()
	if cfg.HTTP != def.HTTP || cfg.Data != def.Data || cfg.TargetDuration != def.TargetDuration ||
		cfg.Window != def.Window || cfg.Log != def.Log {
		t.Errorf("%s differs from the defaults: %+v", name, cfg)
	}

	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	has := func(key string, indent string) {
		t.Helper()
		if !regexp.MustCompile(`(?m)^` + indent + `(# )?` + key + `:`).Match(text) {
			t.Errorf("%s does not mention %s", name, key)
		}
	}
	for _, s := range globalSettings() {
		if _, key, nested := strings.Cut(s.key, "."); nested {
			has(key, "  ")
		} else {
			has(s.key, "")
		}
	}
	for _, s := range streamSettings() {
		has(s.key, "    ")
	}
}

func TestCheckStreamName(t *testing.T) {
	tests := []struct {
		name string
		ok   bool
	}{
		{"live", true}, {"a/b/c/d", true}, {"Radio.2_x-1", true}, {"9", true}, {"live/api", true},
		{"", false}, {"a/b/c/d/e", false}, {"a//b", false}, {"/a", false}, {"a/", false}, {".a", false}, {"a/..", false},
		{"a b", false}, {"ä", false}, {"api", false}, {"api/x", false}, {"web", false}, {"status-json.xsl", false},
		{"admin", false}, {"metrics", false}, {"healthz/x", false}, {"live.m3u8", false}, {"a/live.ts", false}, {"a\n", false},
	}
	for _, tt := range tests {
		if err := checkStreamName(tt.name); (err == nil) != tt.ok {
			t.Errorf("checkStreamName(%q) = %v, want ok %v", tt.name, err, tt.ok)
		}
	}
}

func TestSetAllow(t *testing.T) {
	var s StreamConfig
	if err := setAllow(&s, "10.1.2.3/8, 192.0.2.7,2001:db8::1/32"); err != nil {
		t.Fatal(err)
	}
	want := "[10.0.0.0/8 192.0.2.7/32 2001:db8::/32]"
	if got := fmt.Sprint(s.Allow); got != want {
		t.Errorf("Allow = %v, want %v", got, want)
	}
}

func TestSettingNames(t *testing.T) {
	if got, want := flagName("log.level")+" "+envName("target_duration"), "log-level HEADWATER_TARGET_DURATION"; got != want {
		t.Errorf("names = %q, want %q", got, want)
	}
}

// Whatever the file holds: no panic; and what is taken is complete and valid.
// The corpus holds the shipped file (example), one of flow style (flow), and
// those that once were trouble to find one's way in: an alias of itself
// (alias-loop), deep nesting (deep), a tag (tag) and a merge key (merge).
func FuzzConfigFile(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg := defaultConfig()
		file := configFile{name: "f.yaml", text: text, places: map[string]place{}}
		faults := file.apply(&cfg)
		for _, fault := range faults {
			if fault.text == "" || !strings.HasPrefix(fault.where, "f.yaml") {
				t.Errorf("fault %+v says too little", fault)
			}
		}
		if len(faults) > 0 {
			return
		}
		if cfg.Window < 10*time.Second || cfg.TargetDuration < time.Second || cfg.HTTP == "" ||
			cfg.Log.Level < slog.LevelDebug || cfg.Log.Level > slog.LevelError {
			t.Errorf("config %+v is out of range", cfg)
		}
		for _, s := range cfg.Streams {
			if err := checkStreamName(s.Name); err != nil {
				t.Errorf("stream %q was taken: %v", s.Name, err)
			}
		}
	})
}

// The defaults in the help text are those that are used. Those of the limits
// belong to the origin.
func TestHelpTellsTheDefaults(t *testing.T) {
	for _, s := range globalSettings() {
		cfg := defaultConfig()
		if err := s.set(&cfg, s.start); err != nil {
			t.Errorf("default of %s: %q %v", s.key, s.start, err)
		}
		if !strings.HasPrefix(s.key, "limits.") && !reflect.DeepEqual(cfg, defaultConfig()) {
			t.Errorf("default of %s is not %s", s.key, s.start)
		}
	}
}
