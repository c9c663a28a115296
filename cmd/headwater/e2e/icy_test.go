//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/id3"
)

// titleLength is how long each title is played. A listener has heard two
// changes when it has listened for titlesHeard.
const (
	titleLength = 6 * time.Second
	titlesHeard = 16 * time.Second
)

// titleNumber returns title number n.
func titleNumber(n int) string { return fmt.Sprintf("Künstler %d - Stück %d", n, n) }

// frames returns the frames of the bare MP3, and where each title begins in them.
func frames(t *testing.T) (all [][]byte, titles []int) {
	t.Helper()
	file, err := os.ReadFile(bareMP3.path(t))
	if err != nil {
		t.Fatal(err)
	}
	file = file[id3.Size(file):]
	for offset := 0; len(file) > 4 && bytes.HasPrefix(file, []byte{0xff, 0xfb}); {
		if titleOf(len(all)) == len(titles) {
			titles = append(titles, offset)
		}
		size := min(144*128000/44100+int(file[2]>>1&1), len(file)) // ISO/IEC 11172-3 §2.4.3.1
		all, file = append(all, file[:size]), file[size:]
		offset += size
	}
	return all, titles
}

// titleOf returns the number of the title that a frame is part of.
func titleOf(frame int) int { return int(frameTime(frame) / titleLength) }

// frameTime returns how long the frames before one take.
func frameTime(frame int) time.Duration { return time.Duration(frame) * 1152 * time.Second / 44100 }

// sendTitled sends the bare MP3 in real time to a TCP port, with an ID3 tag
// before the frame that a title begins with, until the test ends.
func sendTitled(t *testing.T, port int) {
	t.Helper()
	all, _ := frames(t)
	c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { c.Close(); <-done })
	go func() {
		defer close(done)
		began := time.Now()
		for n, frame := range all {
			pause(t.Context(), time.Until(began.Add(frameTime(n))))
			var b []byte
			if n == 0 || titleOf(n) != titleOf(n-1) {
				b = id3.Append(b, id3.AppendTitle(nil, mux.ParseTitle(titleNumber(titleOf(n)))))
			}
			if _, err := c.Write(append(b, frame...)); err != nil {
				return // the test has ended
			}
		}
	}()
}

// inOrder fails unless a player saw at least two titles, one after the other.
func inOrder(t *testing.T, player string, titles []string) {
	t.Helper()
	var seen []int
	for _, title := range titles {
		var n, m int
		if _, err := fmt.Sscanf(title, "Künstler %d - Stück %d", &n, &m); err != nil || n != m {
			t.Errorf("%s shows the title %q, which nobody sent", player, title)
			continue
		}
		if len(seen) > 0 && n != seen[len(seen)-1] && n != seen[len(seen)-1]+1 {
			t.Errorf("%s shows title %d after title %d", player, n, seen[len(seen)-1])
		}
		if len(seen) == 0 || n != seen[len(seen)-1] {
			seen = append(seen, n)
		}
	}
	if len(seen) < 2 {
		t.Errorf("%s shows the titles %v, want at least two", player, seen)
	}
}

// found returns the first group of all matches of a pattern.
func found(pattern, text string) (all []string) {
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		all = append(all, strings.TrimSpace(m[1]))
	}
	return all
}

// TestICY has the programs that people listen to radio with show the titles of
// one stream while they play it.
func TestICY(t *testing.T) {
	t.Parallel()
	bareMP3.packets(t)
	config := filepath.Join(t.TempDir(), "headwater.yaml")
	s := &server{t: t, port: freePort(t)}
	text := fmt.Sprintf("streams:\n  live: {tcp: '127.0.0.1:%d', title: Radio Ü}\n", s.port)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s.launch("--config", config)
	sendTitled(t, s.port)
	eventually(t, 20*time.Second, "there is sound", func() error { return s.head("/live.mp3", 200) })
	url := s.url + "/live.mp3"
	for _, p := range []struct {
		name   string
		listen func(*testing.T, string)
	}{
		{"ffmpeg", ffmpegShowsTitles},
		{"ffprobe", ffprobeShowsTitle},
		{"mpv", mpvShowsTitles},
		{"VLC", vlcShowsTitles},
		{"streamripper", streamripperRips},
		{"GStreamer", gstreamerShowsTitles},
		{"Chromium", chromiumPlaysSound},
		{"curl of HTTP/1.0", curlListens},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			enter(t)
			p.listen(t, url)
		})
	}
}

// head returns an error unless HEAD of path answers want.
func (s *server) head(path string, want int) error {
	r := run(s.t, limit, "curl", "-sI", "-o", "/dev/null", "-w", "%{http_code}", s.url+path)
	if r.stdout != strconv.Itoa(want) {
		return fmt.Errorf("HEAD %s = %s, want %d", path, r.stdout, want)
	}
	return nil
}

// ffmpegShowsTitles plays every packet, and reads the titles back.
func ffmpegShowsTitles(t *testing.T, url string) {
	r := run(t, limit, "ffmpeg", "-v", "verbose", "-nostdin", "-icy", "1", "-i", url, "-t", fmt.Sprint(titlesHeard.Seconds()),
		"-c", "copy", "-f", "framemd5", "-").must(t)
	find(t, "ICY, stripped", readPackets(t, r.stdout)[0], bareMP3.packets(t)[0])
	inOrder(t, "ffmpeg", found(`Metadata update for StreamTitle: (.*)`, r.stderr))
}

func ffprobeShowsTitle(t *testing.T, url string) {
	r := run(t, limit, "ffprobe", "-v", "warning", "-icy", "1", "-show_entries", "format_tags", "-of", "json", url).must(t)
	var probe struct {
		Format struct{ Tags map[string]string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &probe); err != nil {
		t.Fatal(err)
	}
	tags := probe.Format.Tags
	if tags["icy-name"] != "Radio Ü" || tags["icy-br"] != "128" || !strings.HasPrefix(tags["StreamTitle"], "Künstler ") {
		t.Errorf("ffprobe finds %v", tags)
	}
}

func mpvShowsTitles(t *testing.T, url string) {
	r := run(t, limit, "mpv", "--no-config", "--vo=null", "--ao=null", "--load-scripts=no", "--msg-level=all=warn,statusline=status",
		"--length="+fmt.Sprint(titlesHeard.Seconds()), "--term-status-msg=\nplays <${metadata/by-key/icy-title}>\n", url).must(t)
	var titles []string
	for _, title := range found(`plays <(.*)>`, r.stdout+r.stderr) {
		if title != "" { // before it has read any
			titles = append(titles, title)
		}
	}
	inOrder(t, "mpv", titles)
}

func vlcShowsTitles(t *testing.T, url string) {
	p, keyboard := startVLC(t, "-vv", url)
	titles := func() []string { return found(`New Icy-Title=(.*)`, p.output.String()) }
	eventually(t, limit, "VLC shows two titles", func() error {
		if p.ended() {
			t.Fatalf("VLC ended: %v", p.err)
		}
		if all := titles(); len(all) < 2 {
			return fmt.Errorf("it shows %q", all)
		}
		return nil
	})
	inOrder(t, "VLC", titles())
	io.WriteString(keyboard, "stats\n")
	var corrupted []string
	eventually(t, limit, "VLC counts", func() error {
		if corrupted = found(`demux corrupted *: +(\d+)`, p.output.String()); len(corrupted) == 0 {
			return errNotYet
		}
		return nil
	})
	if corrupted[0] != "0" {
		t.Errorf("VLC counts %s corrupted", corrupted[0])
	}
	io.WriteString(keyboard, "quit\n")
}

// streamripperRips has the sound cut into a file for each title.
func streamripperRips(t *testing.T, url string) {
	dir := t.TempDir()
	run(t, limit, "streamripper", url, "-d", dir, "-l", fmt.Sprint((titlesHeard + titleLength).Seconds()), "-s", "--quiet",
		"--codeset-metadata=UTF-8", "--codeset-filesys=UTF-8", "--xs_search_window=500:500", "--xs_silence_length=100") // it calls the end of its time a failure
	var titles []string
	filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		if name, ok := strings.CutSuffix(filepath.Base(path), ".mp3"); ok {
			titles = append(titles, name)
		}
		return nil
	})
	slices.Sort(titles) // the first and the last lie beside the others
	inOrder(t, "streamripper", titles)
}

func gstreamerShowsTitles(t *testing.T, url string) {
	p := start(t, "gst-launch-1.0", "-t", "souphttpsrc", "location="+url, "iradio-mode=true", "!", "icydemux", "!",
		"mpegaudioparse", "!", "avdec_mp3", "!", "fakesink", "sync=true")
	pause(t.Context(), titlesHeard)
	if p.ended() {
		t.Errorf("gst-launch-1.0 ended: %v", p.err)
	}
	p.kill()
	text := p.output.String()
	inOrder(t, "GStreamer", found(`(?m)^ +title: (.*)$`, text))
	for line := range strings.Lines(text) {
		if strings.Contains(line, "WARN") || strings.Contains(line, "ERROR") {
			t.Errorf("GStreamer says %s", line)
		}
	}
}

func chromiumPlaysSound(t *testing.T, url string) {
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "<!DOCTYPE html><audio autoplay src='%s'></audio>", url)
	}))
	t.Cleanup(page.Close)
	ctx := browser(t, page.URL)
	plays(t, ctx, limit, watched, false)
}

// curlListens listens as radios of old do, takes the titles out itself, and
// finds them at their places within 100 ms.
func curlListens(t *testing.T, url string) {
	file := filepath.Join(t.TempDir(), "head")
	r := run(t, limit, "curl", "-s", "-0", "-H", "Icy-MetaData: 1", "-D", file, "-m", fmt.Sprint(titlesHeard.Seconds()), url)
	head, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	metaint := found(`(?m)^icy-metaint: (\d+)\r$`, string(head))
	if len(metaint) != 1 || !strings.Contains(string(head), " 200 OK") || strings.Contains(string(head), "chunked") {
		t.Fatalf("the head is\n%s", head)
	}
	every, _ := strconv.Atoi(metaint[0])
	var sound []byte
	var titles []string
	var places []int // of titles in sound
	for body := []byte(r.stdout); len(body) > every; {
		sound = append(sound, body[:every]...)
		n := 1 + 16*int(body[every])
		if body = body[every:]; n > len(body) {
			break
		}
		if n > 1 {
			titles = append(titles, found(`^StreamTitle='(.*)';\x00*$`, string(body[1:n]))...)
			places = append(places, len(sound))
		}
		body = body[n:]
	}
	inOrder(t, "curl", titles)
	all, begins := frames(t)
	first := bytes.Index(bytes.Join(all, nil), sound)
	if len(sound) < 200_000 || first < 0 || len(places) != len(titles) {
		t.Fatalf("%d bytes of sound with %d titles are not as they were sent", len(sound), len(titles))
	}
	for i := 1; i < len(titles); i++ { // the first began before
		var n int
		fmt.Sscanf(titles[i], "Künstler %d", &n)
		if late := first + places[i] - begins[n]; late < 0 || late > 128000/8/10 {
			t.Errorf("%q comes %d bytes after its first", titles[i], late)
		}
	}
}
