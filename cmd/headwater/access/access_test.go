package access_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"encoding/base64"

	"headwater/cmd/headwater/access"
)

// hash returns hashes of a word that are cheap to check.
func hash(t *testing.T, word string) (bcrypted, argoned string) {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(word), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	salt := []byte("saltsalt")
	enc := base64.RawStdEncoding.EncodeToString
	return string(b), "$argon2id$v=19$m=64,t=1,p=2$" + enc(salt) + "$" + enc(argon2.IDKey([]byte(word), salt, 1, 64, 2, 32))
}

func parse(t *testing.T, text string) access.Password {
	t.Helper()
	p, err := access.ParsePassword(text)
	if err != nil {
		t.Fatalf("ParsePassword(%q) = %v", text, err)
	}
	return p
}

// keeper returns a keeper of stream "own", with a password of its own, and of
// others that have none.
func keeper(all, own, admin access.Password, log *bytes.Buffer) *access.Keeper {
	return access.New(access.Config{
		Source: all, Admin: admin, Log: slog.New(slog.NewTextHandler(log, nil)),
		Stream: func(name string) (access.Stream, bool) {
			if name == "own" {
				return access.Stream{Source: own}, true
			}
			return access.Stream{}, name == "live"
		},
	})
}

func TestKeeper(t *testing.T) {
	bcrypted, argoned := hash(t, "hackme")
	for _, form := range []struct{ name, hackme string }{{"plain", "hackme"}, {"bcrypt", bcrypted}, {"argon2id", argoned}, {"bcrypt of PHP", "$2y$" + bcrypted[4:]}} {
		for _, tt := range []struct {
			name, stream, word string
			want               bool
		}{
			{"that of all streams", "live", "hackme", true},
			{"another", "live", "Hackme", false},
			{"none", "live", "", false},
			{"its hash", "live", form.hackme + "x", false},
			{"a long one", "live", strings.Repeat("hackme", 20000), false},
			{"that of the stream", "own", "mine", true},
			{"that of all, where the stream has its own", "own", "hackme", false},
			{"a stream that does not exist", "none", "hackme", true},
		} {
			t.Run(form.name+" "+tt.name, func(t *testing.T) {
				var log bytes.Buffer
				k := keeper(parse(t, form.hackme), parse(t, "mine"), access.Password{}, &log)
				for range 2 { // remembered, too
					if got := k.Source(t.Context(), tt.stream, "source", tt.word, "192.0.2.7:1"); got != tt.want {
						t.Errorf("Source(%s, %.20q) = %v, want %v", tt.stream, tt.word, got, tt.want)
					}
				}
				if k.Admin(t.Context(), "admin", tt.word, "192.0.2.7:1") || k.Admin(t.Context(), "admin", "", "192.0.2.7:1") {
					t.Error("there is no administrator, but one was let in")
				}
				if said := log.String(); !tt.want && !strings.Contains(said, "stream="+tt.stream) || tt.word != "" && strings.Contains(said, tt.word) {
					t.Errorf("the log is %q", said)
				}
			})
		}
	}
}

func TestParsePassword(t *testing.T) {
	bcrypted, argoned := hash(t, "x")
	for _, tt := range []struct{ name, text string }{
		{"nothing", ""},
		{"two lines", "a\nb"},
		{"half a hash of bcrypt", bcrypted[:40]},
		{"one that takes a day", strings.Replace(bcrypted, "$04$", "$31$", 1)},
		{"Argon2i", strings.Replace(argoned, "argon2id", "argon2i", 1)},
		{"no memory", strings.Replace(argoned, "m=64", "m=x", 1)},
		{"all memory", strings.Replace(argoned, "m=64", "m=4294967295", 1)},
		{"no passes", strings.Replace(argoned, "t=1", "t=0", 1)},
		{"more threads than a byte holds", strings.Replace(argoned, "p=2", "p=300", 1)},
		{"no key", argoned[:strings.LastIndex(argoned, "$")+1]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := access.ParsePassword(tt.text); err == nil {
				t.Errorf("ParsePassword(%q) = nil, want an error", tt.text)
			}
		})
	}
}

// A storm of wrong passwords is answered without a hash each; who knows the
// right one gets in meanwhile, from another address at once and from the same
// one when it is over.
func TestStormOfWrongPasswords(t *testing.T) {
	hashed, err := bcrypt.GenerateFromPassword([]byte("hackme"), 11) // some 100 ms
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		k := keeper(parse(t, string(hashed)), access.Password{}, access.Password{}, &log)
		for i := range 20_000 { // 40 minutes of hashes
			if k.Source(t.Context(), "live", "source", fmt.Sprint(i), fmt.Sprint("192.0.2.7:", 1+i)) {
				t.Fatal("a wrong password was taken")
			}
		}
		if !k.Source(t.Context(), "live", "source", "hackme", "192.0.2.8:1") {
			t.Error("the right password was refused, from another address")
		}
		time.Sleep(11 * time.Second)
		if !k.Source(t.Context(), "live", "source", "hackme", "192.0.2.7:1") {
			t.Error("the right password was refused, when the storm was over")
		}
		if n := strings.Count(log.String(), "\n"); n > 3 {
			t.Errorf("%d lines were logged in a moment", n)
		}
	})
}

// Icecast's stream_auth.
func TestService(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   bool
	}{
		{"yes", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("icecast-auth-user", "1") }, true},
		{"no", func(w http.ResponseWriter, r *http.Request) {}, false},
		{"another word", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("icecast-auth-user", "0") }, false},
		{"yes, but it failed", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("icecast-auth-user", "1")
			w.WriteHeader(500)
		}, false},
		{"look elsewhere", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var form url.Values
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.ParseForm()
				form = r.PostForm
				tt.answer(w, r)
			}))
			defer s.Close()
			service, err := access.ParseService(s.URL + "/auth")
			if err != nil {
				t.Fatal(err)
			}
			k := access.New(access.Config{
				Server: "10.0.0.1:8080",
				Stream: func(string) (access.Stream, bool) { return access.Stream{Service: service}, true },
			})
			if got := k.Source(t.Context(), "a/b", "dj", "p&=", "192.0.2.7:1"); got != tt.want {
				t.Errorf("Source = %v, want %v", got, tt.want)
			}
			if got, want := form.Encode(), "action=stream_auth&ip=192.0.2.7&mount=%2Fa%2Fb&pass=p%26%3D&port=8080&server=10.0.0.1&user=dj"; got != want {
				t.Errorf("the service was asked %s, want %s", got, want)
			}
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		var log bytes.Buffer
		service, _ := url.Parse("http://u:secret@127.0.0.1:1/")
		k := access.New(access.Config{
			Stream: func(string) (access.Stream, bool) { return access.Stream{Service: service}, true },
			Log:    slog.New(slog.NewTextHandler(&log, nil)),
		})
		if k.Source(t.Context(), "live", "u", "hackme", "192.0.2.7:1") {
			t.Error("somebody was let in")
		}
		if said := log.String(); !strings.Contains(said, "does not answer") || strings.Contains(said, "hackme") || strings.Contains(said, "secret") {
			t.Errorf("the log is %q", said)
		}
	})
	t.Run("nobody answers a storm", func(t *testing.T) {
		var log bytes.Buffer
		service, _ := url.Parse("http://127.0.0.1:1/")
		k := access.New(access.Config{
			Stream: func(string) (access.Stream, bool) { return access.Stream{Service: service}, true },
			Log:    slog.New(slog.NewTextHandler(&log, nil)),
		})
		const storm = 200
		began := time.Now()
		for range storm {
			k.Source(t.Context(), "live", "u", "hackme", "192.0.2.7:1")
		}
		most := 2 + 2*int(time.Since(began)/time.Second) // two messages, each once a second
		if n := strings.Count(log.String(), "\n"); n > most {
			t.Errorf("%d lines tell of %d tries, want %d at most", n, storm, most)
		}
	})
}

func TestKeep(t *testing.T) {
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if _, made, err := access.Keep(dir, ".source-password"); err != nil || !made {
		t.Fatalf("Keep = made %v, %v", made, err)
	}
	info, err := dir.Stat(".source-password")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v, want 0600", info.Mode(), err)
	}
	text, err := dir.ReadFile(".source-password")
	if err != nil || len(text) < 20 {
		t.Fatalf("the file holds %q, %v", text, err)
	}
	p, made, err := access.Keep(dir, ".source-password")
	if err != nil || made {
		t.Fatalf("Keep again = made %v, %v", made, err)
	}
	var log bytes.Buffer
	if k := keeper(p, access.Password{}, access.Password{}, &log); !k.Source(t.Context(), "live", "", strings.TrimSpace(string(text)), "192.0.2.7:1") {
		t.Error("the password in the file is not taken")
	}
	if err := dir.WriteFile("empty", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := access.Keep(dir, "empty"); err == nil {
		t.Error("an empty file is taken for a password")
	}
}

// Whatever stands in a configuration: no panic, and nothing that takes long.
func FuzzParsePassword(f *testing.F) {
	f.Add("$argon2id$v=19$m=64,t=1,p=2$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA")
	f.Add("$2a$04$abcdefghijklmnopqrstuuWFQmWdLYtX8WzXbXq7P3Ymsr3B1a2Sm")
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := access.ParsePassword(text); (err == nil) != p.Set() {
			t.Errorf("ParsePassword(%q) is set %v, %v", text, p.Set(), err)
		}
	})
}
