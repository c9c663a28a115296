package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"headwater/cmd/headwater/access"
)

func TestTokenCommand(t *testing.T) {
	const secret = "sixteen characters"
	config := writeConfig(t, "token_secret: "+secret+"\n")
	token := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := tokenCommand().execute(t.Context(), args, &console{stdout: &out, stderr: &out, lookupEnv: environment()})
		return strings.TrimSpace(out.String()), err
	}
	got, err := token("live", "--for", "2h", "--config", config)
	if err != nil {
		t.Fatal(err)
	}
	expiry, ok := access.Secret(secret).Check(got, "live", time.Now())
	if left := time.Until(expiry); !ok || left > 2*time.Hour || left < 2*time.Hour-time.Minute {
		t.Errorf("token printed %q, which holds for %v", got, left)
	}

	folder := t.TempDir() // makes a secret there, and keeps it
	first, err := token("--data", folder, "live")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Data: folder}
	kept, err := savedSecret(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := kept.Check(first, "live", time.Now()); !ok {
		t.Errorf("the token %q is not of the secret in the data folder", first)
	}
	for want, args := range map[string][]string{
		"one stream is needed": {}, "is no stream name": {"/x"}, "--for 0s": {"live", "--for", "0s"},
		"open the data folder": {"live", "--data", folder + "/none"}, "tokens need a secret": {"live", "--data", ""},
	} {
		if _, err := token(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("token %q = %v, want %q", args, err, want)
		}
	}
}
