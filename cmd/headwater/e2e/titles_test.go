//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"headwater/mux"
	"headwater/mux/id3"
)

// The two pieces that are played in turns: one can hear which it is.
var (
	loud  = mux.Title{Artist: "Björk", Name: "Jóga (loud)"}
	quiet = mux.Title{Name: "Quiet"}
)

// pieceRate is how many bytes a second the pieces have.
const pieceRate = 128_000 / 8

// piece returns an MP3 file of five seconds, with an ID3 tag by ffmpeg.
func piece(t *testing.T, t0 mux.Title, volume float64, version int) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "piece.mp3")
	run(t, limit, "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", fmt.Sprintf("sine=f=440:r=44100,volume=%f", volume), "-t", "5",
		"-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", fmt.Sprint(version), "-write_id3v1", "1",
		"-metadata", "title="+t0.Name, "-metadata", "artist="+t0.Artist, file).must(t)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sendPieces sends the two pieces in turns, one file behind the other, in real time.
func sendPieces(t *testing.T, port int) {
	t.Helper()
	both := append(piece(t, loud, 6, 4), piece(t, quiet, 0.3, 3)...)
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		start := time.Now()
		for sent := 0; ; {
			due := int(time.Since(start).Seconds() * pieceRate)
			for sent < due {
				at := sent % len(both)
				n, err := conn.Write(both[at:min(len(both), at+due-sent)])
				if sent += n; err != nil {
					return
				}
			}
			pause(t.Context(), 50*time.Millisecond)
			if t.Context().Err() != nil {
				return
			}
		}
	}()
}

// TestTitles plays titles that stand in ID3 tags inside the source (hls-rules
// C34-C36, C38).
func TestTitles(t *testing.T) {
	t.Parallel()
	s := serve(t)
	sendPieces(t, s.port)
	s.ready()
	for _, p := range []struct {
		name string
		play func(t *testing.T)
	}{
		{"hls.js, main", func(t *testing.T) { hlsTitles(t, s, "main") }},
		{"hls.js, packed audio", func(t *testing.T) { hlsTitles(t, s, "audio") }},
		{"ffprobe, segments", func(t *testing.T) { ffprobeTitles(t, s) }},
		{"ffprobe, continuous", func(t *testing.T) { ffprobeFinds(t, s.url+"/live.ts", []string{"mp3", timedID3}) }},
		{"ffmpeg, decoding", func(t *testing.T) { ffmpegDecodes(t, s.url+"/live/main.m3u8", false) }},
		// ffmpeg takes a tag between frames for part of the one behind it, and says that it does not follow tags that change.
		{"ffmpeg, packed audio", func(t *testing.T) {
			ffmpegDecodes(t, s.url+"/live/audio.m3u8", false, "Changing ID3 metadata in HLS", "Header missing", "Error while decoding stream", "Estimating duration")
		}},
		{"mpv", func(t *testing.T) { mpvPlays(t, s.playlist()) }},
		{"VLC", func(t *testing.T) { vlcPlays(t, s.playlist(), false) }},
		{"VLC, packed audio", func(t *testing.T) { vlcPlays(t, s.url+"/live/audio.m3u8", false) }},
		{"headwater check", func(t *testing.T) { checkFinds(t, s.playlist()) }},
		{"headwater check, packed audio", func(t *testing.T) { checkFinds(t, s.url+"/live/audio.m3u8") }},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			enter(t)
			p.play(t)
		})
	}
}

// hlsTag is a tag as hls.js hands it over.
type hlsTag struct {
	URL   string  // of its segment
	Start float64 // of the segment's first picture or, without, sound, on the time line of hls.js
	PTS   float64 // of the tag, likewise
	Date  float64 // of the segment, in milliseconds since 1970
	Data  string  // base64
}

// title returns what the tag says.
func (x *hlsTag) title(t *testing.T) mux.Title {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(x.Data)
	if err != nil {
		t.Fatal(err)
	}
	title, _ := id3.Parse(data)
	return title
}

// hlsPlays opens a page that plays a rendition with hls.js and gathers the tags.
func hlsPlays(t *testing.T, s *server, rendition string) context.Context {
	t.Helper()
	ctx := browser(t, s.url+"/live")
	script := `(() => {
		window.tags = [];
		const hls = new Hls();
		hls.on(Hls.Events.FRAG_PARSING_METADATA, (_, d) => {
			const e = d.frag.elementaryStreams;
			const start = (e.video || e.audio || {startPTS: d.frag.start}).startPTS;
			for (const x of d.samples) {
				tags.push({URL: d.frag.url, Start: start, PTS: x.pts, Date: d.frag.programDateTime, Data: btoa(String.fromCharCode(...x.data))});
			}
		});
		const media = document.createElement('video');
		media.muted = true;
		hls.loadSource('/live/` + rendition + `.m3u8');
		hls.attachMedia(media);
		media.play();
		return true;
	})()`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](script)); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// hlsTags returns the tags that hls.js has told so far.
func hlsTags(ctx context.Context) ([]hlsTag, error) {
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`JSON.stringify(window.tags)`))
	if err != nil {
		return nil, err
	}
	var tags []hlsTag
	return tags, json.Unmarshal([]byte(text), &tags)
}

// hlsTitles plays a rendition with hls.js and holds the titles that it tells
// to what can be heard: each begins within 100 ms of its first sample.
func hlsTitles(t *testing.T, s *server, rendition string) {
	ctx := hlsPlays(t, s, rendition)
	heard := map[string]bool{}   // titles that began inside a segment
	checked := map[string]bool{} // segments
	eventually(t, limit, "hls.js tells both titles where they begin", func() error {
		tags, err := hlsTags(ctx)
		if err != nil {
			return err
		}
		for i, tag := range tags {
			if checked[tag.URL] || i+1 < len(tags) && tags[i+1].URL == tag.URL && tag.PTS-tag.Start > 0.01 {
				continue
			}
			if last := tags[len(tags)-1]; last.URL == tag.URL {
				continue // there may be more of it
			}
			checked[tag.URL] = true
			all := slices.DeleteFunc(slices.Clone(tags), func(x hlsTag) bool { return x.URL != tag.URL })
			hlsSegment(t, all, heard)
		}
		if len(heard) < 2 || len(checked) < 6 {
			return fmt.Errorf("%d segments, titles that began in them: %v", len(checked), heard)
		}
		return nil
	})
}

// hlsSegment checks the tags of one segment, and notes in heard which titles began in it.
func hlsSegment(t *testing.T, tags []hlsTag, heard map[string]bool) {
	t.Helper()
	_, body, err := get(tags[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	first, change := listen(t, body)
	for i, tag := range tags {
		at, title := tag.PTS-tag.Start, tag.title(t)
		want := first
		if i > 0 {
			want = loud
			if first == loud {
				want = quiet
			}
		}
		switch {
		case title != want:
			t.Errorf("%s: the title %v s into the segment is %v, want %v", tag.URL, at, title, want)
		case i == 0 && math.Abs(at) > 0.1:
			t.Errorf("%s: the first title comes %.3f s into the segment", tag.URL, at)
		case i == 1 && (change == 0 || math.Abs(at-change) > 0.1):
			t.Errorf("%s: %v is told at %.3f s and heard at %.3f s", tag.URL, title, at, change)
		case i == 1:
			t.Logf("%v is told at %.3f s and heard at %.3f s of a segment", title, at, change)
			heard[title.Name] = true
		case i > 1:
			t.Errorf("%s: %d titles", tag.URL, len(tags))
		}
	}
}

// listen decodes a segment and returns the title of the piece that it begins
// with, and how many seconds into it the other one begins, 0 if that does not.
func listen(t *testing.T, segment string) (first mux.Title, change float64) {
	t.Helper()
	const rate, window = 8000, 80 // 10 ms
	cmd := exec.Command(program(t, "ffmpeg"), "-v", "fatal", "-i", "pipe:0", "-map", "0:a", "-ac", "1", "-ar", fmt.Sprint(rate), "-f", "s16le", "-")
	cmd.Stdin = strings.NewReader(segment)
	pcm, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	isLoud := func(i int) bool {
		peak := 0
		for _, at := range []int{0, window / 4, window / 2, 3 * window / 4, window - 1} {
			for k := max(0, at-4); k < min(window, at+5); k++ {
				peak = max(peak, abs(int(int16(binary.LittleEndian.Uint16(pcm[2*(i*window+k):])))))
			}
		}
		return peak > 8000
	}
	windows := len(pcm) / 2 / window
	const settle = 8 // windows in which the decoder of a segment finds its way
	start := isLoud(settle)
	first = quiet
	if start {
		first = loud
	}
	for i := settle; i+settle < windows; i++ {
		// each piece begins and ends with a moment of silence
		if isLoud(i) != start && isLoud(i+settle) != start && isLoud(i+settle/2) != start {
			return first, float64(i*window) / rate
		}
	}
	return first, 0
}

func abs(n int) int { return max(n, -n) }

// TestTitlesSet sets titles from outside, as encoders do, while a film plays:
// hls.js tells each in both renditions where the API says that it is, which is
// where the media was that came when it was set.
func TestTitlesSet(t *testing.T) {
	t.Parallel()
	s := serve(t, "--source-password", "hackme")
	film.send(t, s.port)
	s.ready()
	enter(t)
	pages := map[string]context.Context{"main": hlsPlays(t, s, "main"), "audio": hlsPlays(t, s, "audio")}
	set := map[string]time.Time{}
	for i := range 4 {
		name := fmt.Sprintf("Größe %d", i)
		r, err := http.NewRequest(http.MethodGet, s.url+"/admin/metadata?"+url.Values{"mode": {"updinfo"}, "mount": {"/live"}, "song": {"Artist - " + name}}.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("source", "hackme")
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Fatalf("set a title: %s", res.Status)
		}
		set[name] = time.Now()
		pause(t.Context(), 2700*time.Millisecond)
	}
	played := map[string]time.Time{}
	var state struct {
		Titles []struct {
			Title string
			Time  time.Time
		}
	}
	_, body, err := get(s.url + "/api/v1/titles/live")
	if err := errors.Join(err, json.Unmarshal([]byte(body), &state)); err != nil {
		t.Fatal(err)
	}
	for _, x := range state.Titles {
		played[x.Title] = x.Time
		if d := x.Time.Sub(set[x.Title]); d.Abs() > time.Second {
			t.Errorf("%q is played %v from where it was set", x.Title, d)
		}
	}
	for rendition, ctx := range pages {
		told := map[string]bool{}
		eventually(t, limit, "hls.js tells all titles", func() error {
			tags, err := hlsTags(ctx)
			if err != nil {
				return err
			}
			for _, tag := range tags {
				name := tag.title(t).Name
				if told[name] || name == "" { // a tag with the time of packed audio, before the first title
					continue
				}
				told[name] = true
				at := time.UnixMicro(int64(1000 * (tag.Date + 1000*(tag.PTS-tag.Start))))
				t.Logf("%s: %q is told %v from its place", rendition, name, at.Sub(played[name]))
				if d := at.Sub(played[name]); d.Abs() > 100*time.Millisecond && name != "Größe 0" { // which may be told again before this page heard it first
					t.Errorf("%s: %q is told at %v, %v from its place", rendition, name, at, d)
				}
			}
			if len(told) < len(set) {
				return fmt.Errorf("%s: told are %v", rendition, told)
			}
			return nil
		})
	}
	checkFinds(t, s.playlist())
}

// ffprobeTitles reads the titles in the newest transport stream segments.
func ffprobeTitles(t *testing.T, s *server) {
	_, text, err := get(s.url + "/live/main.m3u8")
	if err != nil {
		t.Fatal(err)
	}
	segments := slices.DeleteFunc(strings.Fields(text), func(line string) bool { return !strings.HasSuffix(line, ".ts") })
	for _, name := range segments[len(segments)-3:] {
		res, err := http.Get(s.url + "/live/" + name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program(t, "ffprobe"), "-v", "warning", "-show_entries", "stream=codec_name:packet=stream_index,pts", "-of", "json", "-")
		cmd.Stdin = bytes.NewReader(b)
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		noWarning(t, said.String(), "Unsupported codec with id 98313") // of timed ID3, which needs none
		var probed struct {
			Streams []struct {
				Codec string `json:"codec_name"`
			}
			Packets []struct {
				Stream int `json:"stream_index"`
				PTS    int64
			}
		}
		if err := json.Unmarshal(out, &probed); err != nil {
			t.Fatal(err)
		}
		if len(probed.Streams) != 2 || probed.Streams[1].Codec != timedID3 {
			t.Fatalf("%s: streams %v, want MP3 and timed ID3", name, probed.Streams)
		}
		first := map[int]int64{}
		for _, p := range slices.Backward(probed.Packets) {
			first[p.Stream] = p.PTS
		}
		if at, ok := first[1]; !ok || at != first[0] {
			t.Errorf("%s: the first title is at %d, the first sound at %d", name, at, first[0])
		}
	}
}
