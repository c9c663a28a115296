package main

import (
	"errors"
	"strings"

	"headwater/cmd/headwater/access"
)

// Passwords are who may send, and administer, if streams do not say otherwise.
type Passwords struct {
	Source, Admin         access.Password
	SourceFile, AdminFile string // that hold them; "" for none
}

// passwordSettings returns what says who may send and administer.
func passwordSettings() []setting[Config] {
	password := func(field func(*Config) *access.Password) func(*Config, string) error {
		return func(c *Config, v string) error { return orNone(setPassword)(field(c), v) }
	}
	file := func(field func(*Config) *string) func(*Config, string) error {
		return func(c *Config, v string) error { return orNone(setPath)(field(c), v) }
	}
	return []setting[Config]{
		{"source_password", "PASSWORD", "of sources that send over HTTP, or its hash; if there is none one is made and kept in the data folder", "none",
			password(func(c *Config) *access.Password { return &c.Passwords.Source })},
		{"source_password_file", "FILE", "that holds it", "none",
			file(func(c *Config) *string { return &c.Passwords.SourceFile })},
		{"admin_password", "PASSWORD", "of the administrator, or its hash; if there is none one is made and kept in the data folder", "none",
			password(func(c *Config) *access.Password { return &c.Passwords.Admin })},
		{"admin_password_file", "FILE", "that holds it", "none",
			file(func(c *Config) *string { return &c.Passwords.AdminFile })},
	}
}

// publishSettings returns what concerns sources of a stream that send over HTTP.
func publishSettings() []setting[StreamConfig] {
	return []setting[StreamConfig]{
		{"source_password", "PASSWORD", "of sources that send over HTTP, or its hash", "that of the top",
			func(s *StreamConfig, v string) error { return setPassword(&s.SourcePassword, v) }},
		{"source_auth", "URL", "of a service that is asked whether a source may send, as Icecast's stream_auth", "none",
			func(s *StreamConfig, v string) (err error) { s.SourceAuth, err = access.ParseService(v); return err }},
		{"shoutcast", "ADDR", "address to take SHOUTcast sources on", "",
			func(s *StreamConfig, v string) error { return setAddress(&s.SHOUTcast, v) }},
		{"takeover", "BOOL", "a new source that sends over HTTP replaces the one before", "false",
			func(s *StreamConfig, v string) error { return setBool(&s.Takeover, v) }},
		{"max_streams", "NUMBER", "of a name that ends in /*: most streams at a time", "100",
			func(s *StreamConfig, v string) error { return setNumber(&s.MaxStreams, v, 1, 10_000) }},
	}
}

// setSHOUTcast takes [NAME=]ADDR.
func setSHOUTcast(c *Config, value string) error {
	name, addr, ok := strings.Cut(value, "=")
	if !ok {
		name, addr = defaultStream, value
	}
	if err := checkStreamName(name); err != nil {
		return err
	}
	if err := setAddress(new(string), addr); err != nil {
		return errors.New("must be like :8001 or NAME=:8001")
	}
	return setAddress(&c.stream(name).SHOUTcast, addr)
}

func setPassword(to *access.Password, value string) (err error) {
	*to, err = access.ParsePassword(value)
	return err
}

// defaultMaxStreams is how many streams a wildcard may be at a time.
const defaultMaxStreams = 100

// wildcard returns the part of the name in front of its "*", and whether the
// stream stands for all whose names begin so.
func (s *StreamConfig) wildcard() (prefix string, ok bool) {
	prefix, ok = strings.CutSuffix(s.Name, "*")
	return prefix, ok && strings.HasSuffix(prefix, "/")
}

// checkStreamPattern returns what is wrong with a name in the configuration,
// which may stand for many.
func checkStreamPattern(name string) error {
	if prefix, ok := (&StreamConfig{Name: name}).wildcard(); ok {
		name = prefix + "any"
	}
	return checkStreamName(name)
}

// match returns the stream of a name: the one that is called so, else the
// wildcard that says most of it; nil if there is none.
func (c *Config) match(name string) *StreamConfig {
	var best *StreamConfig
	longest := 0
	for i := range c.Streams {
		s := &c.Streams[i]
		if s.Name == name {
			return s
		}
		if prefix, ok := s.wildcard(); ok && strings.HasPrefix(name, prefix) && len(name) > len(prefix) && len(prefix) > longest {
			best, longest = s, len(prefix)
		}
	}
	return best
}

// validatePublish adds what is wrong with who may send, and by what.
func (c *Config) validatePublish(add func(key, format string, args ...any)) {
	if c.Passwords.Source.Set() && c.Passwords.SourceFile != "" {
		add("source_password_file", "has no meaning with source_password")
	}
	if c.Passwords.Admin.Set() && c.Passwords.AdminFile != "" {
		add("admin_password_file", "has no meaning with admin_password")
	}
	for i := range c.Streams {
		s := &c.Streams[i]
		key := "streams." + s.Name
		if s.SourcePassword.Set() && s.SourceAuth != nil {
			add(key+".source_auth", "has no meaning with source_password")
		}
		_, any := s.wildcard()
		if s.Listening.Add != nil && s.OnDemand {
			add(key+".listener_add", "has no meaning with on_demand: the service is asked when there is something to hear")
		}
		if s.MaxStreams != 0 && !any {
			add(key+".max_streams", "has no meaning without a name that ends in /*")
		}
		if !any {
			continue
		}
		if keys := s.sources(); len(keys) > 0 {
			add(key+"."+keys[0], "has no meaning with a name that ends in /*: its streams are sent over HTTP")
		}
		if s.SHOUTcast != "" {
			add(key+".shoutcast", "has no meaning with a name that ends in /*: sources name the stream, on the port of another")
		}
		if s.Fallback.Kind != "" {
			add(key+".fallback", "has no meaning with a name that ends in /*")
		}
	}
}
