package playlist_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafov/m3u8"

	"headwater/playlist"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/golden/name; with -update it rewrites the file.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (run with -update to accept)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// live returns a list of n segments of 30 x 1001/30000 s x 6 from number first.
func live(first uint64, n int) *playlist.Media {
	const slot = 540_540 // 6.006 s at 90 kHz
	m := &playlist.Media{TargetDuration: 7, Sequence: first, DiscontinuitySequence: 2}
	for i := range uint64(n) {
		start, end := int64((first+i)*slot), int64((first+i+1)*slot)
		m.Segments = append(m.Segments, playlist.Segment{
			URI:      fmt.Sprintf("main/1/%d.ts", first+i),
			Duration: playlist.FromClock(end, 90_000) - playlist.FromClock(start, 90_000),
			Time:     time.UnixMicro(start / 9 * 100).UTC(),
		})
	}
	return m
}

// The form is hls-rules A02, A07, A10, A19, A25, A43, A44; RFC 8216 §4.3.
func TestMediaAppend(t *testing.T) {
	breaks := live(300_000_000, 4)
	breaks.IndependentSegments, breaks.Version = true, 6
	breaks.Segments[0].Discontinuity = true
	breaks.Segments[1].Gap = true
	breaks.Segments[2].Gap, breaks.Segments[2].Discontinuity = true, true
	ended := live(7, 1)
	ended.End = true
	foreign := live(9, 2)
	foreign.Tags = []string{"#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-START:TIME-OFFSET=0"}
	foreign.Segments[0].Tags = []string{`#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x01`, `#EXT-X-MAP:URI="init.mp4"`}
	foreign.Segments[0].Discontinuity, foreign.Segments[0].Title = true, "A title, with a comma"
	foreign.Segments[1].Time = time.Time{}
	foreign.Trailer = []string{`#EXT-X-PRELOAD-HINT:TYPE=PART,URI="11.0.m4s"`}
	for _, tt := range []struct {
		name string // of the golden file, too
		in   *playlist.Media
	}{
		{"live", live(300_000_000, 3)},
		{"breaks", breaks},
		{"ended", ended},
		{"foreign", foreign},
		{"empty", &playlist.Media{TargetDuration: 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.Append([]byte("before\n"))
			if err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".m3u8", got[len("before\n"):])
		})
	}
}

func TestMediaAppendRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*playlist.Media)
	}{
		{"no target duration", func(m *playlist.Media) { m.TargetDuration = 0 }},
		{"a negative version", func(m *playlist.Media) { m.Version = -1 }},
		{"numbers beyond 64 bits", func(m *playlist.Media) { m.Sequence = 1<<64 - 3 }},
		{"an empty URI", func(m *playlist.Media) { m.Segments[1].URI = "" }},
		{"a URI that would be a tag", func(m *playlist.Media) { m.Segments[1].URI = "#1.ts" }},
		{"a URI of two lines", func(m *playlist.Media) { m.Segments[1].URI = "1.ts\n2.ts" }},
		{"a URI with blanks around", func(m *playlist.Media) { m.Segments[1].URI = " 1.ts" }},
		{"a title of two lines", func(m *playlist.Media) { m.Segments[1].Title = "a\rb" }},
		{"a negative duration", func(m *playlist.Media) { m.Segments[1].Duration = -1 }},
		{"a year of five digits", func(m *playlist.Media) { m.Segments[1].Time = time.Date(9999, 12, 31, 23, 59, 59, 999.9e6, time.UTC) }},
		{"a tag that has a field", func(m *playlist.Media) { m.Segments[1].Tags = []string{"#EXTINF:6.0,"} }},
		{"a tag of the list at a segment", func(m *playlist.Media) { m.Segments[1].Tags = []string{"#EXT-X-START:TIME-OFFSET=0"} }},
		{"a tag of a segment at the list", func(m *playlist.Media) { m.Tags = []string{"#EXT-X-BITRATE:1"} }},
		{"a comment as a tag", func(m *playlist.Media) { m.Trailer = []string{"# hello"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := live(1, 3)
			tt.change(m)
			got, err := m.Append([]byte("x"))
			if !errors.Is(err, playlist.ErrValue) || string(got) != "x" {
				t.Errorf("Append(x) = %q, %v, want x and ErrValue", got, err)
			}
		})
	}
}

// The sum of what is printed is exact for ever, also for a frame rate whose
// slots are no multiple of 10 µs: hls-rules A18.
func TestNoDrift(t *testing.T) {
	for _, slot := range []int64{540_540, 540_000, 519_168 /* 44.1 kHz AAC, rounded */, 500_503} {
		const day = 24 * 3600 * 90_000
		var sum playlist.Duration
		begin := int64(1_763_700_000) * 90_000
		for at := begin; at < begin+day; at += slot {
			sum += playlist.FromClock(at+slot, 90_000) - playlist.FromClock(at, 90_000)
			exact := float64(at+slot-begin) / 90_000 * 100_000
			if off := float64(sum) - exact; off > 1 || off < -1 {
				t.Fatalf("slots of %d: after %d ticks the sum is %v, %.2f x 10 µs off", slot, at+slot-begin, sum, off)
			}
		}
	}
}

// grafov/m3u8 reads what is written: another program agrees on what it says.
func TestMediaOracle(t *testing.T) {
	m := live(300_000_000, 60)
	m.Segments[20].Discontinuity = true
	text, err := m.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := m3u8.NewMediaPlaylist(60, 60)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.DecodeFrom(bytes.NewReader(text), true); err != nil {
		t.Fatal(err)
	}
	if p.SeqNo != m.Sequence || p.TargetDuration != 7 || p.DiscontinuitySeq != 2 || p.Count() != 60 {
		t.Errorf("sequence %d, target %v, discontinuity %d, %d segments", p.SeqNo, p.TargetDuration, p.DiscontinuitySeq, p.Count())
	}
	for i, s := range p.GetAllSegments() {
		want := m.Segments[i]
		if s.URI != want.URI || s.Duration != want.Duration.Seconds() || s.Discontinuity != want.Discontinuity ||
			!s.ProgramDateTime.Equal(want.Time.Round(time.Millisecond)) {
			t.Errorf("segment %d is read as %+v, want %+v", i, s, want)
		}
	}
}

func TestMediaAppendAllocates(t *testing.T) {
	m := live(300_000_000, 60)
	buf := make([]byte, 0, 16<<10)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := m.Append(buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Append into a large enough slice allocates %v times, want 0", n)
	}
}

func BenchmarkMediaAppend(b *testing.B) {
	for _, n := range []int{10, 60, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			m := live(300_000_000, n)
			buf, err := m.Append(nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(buf)))
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = m.Append(buf[:0])
			}
		})
	}
}

func BenchmarkReadMedia(b *testing.B) {
	for _, n := range []int{10, 60, 3000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			text, err := live(300_000_000, n).Append(nil)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := playlist.ReadMedia(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func ExampleMedia_Append() {
	start := time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC)
	m := playlist.Media{
		TargetDuration: 7,
		Sequence:       41,
		Segments: []playlist.Segment{
			{URI: "main/1/41.ts", Duration: 600_600, Time: start},
			{URI: "main/1/42.ts", Duration: 600_600, Time: start.Add(6006 * time.Millisecond)},
		},
	}
	text, err := m.Append(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", text)
	// Output:
	// #EXTM3U
	// #EXT-X-VERSION:3
	// #EXT-X-TARGETDURATION:7
	// #EXT-X-MEDIA-SEQUENCE:41
	// #EXT-X-DISCONTINUITY-SEQUENCE:0
	// #EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:00:00.000Z
	// #EXTINF:6.00600,
	// main/1/41.ts
	// #EXT-X-PROGRAM-DATE-TIME:2026-11-21T04:00:06.006Z
	// #EXTINF:6.00600,
	// main/1/42.ts
}
