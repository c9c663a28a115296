package access_test

import (
	"strings"
	"testing"
	"time"

	"headwater/cmd/headwater/access"
)

func TestToken(t *testing.T) {
	secret := access.Secret("a secret")
	now := time.Unix(1_800_000_000, 0)
	token := secret.Token("radio/one", now.Add(time.Hour))
	if strings.Trim(token, "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") != "" {
		t.Errorf("the token %q cannot stand in a URL", token)
	}
	at, signature, _ := strings.Cut(token, ".")
	for _, c := range []struct {
		name, token, stream string
		secret              access.Secret
		now                 time.Time
		want                bool
	}{
		{"as it was made", token, "radio/one", secret, now, true},
		{"in its last second", token, "radio/one", secret, now.Add(time.Hour - 1), true},
		{"expired", token, "radio/one", secret, now.Add(time.Hour), false},
		{"for another stream", token, "radio/two", secret, now, false},
		{"for a part of its name", token, "radio", secret, now, false},
		{"of another secret", token, "radio/one", access.Secret("b"), now, false},
		{"without a secret", token, "radio/one", nil, now, false},
		{"prolonged", "1900000000." + signature, "radio/one", secret, now, false},
		{"spelled otherwise", "+" + at + "." + signature, "radio/one", secret, now, false},
		{"padded", token + "=", "radio/one", secret, now, false},
		{"without a signature", at + ".", "radio/one", secret, now, false},
		{"nothing", "", "radio/one", secret, now, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, ok := c.secret.Check(c.token, c.stream, c.now); ok != c.want {
				t.Errorf("Check(%q, %q) = %v, want %v", c.token, c.stream, ok, c.want)
			}
		})
	}
}

func FuzzToken(f *testing.F) {
	secret := access.Secret("a secret")
	now := time.Unix(1_800_000_000, 0)
	right := secret.Token("live", now.Add(time.Hour))
	for _, s := range []string{right, "", ".", "1.AAAA", "-1." + right} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, ok := secret.Check(token, "live", now); ok && token != right {
			t.Errorf("Check(%q) holds, and nobody made it", token)
		}
	})
}
