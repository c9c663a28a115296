package access

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// maxFile bounds a file that holds a password.
const maxFile = 4 << 10

// ReadFile returns the password in the first line of a file.
func ReadFile(name string) (Password, error) {
	f, err := os.Open(name)
	if err != nil {
		return Password{}, err
	}
	defer f.Close()
	return read(f, name)
}

// Keep returns the password in a file of a folder. If there is no such file a
// password is made at random and written there, for nobody else to read; made
// reports that.
func Keep(dir *os.Root, name string) (p Password, made bool, err error) {
	f, err := dir.Open(name)
	if err == nil {
		defer f.Close()
		p, err = read(f, name)
		return p, false, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Password{}, false, err
	}
	text := strings.ToLower(rand.Text())
	if f, err = dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return Password{}, false, err
	}
	_, err = io.WriteString(f, text+"\n")
	if err = errors.Join(err, f.Close()); err != nil {
		return Password{}, false, errors.Join(err, dir.Remove(name))
	}
	p, err = ParsePassword(text)
	return p, true, err
}

// read reads the first line of a file.
func read(r io.Reader, name string) (Password, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile))
	if err != nil {
		return Password{}, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	p, err := ParsePassword(strings.TrimRight(line, "\r"))
	if err != nil {
		return Password{}, fmt.Errorf("password in %s %w", name, err)
	}
	return p, nil
}
