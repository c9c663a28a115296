package main

import (
	"errors"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"headwater/cmd/headwater/access"
)

// leastSecret is how many bytes a secret has at least that nobody guesses.
const leastSecret = 16

// accessSettings returns who may listen to a stream; see [listenerNames], too.
func accessSettings() []setting[StreamConfig] {
	return []setting[StreamConfig]{
		{"listener_password", "PASSWORD", "of listeners and viewers, or its hash", "none",
			func(s *StreamConfig, v string) error { return setPassword(&s.Listening.Password, v) }},
		{"listener_tokens", "BOOL", "tokens of headwater token let people in", "false",
			func(s *StreamConfig, v string) error { return setBool(&s.Listening.Tokens, v) }},
		{"listener_add", "URL", "of a service that is asked for each listener, as Icecast's listener_add", "none",
			func(s *StreamConfig, v string) (err error) { s.Listening.Add, err = access.ParseService(v); return err }},
		{"listener_remove", "URL", "of a service that is told when a listener has gone, as Icecast's listener_remove", "none",
			func(s *StreamConfig, v string) (err error) {
				s.Listening.Remove, err = access.ParseService(v)
				return err
			}},
	}
}

// listenersKey is the key of those who may listen, each with a password.
const listenersKey = "listeners"

// listenerNames sets those that stand below "listeners" of a stream.
func (f *configFile) listenerNames(s *StreamConfig, path string, node ast.Node) {
	f.entries(node, path, func(key string, node ast.Node) {
		name := strings.TrimPrefix(key, path+".")
		for _, v := range f.scalars(node, key, false) {
			p, err := access.ParsePassword(v.value)
			if err == nil && strings.ContainsAny(name, ":\r\n") {
				err = errors.New("has a colon in its name, which Basic authentication cannot tell from the password")
			}
			if err != nil {
				f.fault(v.node, key, "", err.Error())
				continue
			}
			if s.Listening.Users == nil {
				s.Listening.Users = map[string]access.Password{}
			}
			s.Listening.Users[name] = p
		}
	})
}

// orNoSecret is setSecret for a value that may also be "none".
func orNoSecret(c *Config, value string) error {
	if value == "none" {
		c.TokenSecret = nil
		return nil
	}
	return setSecret(c, value)
}

// setSecret takes the secret of tokens.
func setSecret(c *Config, value string) error {
	if len(value) < leastSecret {
		return errors.New("must be 16 characters at least")
	}
	c.TokenSecret = access.Secret(value)
	return nil
}
