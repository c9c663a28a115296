package playlist_test

import (
	"encoding/xml"
	"errors"
	"testing"

	"headwater/playlist"
)

// The forms are hls-rules F18 to F20.
func TestPointer(t *testing.T) {
	p := playlist.Pointer{URL: "https://example.com/radio/one.mp3?a=1&b=2", Title: "Rock <& Roll>\r\nFile2=x\x00\xff"}
	for _, tt := range []struct {
		name  string
		write func(playlist.Pointer, []byte) ([]byte, error)
	}{
		{"listen.m3u", playlist.Pointer.AppendM3U},
		{"listen.pls", playlist.Pointer.AppendPLS},
		{"listen.xspf", playlist.Pointer.AppendXSPF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.write(p, []byte("before\n"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, got[len("before\n"):])
			for _, url := range []string{"", "/one.mp3", "one.mp3", "http://", "http://a/\nFile2=b", "http://a/b c", "mailto:a@b"} {
				if got, err := tt.write(playlist.Pointer{URL: url}, []byte("x")); !errors.Is(err, playlist.ErrValue) || string(got) != "x" {
					t.Errorf("URL %q: %q, %v, want x and ErrValue", url, got, err)
				}
			}
		})
	}
}

func TestPointerXSPF(t *testing.T) {
	want := playlist.Pointer{URL: "http://example.com/a?b=<&>", Title: `"]]>` + "\u2028é"}
	text, err := want.AppendXSPF(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		XMLName xml.Name `xml:"http://xspf.org/ns/0/ playlist"`
		Version string   `xml:"version,attr"`
		URL     string   `xml:"trackList>track>location"`
		Title   string   `xml:"trackList>track>title"`
	}
	if err := xml.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if got.URL != want.URL || got.Title != `"]]> é` || got.Version != "1" {
		t.Errorf("read back as %+v", got)
	}
}
