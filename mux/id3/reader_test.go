package id3_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/id3"
)

// tag returns an ID3v2 tag of a version with flags.
func tag(version, flags byte, parts ...string) []byte {
	body := strings.Join(parts, "")
	n := len(body)
	return append([]byte{'I', 'D', '3', version, 0, flags, byte(n >> 21), byte(n>>14) & 0x7f, byte(n>>7) & 0x7f, byte(n) & 0x7f}, body...)
}

// frame returns a frame of version 3, or of version 4 if it is short.
func frame(id string, flags byte, body string) string {
	n := len(body)
	return id + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), 0, flags}) + body
}

// frame2 returns a frame of version 2.
func frame2(id, body string) string {
	n := len(body)
	return id + string([]byte{byte(n >> 16), byte(n >> 8), byte(n)}) + body
}

var readerTests = []struct {
	name string
	in   []byte
	want mux.Title
}{
	{"version 4", tag(4, 0, frame("TPE1", 0, "\x03Björk"), frame("TIT2", 0, "\x03Jóga")), mux.Title{Artist: "Björk", Name: "Jóga"}},
	{"version 3", tag(3, 0, frame("TIT2", 0, "\x00J\xf3ga"), frame("TPE1", 0, "\x00Bj\xf6rk")), mux.Title{Artist: "Björk", Name: "Jóga"}},
	{"version 2", tag(2, 0, frame2("TT2", "\x00J\xf3ga"), frame2("TP1", "\x00Bj\xf6rk"), frame2("WXX", "\x00\x00http://x/")), mux.Title{Artist: "Björk", Name: "Jóga", URL: "http://x/"}},
	{"UTF-16, little endian", tag(3, 0, frame("TIT2", 0, "\x01\xff\xfeJ\x00\xf3\x00\x00\x00")), mux.Title{Name: "Jó"}},
	{"UTF-16, big endian", tag(3, 0, frame("TIT2", 0, "\x01\xfe\xff\x00J\x00\xf3")), mux.Title{Name: "Jó"}},
	{"UTF-16BE", tag(4, 0, frame("TIT2", 0, "\x02\x00J\x00\xf3")), mux.Title{Name: "Jó"}},
	{"a pair of surrogates", tag(4, 0, frame("TIT2", 0, "\x02\xd8\x3c\xdf\xb5")), mux.Title{Name: "🎵"}},
	{"half a pair of surrogates", tag(4, 0, frame("TIT2", 0, "\x02\xd8\x3c\x00!")), mux.Title{Name: "\ufffd!"}},
	{"UTF-8 that is said to be ISO 8859-1", tag(3, 0, frame("TIT2", 0, "\x00Jóga")), mux.Title{Name: "Jóga"}},
	{"ISO 8859-1 that is said to be UTF-8", tag(4, 0, frame("TIT2", 0, "\x03J\xf3ga")), mux.Title{Name: "Jóga"}},
	{"quotation marks of Windows-1252", tag(3, 0, frame("TIT2", 0, "\x00\x84Jetzt\x93")), mux.Title{Name: "„Jetzt“"}},
	{"an encoding that does not exist", tag(4, 0, frame("TIT2", 0, "\x09Jóga")), mux.Title{Name: "Jóga"}},
	{"several artists", tag(4, 0, frame("TPE1", 0, "\x03A\x00B\x00"), frame("TIT2", 0, "\x03N")), mux.Title{Artist: "A, B", Name: "N"}},
	{"lines and control characters", tag(4, 0, frame("TIT2", 0, "\x03 a\r\nb\x1b[0m\x00")), mux.Title{Name: "a  b [0m"}},
	{"an artist only", tag(4, 0, frame("TPE1", 0, "\x03A")), mux.Title{Name: "A"}},
	{"a URL behind a description", tag(4, 0, frame("TIT2", 0, "\x03N"), frame("WXXX", 0, "\x03page\x00http://x/")), mux.Title{Name: "N", URL: "http://x/"}},
	{"a URL behind a description in UTF-16", tag(3, 0, frame("TIT2", 0, "\x00N"), frame("WXXX", 0, "\x01\xff\xfea\x01\x00\x00http://x/")), mux.Title{Name: "N", URL: "http://x/"}},
	{"a URL alone", tag(4, 0, frame("WXXX", 0, "\x03\x00http://x/")), mux.Title{URL: "http://x/"}},
	{"the first of two titles", tag(4, 0, frame("TIT2", 0, "\x03N"), frame("TIT2", 0, "\x03M")), mux.Title{Name: "N"}},
	{"behind a picture", tag(3, 0, frame("APIC", 0, strings.Repeat("\xff\x00", 100_000)), frame("TIT2", 0, "\x00N")), mux.Title{Name: "N"}},
	{"before padding", tag(3, 0, frame("TIT2", 0, "\x00N"), strings.Repeat("\x00", 2000)), mux.Title{Name: "N"}},
	{"a text of 100 KB", tag(3, 0, frame("TIT2", 0, "\x00"+strings.Repeat("x", 100_000)), frame("TPE1", 0, "\x00A")), mux.Title{Artist: "A", Name: strings.Repeat("x", 1024)}},

	{"unsynchronised, version 3", tag(3, 0x80, "TIT2\x00\x00\x00\x07\x00\x00\x01\xff\x00\xfeJ\x00\xff\x00\x00"), mux.Title{Name: "Jÿ"}},
	{"unsynchronised, behind a picture", tag(3, 0x80, "APIC\x00\x00\x00\x04\x00\x00\xff\x00\xe0\xff\x00\x00", frame("TIT2", 0, "\x00N")), mux.Title{Name: "N"}},
	{"unsynchronised, version 4, by the tag", tag(4, 0x80, frame("TIT2", 0, "\x01\xff\x00\xfeJ\x00")), mux.Title{Name: "J"}},
	{"unsynchronised, version 4, by the frame", tag(4, 0, frame("TIT2", 0x03, "\x00\x00\x00\x05\x01\xff\x00\xfeJ\x00")), mux.Title{Name: "J"}},
	{"an extended header, version 3", tag(3, 0x40, "\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00", frame("TIT2", 0, "\x00N")), mux.Title{Name: "N"}},
	{"an extended header, version 4", tag(4, 0x40, "\x00\x00\x00\x06\x01\x00", frame("TIT2", 0, "\x00N")), mux.Title{Name: "N"}},
	{"in a group, version 3", tag(3, 0, frame("TIT2", 0x20, "g\x00N")), mux.Title{Name: "N"}},
	{"in a group, version 4", tag(4, 0, frame("TIT2", 0x40, "g\x00N")), mux.Title{Name: "N"}},

	{"compressed", tag(3, 0, frame("TIT2", 0x80, "\x00\x00\x00\x02xx")), mux.Title{}},
	{"encrypted", tag(4, 0, frame("TIT2", 0x04, "exx")), mux.Title{}},
	{"an extended header longer than the tag", tag(3, 0x40, "\x7f\x00\x00\x00", frame("TIT2", 0, "\x00N")), mux.Title{}},
	{"a frame longer than the tag", tag(4, 0, "TIT2\x00\x00\x00\x7f\x00\x00\x03N"), mux.Title{}},
	{"a frame whose size is none", tag(4, 0, "TIT2\x80\x00\x00\x02\x00\x00\x03N"), mux.Title{}},
	{"compressed as a whole", tag(2, 0x40, frame2("TT2", "\x00N")), mux.Title{}},
	{"a version of the future", tag(5, 0, frame("TIT2", 0, "\x03N")), mux.Title{}},
	{"an empty frame", tag(4, 0, frame("TIT2", 0, ""), frame("TIT2", 0, "\x03")), mux.Title{}},
	{"no frames", tag(4, 0), mux.Title{}},
	{"no tag", []byte("TAGabcdefghijk"), mux.Title{}},
	{"nothing", nil, mux.Title{}},
}

// The title does not depend on how the bytes of the tag come, nor on those behind it.
func TestReader(t *testing.T) {
	for _, tt := range readerTests {
		t.Run(tt.name, func(t *testing.T) {
			in := append(bytes.Clone(tt.in), frame("TIT2", 0, "\x00behind")...)
			for _, n := range []int{1, 3, 1000, len(in)} {
				var r id3.Reader
				for b := in; len(b) > 0; {
					k := min(n, len(b))
					r.Write(b[:k])
					b = b[k:]
				}
				got, ok := r.Title()
				if got != tt.want || ok != (tt.want.Name != "") {
					t.Errorf("in pieces of %d: %+v, %v, want %+v", n, got, ok, tt.want)
				}
			}
		})
	}
}

// A tag of 256 MB, which is as much as one can say, is read and costs nothing.
func TestReaderMemory(t *testing.T) {
	in := []byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7f" + "TIT2\x0f\x00\x00\x00\x00\x00\x00")
	more := bytes.Repeat([]byte("x"), 1<<20)
	var r id3.Reader
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.Write(in)
	for range 255 {
		r.Write(more)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
		t.Errorf("%d bytes were allocated", n)
	}
	if got, ok := r.Title(); !ok || len(got.Name) > 1<<10 {
		t.Errorf("Title of %d bytes, %v", len(got.Name), ok)
	}
}

func TestParseV1(t *testing.T) {
	v1 := func(title, artist string) []byte {
		b := make([]byte, id3.V1Size)
		copy(b, "TAG")
		copy(b[3:33], title)
		copy(b[33:63], artist)
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want mux.Title
	}{
		{"filled up with NUL", v1("J\xf3ga", "Bj\xf6rk"), mux.Title{Artist: "Björk", Name: "Jóga"}},
		{"filled up with spaces", v1("Joga                          ", "B                             "), mux.Title{Artist: "B", Name: "Joga"}},
		{"something behind NUL", v1("a\x00b", ""), mux.Title{Name: "a"}},
		{"an artist only", v1("", "A"), mux.Title{Name: "A"}},
		{"empty", v1("", ""), mux.Title{}},
		{"too short", v1("a", "b")[:127], mux.Title{}},
		{"no tag", make([]byte, 128), mux.Title{}},
	}
	for _, tt := range tests {
		if got, ok := id3.ParseV1(tt.in); got != tt.want || ok != (tt.want.Name != "") {
			t.Errorf("%s: ParseV1 = %+v, %v, want %+v", tt.name, got, ok, tt.want)
		}
	}
}

// FuzzReader: any bytes give a title of clean text, bounded, and the same
// however they come; written again it is read as it was.
func FuzzReader(f *testing.F) {
	for _, tt := range readerTests {
		if len(tt.in) < 1000 {
			f.Add(tt.in, uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		want, ok := id3.Parse(b)
		var r id3.Reader
		for rest := b; len(rest) > 0; {
			k := min(int(n)+1, len(rest))
			r.Write(rest[:k])
			rest = rest[k:]
		}
		if got, same := r.Title(); got != want || same != ok {
			t.Fatalf("in pieces of %d: %+v, %v, want %+v, %v", int(n)+1, got, same, want, ok)
		}
		if want != want.Clean() {
			t.Fatalf("%+v is not clean", want)
		}
		if !ok {
			return
		}
		want.URL = ""
		if got, ok := id3.Parse(id3.Append(nil, id3.AppendTitle(nil, want))); got != want || !ok {
			t.Fatalf("written and read: %+v, %v, want %+v", got, ok, want)
		}
	})
}
