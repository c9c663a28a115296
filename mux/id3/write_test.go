package id3_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/id3"
)

// What is written is a tag of version 2.4, byte for byte (hls-rules C35, C36).
func TestAppend(t *testing.T) {
	const head = "494433" + "0400" + "00"
	tests := []struct {
		name  string
		title mux.Title
		want  string
	}{
		{"all", mux.Title{Artist: "ö", Name: "N", URL: "u"}, head + "00000026" +
			"54504531" + "00000003" + "0000" + "03c3b6" +
			"54495432" + "00000002" + "0000" + "034e" +
			"57585858" + "00000003" + "0000" + "030075"},
		{"a name only", mux.Title{Name: "N"}, head + "0000000c" + "54495432" + "00000002" + "0000" + "034e"},
		{"nothing takes the last title back", mux.Title{}, head + "0000000b" + "54495432" + "00000001" + "0000" + "03"},
		{"a size of more than 7 bits", mux.Title{Name: strings.Repeat("N", 200)}, head + "00000153" + "54495432" + "00000149" + "0000" + "03" + strings.Repeat("4e", 200)},
	}
	for _, tt := range tests {
		got := id3.Append([]byte{1}, id3.AppendTitle(nil, tt.title))
		if s := hex.EncodeToString(got); s != "01"+tt.want {
			t.Errorf("%s: %s, want 01%s", tt.name, s, tt.want)
		}
		if n := id3.Size(got[1:]); n != len(got)-1 {
			t.Errorf("%s: Size = %d, want %d", tt.name, n, len(got)-1)
		}
	}
}

// What is too long is cut between characters, and what a URL may not hold is escaped.
func TestAppendBounds(t *testing.T) {
	long := strings.Repeat("€", 100_000)
	b := id3.Append(nil, id3.AppendTitle(nil, mux.Title{Artist: long, Name: "x" + long, URL: "http://x/ ö?" + long}))
	got, ok := id3.Parse(b)
	if !ok || len(b) > 6<<10 {
		t.Fatalf("a tag of %d bytes, ok = %v", len(b), ok)
	}
	if got.Artist != long[:1023] || got.Name != "x"+long[:1023] {
		t.Errorf("artist of %d and name of %d bytes, want 1023 and 1024", len(got.Artist), len(got.Name))
	}
	if want := "http://x/%20%C3%B6?%E2%82%AC"; !strings.HasPrefix(got.URL, want) {
		t.Errorf("URL = %.40s, want %s", got.URL, want)
	}
}

func TestSize(t *testing.T) {
	tests := []struct {
		name, in string
		want     int
	}{
		{"a tag", "ID3\x04\x00\x00\x00\x00\x01\x01", 139},
		{"with a footer", "ID3\x04\x00\x10\x00\x00\x01\x01", 149},
		{"as long as can be said", "ID3\x03\x00\x00\x7f\x7f\x7f\x7f", 10 + 1<<28 - 1},
		{"a size that is none", "ID3\x03\x00\x00\xff\xff\xff\xff", 0},
		{"a version that is none", "ID3\xff\x00\x00\x00\x00\x01\x01", 0},
		{"too short", "ID3\x04\x00\x00\x00\x00\x01", 0},
		{"another word", "ID4\x04\x00\x00\x00\x00\x01\x01", 0},
	}
	for _, tt := range tests {
		if got := id3.Size([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: Size = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func ExampleAppend() {
	b := id3.Append(nil, id3.AppendTitle(nil, mux.Title{Artist: "Björk", Name: "Jóga"}))
	t, ok := id3.Parse(b)
	fmt.Println(t, ok)
	// Output:
	// Björk - Jóga true
}
