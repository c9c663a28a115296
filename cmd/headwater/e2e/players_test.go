//go:build e2e

package e2e_test

import (
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"io"
	"math"
	"os"
	"os/exec"
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

// ffmpegExact plays a media playlist and compares every packet and every
// timestamp with what was sent.
func ffmpegExact(t *testing.T, url string, m *material) {
	t.Helper()
	got, want := ffmpegPackets(t, url), m.packets(t)
	if len(got.streams) != len(want) {
		t.Fatalf("%d streams were received, want %d", len(got.streams), len(want))
	}
	var shifts []float64
	for i, stream := range got.streams {
		what := fmt.Sprintf("stream %d", i)
		at := find(t, what, stream, want[i])
		shifts = append(shifts, sameTimes(t, what, stream, want[i][at:], m.video && i == 0))
	}
	if off := shifts[0] - shifts[len(shifts)-1]; math.Abs(off) > 2.01*tick {
		t.Errorf("sound and picture are %+.6f s off", off)
	}
	noWarning(t, got.warnings)
}

// ffmpegPacked plays packed audio and compares every frame with what was sent.
// Not its times: ffmpeg reads ahead, and so stamps the last frames of an MP3
// segment with the tag of the next.
func ffmpegPacked(t *testing.T, url string, m *material) {
	t.Helper()
	got, want := ffmpegPackets(t, url), m.packets(t)
	find(t, "packed audio", got.streams[0], want[len(want)-1])
	noWarning(t, got.warnings, "[Nn]on-monotonous DTS")
}

// received is what ffmpeg took out of a playlist.
type received struct {
	streams  [][]packet // video before audio
	warnings string
}

// ffmpegPackets plays a media playlist without decoding.
func ffmpegPackets(t *testing.T, url string) received {
	t.Helper()
	r := run(t, limit, "ffmpeg", "-v", "warning", "-nostdin", "-i", url, "-t", fmt.Sprint(watched.Seconds()),
		"-map", "0:v?", "-map", "0:a", "-c", "copy", "-f", "framemd5", "-").must(t)
	got := received{streams: readPackets(t, r.stdout), warnings: r.stderr}
	if len(got.streams) == 0 {
		t.Fatalf("nothing was received")
	}
	for i, stream := range got.streams {
		if n := len(stream); n == 0 || stream[n-1].pts-stream[0].pts < watched.Seconds()/2 {
			t.Errorf("stream %d: only %d packets were received in %v", i, n, watched)
		}
	}
	return got
}

// ffmpegDecodes decodes what a player would choose, without a warning but those
// that a pattern in allowed matches.
func ffmpegDecodes(t *testing.T, url string, video bool, allowed ...string) {
	t.Helper()
	r := run(t, limit, "ffmpeg", "-v", "warning", "-nostdin", "-i", url, "-t", fmt.Sprint(watched.Seconds()),
		"-f", "null", "-progress", "-", "-").must(t)
	noWarning(t, r.stderr, allowed...)
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
	noWarning(t, r.stderr, "Unsupported codec with id 98313") // of timed ID3, which needs none
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

// startVLC starts VLC, which takes commands by keyboard.
func startVLC(t *testing.T, args ...string) (p *process, keyboard io.Writer) {
	t.Helper()
	home, err := os.MkdirTemp(scratch, "vlc")
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-I", "oldrc", "--rc-fake-tty", "--no-dbus", "--vout", "dummy", "--aout", "adummy"}, args...)
	cmd := exec.Command(program(t, "vlc"), args...)
	if os.Geteuid() == 0 { // VLC will not run as root
		if err := os.Chown(home, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		as := []string{fmt.Sprintf("--reuid=%d", nobody), fmt.Sprintf("--regid=%d", nobody), "--clear-groups"}
		cmd = exec.Command(program(t, "setpriv"), append(as, cmd.Args...)...)
	}
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+home)
	cmd.Dir = home
	keyboard, err = cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	return startCommand(t, cmd), keyboard
}

// vlcPlays plays with VLC until it has put out enough, by its own count.
func vlcPlays(t *testing.T, url string, video bool) {
	t.Helper()
	p, keyboard := startVLC(t, url)
	counted := func(what string) int {
		found := regexp.MustCompile(what+` *: +(\d+)`).FindAllStringSubmatch(p.output.String(), -1)
		if len(found) == 0 {
			return 0
		}
		n, _ := strconv.Atoi(found[len(found)-1][1])
		return n
	}
	eventually(t, limit, "VLC plays", func() error {
		if p.ended() {
			t.Fatalf("VLC ended: %v", p.err)
		}
		io.WriteString(keyboard, "stats\n")
		pause(t.Context(), 500*time.Millisecond)
		pictures, sounds := counted("frames displayed"), counted("buffers played")
		if sounds < int(watched.Seconds())*30 || video && pictures < int(watched.Seconds())*20 {
			return fmt.Errorf("%d pictures and %d pieces of sound were played", pictures, sounds)
		}
		return nil
	})
	for _, fault := range []string{"demux corrupted", "discontinuities"} {
		if n := counted(fault); n != 0 {
			t.Errorf("VLC counts %d %s", n, fault)
		}
	}
	io.WriteString(keyboard, "quit\n")
}

// nobody is the user that VLC is run as.
const nobody = 65534

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

// gstreamerPlays plays with GStreamer, by its newer or older HLS element. Every
// picture and every piece of sound must come at its time, with no hole.
func gstreamerPlays(t *testing.T, url string, newer, video bool, tracks []string) {
	t.Helper()
	// The sinks print the time and the checksum of each buffer, whose length
	// tells which sink it was.
	const sound, picture = "checksumsink sync=true hash=md5", "checksumsink sync=true hash=sha256"
	args := []string{"playbin3", "uri=" + url, "video-sink=" + picture, "audio-sink=" + sound}
	if !newer {
		line := "souphttpsrc location=" + url + " ! hlsdemux ! tsdemux name=d d. ! queue ! " + parser(tracks) + " ! audioconvert ! " + sound
		if video {
			line += " d. ! queue ! h264parse ! avdec_h264 ! " + picture
		}
		args = strings.Fields(line)
	}
	p := start(t, "gst-launch-1.0", append([]string{"-q"}, args...)...)
	want := map[int]int{32: int(watched.Seconds()) * 30} // hexadecimal digits: buffers
	if video {
		want[64] = int(watched.Seconds()) * 25
	}
	eventually(t, limit, "GStreamer plays", func() error {
		if p.ended() {
			t.Fatalf("gst-launch-1.0 ended: %v", p.err)
		}
		got := bufferTimes(p.output.String())
		for digits, n := range want {
			if len(got[digits]) < n {
				return fmt.Errorf("%d buffers with a checksum of %d digits, want %d", len(got[digits]), digits, n)
			}
		}
		return nil
	})
	p.kill()
	text := p.output.String()
	for digits := range want {
		evenlySpaced(t, bufferTimes(text)[digits])
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "WARN") || strings.Contains(line, "ERROR") {
			t.Errorf("GStreamer says %s", line)
		}
	}
}

// parser returns what turns the coded sound among tracks into sound.
func parser(tracks []string) string {
	if slices.Contains(tracks, "mp3") {
		return "mpegaudioparse ! avdec_mp3"
	}
	return "aacparse ! avdec_aac"
}

// buffer is how checksumsink tells of one.
var buffer = regexp.MustCompile(`(?m)^(\d+):(\d+):([0-9.]+) ([0-9a-f]+)$`)

// bufferTimes returns the times, in seconds, of the buffers that checksumsinks
// printed, by the length of the checksum.
func bufferTimes(text string) map[int][]float64 {
	times := map[int][]float64{}
	for _, m := range buffer.FindAllStringSubmatch(text, -1) {
		h, _ := strconv.ParseFloat(m[1], 64)
		min, _ := strconv.ParseFloat(m[2], 64)
		s, _ := strconv.ParseFloat(m[3], 64)
		times[len(m[4])] = append(times[len(m[4])], h*3600+min*60+s)
	}
	return times
}

// evenlySpaced fails if the distance of any two neighbours is not the usual one.
func evenlySpaced(t *testing.T, times []float64) {
	t.Helper()
	steps := make([]float64, 0, len(times))
	for i, at := range times[1:] {
		steps = append(steps, at-times[i])
	}
	usual := slices.Sorted(slices.Values(steps))[len(steps)/2]
	for i, step := range steps {
		if math.Abs(step-usual) > 0.003 {
			t.Errorf("the buffer at %.3f s comes %.3f s after the one before, others %.3f s", times[i+1], step, usual)
		}
	}
}

// checkFinds runs headwater's own checker, which must find nothing at all but
// for the rules in except.
func checkFinds(t *testing.T, url string, except ...string) {
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
		if slices.Contains(except, f.Rule) {
			continue
		}
		t.Errorf("%s %s: %s (%s)", f.Level, f.Rule, f.Text, f.Subject)
	}
	if report.Segments < 4 {
		t.Errorf("headwater check saw %d segments", report.Segments)
	}
}
