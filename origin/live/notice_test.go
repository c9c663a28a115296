package live_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"headwater/mux"
	"headwater/origin/live"
)

// readNotice returns title and URL of a block as ffmpeg and others find them:
// each up to the first quote that a semicolon follows, sought from the quote
// that begins it.
func readNotice(block []byte) (title, url string, err error) {
	if len(block) == 0 || len(block) != 1+16*int(block[0]) {
		return "", "", fmt.Errorf("%d bytes do not fit their length byte", len(block))
	}
	text := string(bytes.TrimRight(block[1:], "\x00"))
	if len(block)-1-len(text) >= 16 {
		return "", "", fmt.Errorf("%d bytes of padding", len(block)-1-len(text))
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", "", fmt.Errorf("%q is not plain text", text)
	}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		end := strings.Index(rest, "';")
		if !ok || end < 1 || rest[0] != '\'' {
			return "", "", fmt.Errorf("%q has no end", text)
		}
		switch value := rest[1:end]; key {
		case "StreamTitle":
			title = value
		case "StreamUrl":
			url = value
		default:
			return "", "", fmt.Errorf("%q is no key", key)
		}
		text = rest[end+2:]
	}
	return title, url, nil
}

// hls-rules F06
func TestNotice(t *testing.T) {
	long := strings.Repeat("ü", 3000)
	for _, tt := range []struct {
		name       string
		title      mux.Title
		text, page string
		size       int // of the block
	}{
		{"nothing is known", mux.Title{}, "", "", 17},
		{"artist and name", mux.Title{Artist: "Nina Simone", Name: "Sinnerman"}, "Nina Simone - Sinnerman", "", 49},
		{"a page", mux.Title{Name: "a", URL: "http://b/c?d='e'"}, "a", "http://b/c?d='e'", 49},
		{"a quote is what it is", mux.Title{Name: "Rock 'n' Roll; Ain't"}, "Rock 'n' Roll; Ain't", "", 49},
		{"a quote at the end", mux.Title{Name: "Rockin'"}, "Rockin'", "", 33},
		{"a quote and a semicolon", mux.Title{Name: "a';StreamUrl='http://evil/"}, "a\u2019;StreamUrl='http://evil/", "", 49},
		{"in a URL", mux.Title{Name: "a", URL: "http://b/';c"}, "a", "http://b/%27;c", 49},
		{"a semicolon at the start", mux.Title{Name: ";a"}, " ;a", "", 33},
		{"control characters", mux.Title{Name: "a\r\nb\x00c'\x01;"}, "abc\u2019;", "", 33},
		{"bytes that are no text", mux.Title{Name: "a\xff"}, "a\ufffd", "", 33},
		{"a title that is too long", mux.Title{Name: long}, long[:4064], "", 4081},
		{"a URL that has no room", mux.Title{Name: long[:1000], URL: "http://" + long}, long[:1000], "", 1025},
	} {
		t.Run(tt.name, func(t *testing.T) {
			block, same := live.Notice(tt.title)
			text, page, err := readNotice(block)
			if err != nil || text != tt.text || page != tt.page || len(block) != tt.size {
				t.Errorf("the block of %.100q is %d bytes with %.100q and %q, %v, want %d with %.100q and %q",
					tt.title, len(block), text, page, err, tt.size, tt.text, tt.page)
			}
			if !bytes.Equal(same, []byte{0}) {
				t.Errorf("if it is the same, it is %q", same)
			}
		})
	}
}

// Whatever a title is, there is one notice in a block, and it says as much of
// the title as there is room for.
func FuzzNotice(f *testing.F) {
	f.Add("a", "';", "http://b/")
	f.Add("", strings.Repeat("ü", 2100), strings.Repeat("';", 3000))
	f.Add("\xff';", ";", "'")
	f.Fuzz(func(t *testing.T, artist, name, url string) {
		block, _ := live.Notice(mux.Title{Artist: artist, Name: name, URL: url})
		title, page, err := readNotice(block)
		if err != nil {
			t.Fatalf("Notice(%q, %q, %q): %v", artist, name, url, err)
		}
		plain := mux.Title{Artist: artist, Name: name}.String()
		if harmless(plain) && len(plain) < 4000 && title != plain {
			t.Errorf("the title of %q is %q", plain, title)
		}
		if harmless(url) && len(plain)+len(url) < 4000 && page != url {
			t.Errorf("the URL of %q is %q", url, page)
		}
	})
}

// harmless reports whether text can be told as it is.
func harmless(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl) &&
		!strings.Contains(text, "';") && !strings.HasPrefix(text, ";")
}
