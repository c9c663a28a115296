package store_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"headwater/segmenter/store"
)

func TestWriteAll(t *testing.T) {
	for _, c := range []struct {
		name string
		data [][]byte
	}{
		{"nothing", nil},
		{"one slice", [][]byte{[]byte("segment")}},
		{"empty slices among others", [][]byte{nil, []byte("a"), {}, []byte("b"), nil}},
		{"more slices than the kernel takes at once", slices.Repeat([][]byte{[]byte("0123"), []byte("45678")}, 1500)},
		{"megabytes", slices.Repeat([][]byte{bytes.Repeat([]byte("x"), 100_003)}, 30)},
	} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "file")
			f, err := os.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			want := bytes.Join(c.data, nil)
			if err := store.WriteAll(f, c.data); err != nil {
				t.Fatalf("WriteAll() = %v", err)
			}
			got, err := os.ReadFile(name)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("the file has %d bytes, want the %d written: %v", len(got), len(want), err)
			}
			if !bytes.Equal(bytes.Join(c.data, nil), want) {
				t.Error("WriteAll has changed the slices")
			}
		})
	}
}

// A write that fails says of which file.
func TestWriteAllFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name) // for reading
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var failed *os.PathError
	if err := store.WriteAll(f, [][]byte{[]byte("a"), []byte("b")}); !errors.As(err, &failed) || failed.Path != name {
		t.Errorf("WriteAll() to a file for reading = %v, want an error about %s", err, name)
	}
}
