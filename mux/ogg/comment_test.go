package ogg_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"headwater/mux"
	"headwater/mux/ogg"
)

// comments returns a comment header.
func comments(fields ...string) []byte {
	le := binary.LittleEndian
	b := append(le.AppendUint32(nil, 3), "abc"...)
	b = le.AppendUint32(b, uint32(len(fields)))
	for _, f := range fields {
		b = append(le.AppendUint32(b, uint32(len(f))), f...)
	}
	return b
}

// FuzzParseComments: any bytes make no panic and a clean title.
func FuzzParseComments(f *testing.F) {
	f.Add(comments("ARTIST=a", "TITLE=b", "URL=http://c/"))
	f.Add(comments("title=\xff\x00")[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		if title, _ := ogg.ParseComments(b); title != title.Clean() {
			t.Errorf("ParseComments = %+q, which is not clean", title)
		}
	})
}

func TestParseComments(t *testing.T) {
	tests := []struct {
		name  string
		input []byte
		want  mux.Title
		err   error
	}{
		{"artist and title", comments("ARTIST=a", "TITLE=b", "ALBUM=c"), mux.Title{Artist: "a", Name: "b"}, nil},
		{"any case, and an equals sign", comments("Title=b=c", "artist=ä"), mux.Title{Artist: "ä", Name: "b=c"}, nil},
		{"two artists", comments("ARTIST=a", "ARTIST=b", "TITLE=c"), mux.Title{Artist: "a, b", Name: "c"}, nil},
		{"a page", comments("TITLE=c", "URL=http://a/"), mux.Title{Name: "c", URL: "http://a/"}, nil},
		{"a contact that is no page", comments("TITLE=c", "CONTACT=me"), mux.Title{Name: "c"}, nil},
		{"nothing", comments(), mux.Title{}, nil},
		{"no text", comments("TITLE", "ARTIST="), mux.Title{}, nil},
		{"control characters", comments("TITLE= a\r\nb\x00 "), mux.Title{Name: "a  b"}, nil},
		{"no UTF-8", comments("TITLE=a\xe4b"), mux.Title{Name: "a\ufffdb"}, nil},
		{"cut short", comments("TITLE=b", "ARTIST=a")[:30], mux.Title{Name: "b"}, mux.ErrTruncated},
		{"lengths that lie", bytes.Repeat([]byte{0xff}, 50), mux.Title{}, mux.ErrTruncated},
		{"a count that lies", append(comments()[:7], 0xff, 0xff, 0xff, 0xff), mux.Title{}, mux.ErrTruncated},
		{"empty", nil, mux.Title{}, mux.ErrTruncated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ogg.ParseComments(tt.input)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ParseComments = %+v, %v, want %+v, %v", got, err, tt.want, tt.err)
			}
		})
	}
	t.Run("100 KB", func(t *testing.T) {
		long := strings.Repeat("ü", 50_000)
		got, err := ogg.ParseComments(comments("TITLE="+long, "ARTIST="+long, "ARTIST="+long))
		if err != nil || len(got.Name) > 1<<10 || len(got.Artist) > 1<<10 || !utf8.ValidString(got.Name+got.Artist) {
			t.Errorf("%d and %d bytes of valid UTF-8: %v, %v", len(got.Name), len(got.Artist), utf8.ValidString(got.Name+got.Artist), err)
		}
	})
}
