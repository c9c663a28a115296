package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"headwater/cmd/headwater/access"
)

// tokenSecretFile is the file of the data folder that holds the secret of
// tokens. No stream has such a name.
const tokenSecretFile = ".token-secret"

// maxToken is how long a token may hold: a year.
const maxToken = 366 * 24 * time.Hour

func tokenCommand() command {
	return command{
		name:    "token",
		args:    "[flags] STREAM",
		summary: "print a token with which a stream can be heard for some time",
		text: `Prints a token for a stream, or for a group of them, with "listener_tokens: true".
Whoever has it can listen from anywhere until it expires. It stands in front of
the path, which works in all players, or in the query:

  http://HOST/t/TOKEN/live.m3u8      http://HOST/live.mp3?token=TOKEN

The secret that signs it is "token_secret" of the configuration, or else what
headwater serve keeps in the data folder. Nobody needs to be told of a new token.

Example:

  headwater token live --for 2h`,
		bind: func(fs *flag.FlagSet, c *console) func(context.Context, []string) error {
			l := newLoader(c.lookupEnv)
			fs.StringVar(&l.file, "config", "", "`FILE` with the configuration of headwater serve\nVariable: HEADWATER_CONFIG")
			fs.Func("data", "`DIR` the data folder of headwater serve (default "+defaultData+")\nVariable: HEADWATER_DATA", func(v string) error {
				l.flags = append(l.flags, given{"data", v})
				return nil
			})
			length := fs.Duration("for", time.Hour, "how `long` it holds")
			return func(_ context.Context, args []string) error {
				if len(args) != 1 {
					return usageErrorf("one stream is needed")
				}
				if err := checkStreamName(args[0]); err != nil {
					return usageErrorf("%q %v", args[0], err)
				}
				if *length < time.Second || *length > maxToken {
					return usageErrorf("--for %v: must be 1s to 366 days", *length)
				}
				cfg, err := l.load()
				if err != nil {
					return err
				}
				secret, err := savedSecret(&cfg)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(c.stdout, secret.Token(args[0], time.Now().Add(*length)))
				return err
			}
		},
	}
}

// savedSecret returns the secret of a configuration, or of its data folder,
// where it is made if there is none.
func savedSecret(cfg *Config) (access.Secret, error) {
	if len(cfg.TokenSecret) > 0 || cfg.Data == "" {
		return keepSecret(cfg, nil)
	}
	dir, err := os.OpenRoot(cfg.Data)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w: say where headwater serve has it with --data, or set token_secret", err)
	}
	defer dir.Close()
	return keepSecret(cfg, dir)
}

// keepSecret returns the secret of a configuration, or of the data folder.
func keepSecret(cfg *Config, data *os.Root) (access.Secret, error) {
	switch {
	case len(cfg.TokenSecret) > 0:
		return cfg.TokenSecret, nil
	case data == nil:
		return nil, errors.New("tokens need a secret: set token_secret, or a data folder to keep one in")
	}
	secret, err := access.KeepSecret(data, tokenSecretFile)
	if err != nil {
		return nil, fmt.Errorf("keep the secret of tokens in the data folder: %w", err)
	}
	return secret, nil
}

// openGates makes what says who may listen.
func (s *station) openGates(opts *serveOptions) (err error) {
	var secret access.Secret
	for i := range opts.Streams {
		if opts.Streams[i].Listening.Tokens && secret == nil {
			if secret, err = keepSecret(&opts.Config, s.data); err != nil {
				return err
			}
		}
	}
	s.gates = access.NewGates(secret, s.endpoints.http, s.log)
	s.beside = append(s.beside, s.gates)
	return nil
}
