package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"headwater/cmd/headwater/profile"
)

// setting is one thing that can be told to a T. Its key stands in the file;
// the flag --key has dashes and the variable HEADWATER_KEY capitals, both with
// the dots and underscores of the key replaced.
type setting[T any] struct {
	key   string
	arg   string // what the value is, for the help text
	help  string
	start string // the default, for the help text; "" if there is none
	// set checks value and stores it. Its error says what would be right.
	set func(t *T, value string) error
}

// flagName returns the name of the flag for key, without dashes in front.
func flagName(key string) string { return strings.NewReplacer(".", "-", "_", "-").Replace(key) }

// envName returns the name of the environment variable for key.
func envName(key string) string {
	return "HEADWATER_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// find returns the setting for key.
func find[T any](settings []setting[T], key string) (setting[T], bool) {
	for _, s := range settings {
		if s.key == key {
			return s, true
		}
	}
	return setting[T]{}, false
}

// keys returns the keys of settings.
func keys[T any](settings []setting[T]) []string {
	list := make([]string, len(settings))
	for i := range settings {
		list[i] = settings[i].key
	}
	return list
}

// globalSettings returns what concerns the process, or all streams that do not
// say otherwise, in the order of the help text.
func globalSettings() []setting[Config] {
	return slices.Concat([]setting[Config]{
		{"http", "ADDR", "address to serve players on", defaultHTTP,
			func(c *Config, v string) error { return setAddress(&c.HTTP, v) }},
		{"data", "DIR", "folder that keeps the streams over a restart; '' keeps them in memory", defaultData,
			func(c *Config, v string) error { c.Data = v; return nil }},
		{"target_duration", "DURATION", "length of a segment, 1s to 60s", "6s",
			func(c *Config, v string) error { return setDuration(&c.TargetDuration, v, time.Second, time.Minute) }},
		{"window", "DURATION", "how far back a playlist reaches, 10s to 24h; at least 10 segments are kept", "1m",
			func(c *Config, v string) error { return setDuration(&c.Window, v, 10*time.Second, 24*time.Hour) }},
		{"max_memory", "SIZE", "memory that windows may fill together with all else, such as 2GiB; those watched least get shorter", "none",
			func(c *Config, v string) error { return orNone(setMemory)(&c.MaxMemory, v) }},
		{"pprof", "ADDR", "address to show profiles and metrics of the process on, such as 127.0.0.1:6060", "none",
			func(c *Config, v string) error { return orNone(setLoopback)(&c.Pprof, v) }},
		{"log.format", "FORMAT", "text, json, or auto: text on a terminal, else json", "auto",
			func(c *Config, v string) error { return setOneOf(&c.Log.Format, v, "text", "json", "auto") }},
		{"log.level", "LEVEL", "least important lines to log: debug, info, warn or error", "info",
			func(c *Config, v string) error { return setLevel(&c.Log.Level, v) }},
		{"limits.connections", "NUMBER", "most HTTP connections", "20000",
			func(c *Config, v string) error { return setNumber(&c.Limits.Connections, v, 1, 1_000_000) }},
		{"limits.listeners", "NUMBER", "most listeners of the continuous outputs, such as live.ts", "10000",
			func(c *Config, v string) error { return setNumber(&c.Limits.Listeners, v, 1, 1_000_000) }},
		{"limits.listeners_per_address", "NUMBER", "most listeners from one address", "none",
			func(c *Config, v string) error {
				return orNone(func(n *int, v string) error { return setNumber(n, v, 1, 1_000_000) })(&c.Limits.ListenersPerAddress, v)
			}},
		{"trusted_proxies", "CIDRS", "networks of proxies whose X-Forwarded-For is believed, with commas between them", "none",
			func(c *Config, v string) error { return orNone(addNetworks)(&c.TrustedProxies, v) }},
		{"token_secret", "TEXT", "that signs the tokens of headwater token, 16 characters at least; without it one is kept in the data folder", "none", orNoSecret},
		{"limits.bandwidth", "RATE", "most bandwidth that listeners may be promised beside what HLS takes, such as 800Mbit/s", "none",
			func(c *Config, v string) error { return orNone(setRate)(&c.Limits.Bandwidth, v) }},
		{"limits.requests", "NUMBER", "most requests that are answered at a time", "4096",
			func(c *Config, v string) error { return setNumber(&c.Limits.Requests, v, 1, 1_000_000) }},
	}, passwordSettings())
}

// streamSettings returns what concerns one stream. They stand in the file only.
func streamSettings() []setting[StreamConfig] {
	return slices.Concat(sourceSettings(), publishSettings(), []setting[StreamConfig]{
		{"allow", "CIDRS", "who may connect", "everybody", setAllow},
		{"program", "NUMBER", "program of a transport stream", "the first with video, else with audio",
			func(s *StreamConfig, v string) error { return setNumber(&s.Program, v, 1, 65535) }},
		{"timeout", "DURATION", "silence after which a source is given up", "10s",
			func(s *StreamConfig, v string) error { return setDuration(&s.Timeout, v, time.Second, time.Hour) }},
		{"target_duration", "DURATION", "length of a segment", "that of the top",
			func(s *StreamConfig, v string) error {
				return setDuration(&s.TargetDuration, v, time.Second, time.Minute)
			}},
		{"window", "DURATION", "how far back a playlist reaches", "that of the top",
			func(s *StreamConfig, v string) error { return setDuration(&s.Window, v, 10*time.Second, 24*time.Hour) }},
		{"max_bytes", "SIZE", "most bytes kept of a rendition; older segments go early", "no bound",
			func(s *StreamConfig, v string) error { return setSize(&s.MaxBytes, v) }},
		{"latency", "DURATION", "age of the media when it arrives", "0s",
			func(s *StreamConfig, v string) error { return setDuration(&s.Latency, v, 0, 5*time.Minute) }},
		{"publish_after", "NUMBER", "segments before the first playlist", "3",
			func(s *StreamConfig, v string) error { return setNumber(&s.PublishAfter, v, 1, 100) }},
		{"gap_max", "NUMBER", "gaps that follow a lost source", "3",
			func(s *StreamConfig, v string) error { return setNumber(&s.GapMax, v, 1, 1000) }},
		{"end_after", "DURATION", "the playlists end when no source came for so long", "never",
			func(s *StreamConfig, v string) error {
				return setDuration(&s.EndAfter, v, 10*time.Second, 7*24*time.Hour)
			}},
	}, fallbackSettings(), groupSettings(), listeningSettings(), accessSettings())
}

// orNone returns set for a value that may also be "none", which is the zero value.
func orNone[T any](set func(*T, string) error) func(*T, string) error {
	return func(to *T, value string) error {
		if value == "none" {
			*to = *new(T)
			return nil
		}
		return set(to, value)
	}
}

func setDuration(to *time.Duration, value string, low, high time.Duration) error {
	d, err := time.ParseDuration(value)
	if err != nil {
		return fmt.Errorf("must be a duration from %v to %v, with its unit", words(low), words(high))
	}
	if d < low || d > high {
		return fmt.Errorf("must be %v to %v", words(low), words(high))
	}
	*to = d
	return nil
}

// words formats d without the units that are zero: "24h" for "24h0m0s".
func words(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func setNumber[N int | uint16](to *N, value string, low, high int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return fmt.Errorf("must be a whole number from %d to %d", low, high)
	}
	*to = N(n)
	return nil
}

// setSize takes a number of bytes with its unit, 1 MiB to 1 TiB.
func setSize(to *int64, value string) error {
	for i, unit := range []string{"MiB", "GiB", "TiB"} {
		number, ok := strings.CutSuffix(value, unit)
		if !ok {
			continue
		}
		scale := int64(1) << (20 + 10*i)
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if size := int64(n * float64(scale)); err == nil && size >= 1<<20 && n*float64(scale) <= 1<<40 {
			*to = size
			return nil
		}
	}
	return errors.New("must be a size from 1MiB to 1TiB, with its unit MiB, GiB or TiB")
}

// setMemory takes a size that the process itself fits into.
func setMemory(to *int64, value string) error {
	const least = 64 << 20
	var size int64
	if setSize(&size, value) != nil || size < least {
		return errors.New("must be a size from 64MiB to 1TiB, with its unit MiB, GiB or TiB")
	}
	*to = size
	return nil
}

// setRate takes a number of bits a second with its unit, 1 kbit/s to 1 Tbit/s.
func setRate(to *int64, value string) error {
	for i, unit := range []string{"kbit/s", "Mbit/s", "Gbit/s"} {
		number, ok := strings.CutSuffix(value, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if rate := n * math.Pow10(3+3*i); err == nil && rate >= 1e3 && rate <= 1e12 {
			*to = int64(rate)
			return nil
		}
	}
	return errors.New("must be a rate from 1kbit/s to 1000Gbit/s, with its unit kbit/s, Mbit/s or Gbit/s")
}

func setOneOf(to *string, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return fmt.Errorf("must be one of %s", strings.Join(allowed, ", "))
	}
	*to = value
	return nil
}

func setLevel(to *slog.Level, value string) error {
	var name string
	if err := setOneOf(&name, value, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return to.UnmarshalText([]byte(name))
}

// setAddress takes an address to listen on: the host may be missing, the port may be 0.
func setAddress(to *string, value string) error {
	_, port, err := net.SplitHostPort(value)
	if err != nil || !isPort(port, 0) {
		return errors.New("must be an address such as :8080 or 127.0.0.1:9999")
	}
	*to = value
	return nil
}

// setLoopback takes an address to listen on that only this machine reaches.
func setLoopback(to *string, value string) error {
	if setAddress(to, value) != nil || !profile.Loopback(value) {
		*to = ""
		return errors.New("must be an address of this machine alone, such as 127.0.0.1:6060: profiles show what is in memory")
	}
	return nil
}

// setRemoteAddress takes an address to connect to.
func setRemoteAddress(to *string, value string) error {
	host, port, err := net.SplitHostPort(value)
	if err != nil || host == "" || !isPort(port, 1) {
		return errors.New("must be a host and a port such as encoder.example:9999")
	}
	*to = value
	return nil
}

func isPort(s string, low int) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= low && n <= 65535
}

func setAllow(s *StreamConfig, value string) error { return addNetworks(&s.Allow, value) }

// addNetworks adds the networks in value, which commas separate. A lone address
// is a network of one.
func addNetworks(to *[]netip.Prefix, value string) error {
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		prefix, err := netip.ParsePrefix(item)
		if err != nil {
			addr, err := netip.ParseAddr(item)
			if err != nil {
				return errors.New("must be networks such as 192.168.0.0/16 or 2001:db8::/32")
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		*to = append(*to, prefix.Masked())
	}
	return nil
}

// setSource takes [NAME=]ADDR, where ADDR may begin with "connect:". It
// replaces where the stream's media came from before.
func setSource(c *Config, value string) error {
	name, addr, ok := strings.Cut(value, "=")
	if !ok {
		name, addr = defaultStream, value
	}
	if err := checkStreamName(name); err != nil {
		return err
	}
	var s StreamConfig
	var err error
	if remote, ok := strings.CutPrefix(addr, "connect:"); ok {
		err = setRemoteAddress(&s.Connect, remote)
	} else {
		err = setAddress(&s.TCP, addr)
	}
	if err != nil {
		return errors.New("must be like 127.0.0.1:9999, NAME=127.0.0.1:9999 or NAME=connect:encoder.example:9999")
	}
	to := c.stream(name)
	to.TCP, to.Connect = s.TCP, s.Connect
	return nil
}
