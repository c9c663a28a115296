package folder_test

import (
	"bytes"
	"slices"
	"testing"

	"headwater/ingest/folder"
	"headwater/mux"
)

func TestReadTags(t *testing.T) {
	v1 := slices.Concat([]byte("TAG"), pad("Vu\xe9", 30), pad("Nom", 30), make([]byte, 65))
	tests := []struct {
		name  string
		file  []byte
		want  mux.Title
		begin int64
	}{
		{"nothing", []byte("\xff\xfb\x90\x00"), mux.Title{}, 0},
		{"UTF-8 behind a picture of 3 MB", id3("Ä", "One", 3<<20), mux.Title{Artist: "Ä", Name: "One"}, int64(len(id3("Ä", "One", 3<<20)))},
		{"version 2, UTF-16", []byte("ID3\x02\x00\x00\x00\x00\x00\x0fTT2\x00\x00\x09\x01\xff\xfeH\x00i\x00\x00\x00"), mux.Title{Name: "Hi"}, 25},
		{"version 3, Latin-1", []byte("ID3\x03\x00\x00\x00\x00\x00\x0eTPE1\x00\x00\x00\x04\x00\x00\x00B\xf6b"), mux.Title{Name: "Böb"}, 24},
		{"version 1 at the end", slices.Concat(make([]byte, 400), v1), mux.Title{Artist: "Nom", Name: "Vué"}, 0},
		{"no control characters", id3("A\nB", "C\x07D", 0), mux.Title{Artist: "A B", Name: "C D"}, int64(len(id3("A\nB", "C\x07D", 0)))},
		{"a tag of 256 MB in a small file", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7fTIT2\x7f\x7f\x7f\x7f\x00\x00x"), mux.Title{}, 21},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, begin := folder.ReadTags(bytes.NewReader(tt.file), int64(len(tt.file)))
			if got != tt.want || begin != tt.begin {
				t.Errorf("readTags = %+v, %d, want %+v, %d", got, begin, tt.want, tt.begin)
			}
		})
	}
}

func pad(s string, n int) []byte { return append([]byte(s), make([]byte, n-len(s))...) }

// Whatever the tags say, no panic, and the sound begins inside the file.
func FuzzReadTags(f *testing.F) {
	f.Add(id3("A", "B", 10))
	f.Add([]byte("ID3\x03\x00\xc0\x00\x00\x00\x14\x00\x00\x00\x06aaaaaaTIT2\x00\x00\x00\x04\x00\x00\x01\xff\x00\xfe"))
	f.Fuzz(func(t *testing.T, b []byte) {
		title, begin := folder.ReadTags(bytes.NewReader(b), int64(len(b)))
		if begin < 0 || begin > int64(len(b)) {
			t.Errorf("the sound begins at %d of %d", begin, len(b))
		}
		if title != title.Clean() {
			t.Errorf("title %q is not clean", title)
		}
	})
}
