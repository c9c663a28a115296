package access

import "os"

// KeepSecret returns the secret in a file of a folder, which it makes at random
// if there is none, for nobody else to read.
func KeepSecret(dir *os.Root, name string) (Secret, error) {
	p, _, err := Keep(dir, name)
	return Secret(p.text), err
}
