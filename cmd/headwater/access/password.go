package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Bounds of hashes: what a check may cost, whoever wrote the file.
const (
	maxBcryptCost   = 14        // a second of a slow machine
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonPasses  = 16
	maxArgonThreads = 16
)

// Password is a password as a configuration holds it: as it is, or its hash.
// The zero value is none, and matches nothing.
type Password struct {
	plain  [sha256.Size]byte // of the password itself
	bcrypt []byte
	argon  *argon
	text   string // that it was made of
}

// argon is a hash in the form of the reference implementation.
type argon struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

// ParsePassword reads a password from a configuration: a hash of bcrypt
// ($2a$, $2b$, $2y$) or Argon2id ($argon2id$v=19$m=…,t=…,p=…$…$…), or the
// password itself. Hashes that would take too long to check are refused.
func ParsePassword(text string) (Password, error) {
	p := Password{text: text}
	switch {
	case text == "":
		return Password{}, errors.New("must not be empty")
	case strings.ContainsAny(text, "\r\n\x00"):
		return Password{}, errors.New("must be one line")
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		cost, err := bcrypt.Cost([]byte(text))
		if err != nil || len(text) != 60 {
			return Password{}, errors.New("begins like a hash of bcrypt and is none")
		}
		if cost > maxBcryptCost {
			return Password{}, fmt.Errorf("is a hash of bcrypt whose cost is above %d", maxBcryptCost)
		}
		p.bcrypt = []byte(text)
	case strings.HasPrefix(text, "$argon2"):
		a, err := parseArgon(text)
		if err != nil {
			return Password{}, err
		}
		p.argon = a
	default:
		p.plain = sha256.Sum256([]byte(text))
	}
	return p, nil
}

// parseArgon reads a hash of Argon2id.
func parseArgon(text string) (*argon, error) {
	none := errors.New("begins like a hash of Argon2 and is none of Argon2id, version 19")
	parts := strings.Split(text, "$") // the first is empty
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v=19" {
		return nil, none
	}
	var a argon
	var again string
	n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &a.memory, &a.passes, &a.threads)
	if again = fmt.Sprintf("m=%d,t=%d,p=%d", a.memory, a.passes, a.threads); err != nil || n != 3 || again != parts[3] {
		return nil, none
	}
	var saltErr, keyErr error
	a.salt, saltErr = base64.RawStdEncoding.DecodeString(parts[4])
	a.key, keyErr = base64.RawStdEncoding.DecodeString(parts[5])
	if saltErr != nil || keyErr != nil || len(a.salt) < 8 || len(a.key) < 16 || len(a.key) > 128 || a.passes == 0 || a.threads == 0 {
		return nil, none
	}
	if a.memory > maxArgonMemory || a.passes > maxArgonPasses || a.threads > maxArgonThreads {
		return nil, fmt.Errorf("is a hash of Argon2id that takes too long: at most m=%d,t=%d,p=%d", maxArgonMemory, maxArgonPasses, maxArgonThreads)
	}
	return &a, nil
}

// Set reports whether there is a password.
func (p Password) Set() bool { return p.text != "" }

// slow reports whether a check takes long.
func (p Password) slow() bool { return p.bcrypt != nil || p.argon != nil }

// matches reports whether word is the password. How long that takes says nothing
// of how much of it is right.
func (p Password) matches(word string) bool {
	switch {
	case p.text == "":
		return false
	case p.bcrypt != nil:
		return bcrypt.CompareHashAndPassword(p.bcrypt, []byte(word)) == nil
	case p.argon != nil:
		a := p.argon
		key := argon2.IDKey([]byte(word), a.salt, a.passes, a.memory, a.threads, uint32(len(a.key)))
		return subtle.ConstantTimeCompare(key, a.key) == 1
	}
	sum := sha256.Sum256([]byte(word))
	return subtle.ConstantTimeCompare(sum[:], p.plain[:]) == 1
}
