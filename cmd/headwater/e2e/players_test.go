//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// watched is how long a player plays in a test.
const watched = 8 * time.Second

// limit is when a player that plays for watched is given up.
const limit = 90 * time.Second

// noWarning fails if a program said anything. Lines that a pattern in
// allowed matches do not count.
func noWarning(t *testing.T, text string, allowed ...string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.ContainsFunc(allowed, func(p string) bool { return regexp.MustCompile(p).MatchString(line) }) {
			t.Errorf("warning: %s", line)
		}
	}
}

// ffmpegExact plays a media playlist and compares every packet with what was sent.
func ffmpegExact(t *testing.T, url string, m *material) {
	t.Helper()
	r := run(t, limit, "ffmpeg", "-v", "warning", "-nostdin", "-copyts", "-i", url, "-t", fmt.Sprint(watched.Seconds()),
		"-map", "0:v?", "-map", "0:a", "-c", "copy", "-f", "framemd5", "-").must(t)
	noWarning(t, r.stderr)
	got, want := readPackets(t, r.stdout), m.packets(t)
	if len(got) != len(want) {
		t.Fatalf("%d streams were received, want %d", len(got), len(want))
	}
	var shifts []float64
	for i := range got {
		if n := float64(len(got[i])) / float64(len(want[i])) * length.Seconds(); n < watched.Seconds()/2 {
			t.Errorf("stream %d: %d packets are only %.1f s", i, len(got[i]), n)
		}
		shifts = append(shifts, compare(t, fmt.Sprintf("stream %d", i), got[i], want[i]))
	}
	if off := shifts[0] - shifts[len(shifts)-1]; math.Abs(off) > 1.01*tick {
		t.Errorf("sound and picture are %+.6f s off", off)
	}
}

// ffmpegDecodes decodes what a player would choose, without a warning.
func ffmpegDecodes(t *testing.T, url string, video bool) {
	t.Helper()
	r := run(t, limit, "ffmpeg", "-v", "warning", "-nostdin", "-i", url, "-t", fmt.Sprint(watched.Seconds()),
		"-f", "null", "-progress", "-", "-").must(t)
	noWarning(t, r.stderr)
	if video && !regexp.MustCompile(`(?m)^frame=\d{3}`).MatchString(r.stdout) {
		t.Errorf("fewer than 100 pictures were decoded:\n%s", tail(r.stdout, 12))
	}
	if !regexp.MustCompile(`(?m)^out_time_ms=[7-9]\d{6}`).MatchString(r.stdout) {
		t.Errorf("less than 7 s were decoded:\n%s", tail(r.stdout, 12))
	}
}

// ffprobeFinds holds the continuous stream to the tracks that were sent.
func ffprobeFinds(t *testing.T, url string, tracks []string) {
	t.Helper()
	r := run(t, limit, "ffprobe", "-v", "warning", "-show_entries", "stream=codec_name", "-of", "json", url).must(t)
	noWarning(t, r.stderr)
	var found struct {
		Streams []struct {
			Codec string `json:"codec_name"`
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &found); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range found.Streams {
		names = append(names, s.Codec)
	}
	if !slices.Equal(names, tracks) {
		t.Errorf("ffprobe finds %v, want %v", names, tracks)
	}
}

// mpvPlays plays with mpv, which must end by itself after the time it was given.
func mpvPlays(t *testing.T, url string) {
	t.Helper()
	r := run(t, limit, "mpv", "--no-config", "--vo=null", "--ao=null", "--load-scripts=no", "--msg-level=all=warn,statusline=status",
		"--length="+fmt.Sprint(watched.Seconds()), "--term-status-msg=at ${=time-pos} from ${=playback-time} dropped ${decoder-frame-drop-count}.", url).must(t)
	positions := regexp.MustCompile(`at ([0-9.]+) from`).FindAllStringSubmatch(r.stdout+r.stderr, -1)
	if len(positions) < 2 {
		t.Fatalf("mpv never told where it is:\n%s", tail(r.stdout+r.stderr, 10))
	}
	first, _ := strconv.ParseFloat(positions[0][1], 64)
	last, _ := strconv.ParseFloat(positions[len(positions)-1][1], 64)
	if played := last - first; played < watched.Seconds()-1.5 {
		t.Errorf("mpv played %.1f s, want about %.0f", played, watched.Seconds())
	}
	for line := range strings.Lines(strings.ReplaceAll(r.stdout+r.stderr, "\r", "\n")) {
		if strings.Contains(line, "error") || strings.Contains(line, "Invalid") || strings.Contains(line, "discont") {
			t.Errorf("mpv says %q", strings.TrimSpace(line))
		}
	}
}

// vlcPlays plays with VLC, which must decode sound that is not silent, and
// pictures that are not black.
func vlcPlays(t *testing.T, url string, video bool) {
	t.Helper()
	home, err := os.MkdirTemp(scratch, "vlc")
	if err != nil {
		t.Fatal(err)
	}
	sound := filepath.Join(home, "sound.wav")
	args := []string{"-I", "dummy", "--no-dbus", "--vout", "dummy", "--aout", "afile", "--audiofile-file", sound,
		"--run-time", fmt.Sprint(watched.Seconds() + 4), "--play-and-exit"}
	if video {
		args = append(args, "--video-filter", "scene", "--scene-path", home, "--scene-prefix", "p", "--scene-ratio", "25", "--scene-format", "png")
	}
	cmd := exec.Command(program(t, "cvlc"), append(args, url, "vlc://quit")...)
	if os.Geteuid() == 0 { // VLC will not run as root
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		cmd = exec.Command(program(t, "setpriv"), append([]string{fmt.Sprintf("--reuid=%d", nobody), fmt.Sprintf("--regid=%d", nobody), "--clear-groups"}, cmd.Args...)...)
	}
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+home)
	cmd.Dir = home
	said := runCommand(t, limit, cmd).stderr
	if seconds := loud(t, sound); seconds < watched.Seconds()/2 {
		t.Errorf("VLC decoded %.1f s of sound\n%s", seconds, tail(said, 10))
	}
	if !video {
		return
	}
	pictures, _ := filepath.Glob(filepath.Join(home, "p*.png"))
	if len(pictures) < int(watched.Seconds())/2 {
		t.Fatalf("VLC showed %d pictures of one a second\n%s", len(pictures), tail(said, 10))
	}
	f, err := os.Open(pictures[len(pictures)/2])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	notBlack(t, picture)
}

// nobody is the user that VLC is run as.
const nobody = 65534

// loud returns how many seconds of a WAV file are not silent.
func loud(t *testing.T, path string) float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil || len(b) < 44 {
		t.Errorf("VLC wrote no sound: %v", err)
		return 0
	}
	perSecond := int(b[28]) | int(b[29])<<8 | int(b[30])<<16
	n := 0
	for _, v := range b[44:] {
		if v != 0 {
			n++
		}
	}
	return float64(n) / float64(max(perSecond, 1))
}

// notBlack fails if a picture has no colours.
func notBlack(t *testing.T, p image.Image) {
	t.Helper()
	box := p.Bounds()
	bright, all := 0, 0
	for y := box.Min.Y; y < box.Max.Y; y += 4 {
		for x := box.Min.X; x < box.Max.X; x += 4 {
			r, g, b, _ := p.At(x, y).RGBA()
			if all++; r+g+b > 0x6000 {
				bright++
			}
		}
	}
	if bright < all/10 {
		t.Errorf("the picture of %v is black: %d of %d points are not", box.Size(), bright, all)
	}
}

// gstreamerPlays plays with GStreamer, by its older or newer HLS element. Every
// picture and every piece of sound must come at its time, with no hole.
func gstreamerPlays(t *testing.T, url string, newer, video bool, tracks []string) {
	t.Helper()
	var args []string
	if newer {
		args = []string{"playbin3", "uri=" + url, "video-sink=fakesink name=v silent=false sync=true", "audio-sink=fakesink name=a silent=false sync=true"}
	} else {
		line := "souphttpsrc location=" + url + " ! hlsdemux ! tsdemux name=d d. ! queue ! " + parser(tracks[len(tracks)-1]) + " ! audioconvert ! fakesink name=a silent=false sync=true"
		if video {
			line += " d. ! queue ! h264parse ! avdec_h264 ! fakesink name=v silent=false sync=true"
		}
		args = strings.Fields(line)
	}
	p := start(t, "gst-launch-1.0", append([]string{"-v"}, args...)...)
	want := map[string]int{"a": int(watched.Seconds()) * 20}
	if video {
		want["v"] = int(watched.Seconds()) * 25
	}
	eventually(t, limit, "GStreamer plays", func() error {
		if p.ended() {
			t.Fatalf("gst-launch-1.0 ended: %v", p.err)
		}
		for sink, n := range want {
			if got := strings.Count(p.output.String(), "chain   ******* ("+sink+":sink)"); got < n {
				return fmt.Errorf("%d buffers in sink %s, want %d", got, sink, n)
			}
		}
		return nil
	})
	text := p.output.String()
	p.kill()
	for sink := range want {
		continuous(t, sink, text)
	}
	if strings.Contains(text, "WARNING") || strings.Contains(text, "ERROR") {
		t.Errorf("GStreamer warns:\n%s", tail(text, 10))
	}
}

// parser returns what turns a coded track into sound.
func parser(codec string) string {
	if codec == "mp3" {
		return "mpegaudioparse ! avdec_mp3"
	}
	return "aacparse ! avdec_aac"
}

// buffer is how fakesink tells of one.
var buffer = regexp.MustCompile(`\(([av]):sink\) \(\d+ bytes, dts: [^,]*, pts: (\d+):(\d+):([0-9.]+), duration: (\d+):(\d+):([0-9.]+),`)

// continuous fails if a sink's buffers leave a hole or overlap.
func continuous(t *testing.T, sink, text string) {
	t.Helper()
	end := -1.0
	for _, m := range buffer.FindAllStringSubmatch(text, -1) {
		if m[1] != sink {
			continue
		}
		at, length := clock(m[2:5]), clock(m[5:8])
		if end >= 0 && math.Abs(at-end) > 0.005 {
			t.Errorf("sink %s: a buffer at %.3f s follows one that ends at %.3f s", sink, at, end)
			return
		}
		end = at + length
	}
	if end < 0 {
		t.Errorf("sink %s: no buffer has a time", sink)
	}
}

// clock reads hours, minutes and seconds.
func clock(field []string) float64 {
	h, _ := strconv.ParseFloat(field[0], 64)
	m, _ := strconv.ParseFloat(field[1], 64)
	s, _ := strconv.ParseFloat(field[2], 64)
	return h*3600 + m*60 + s
}

// checkFinds runs headwater's own checker, which must find nothing at all.
func checkFinds(t *testing.T, url string) {
	t.Helper()
	r := run(t, limit, headwater, "check", url, "--for", "12s", "--json")
	var report struct {
		Segments int
		Findings []struct{ Rule, Level, Text, Subject string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatalf("headwater check: %v: %v\n%s", r.err, err, r.stderr)
	}
	for _, f := range report.Findings {
		t.Errorf("%s %s: %s (%s)", f.Level, f.Rule, f.Text, f.Subject)
	}
	if report.Segments < 4 {
		t.Errorf("headwater check saw %d segments", report.Segments)
	}
}
