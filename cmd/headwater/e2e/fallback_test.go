//go:build e2e

package e2e_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// tone sends a sine without end to a TCP port, as MP3.
func tone(t *testing.T, hertz, port int) *process {
	t.Helper()
	return start(t, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", fmt.Sprintf("sine=%d:r=44100", hertz),
		"-c:a", "libmp3lame", "-b:a", "128k", "-f", "mp3", fmt.Sprintf("tcp://127.0.0.1:%d", port)).live()
}

// serveConfig starts a headwater with a configuration.
func serveConfig(t *testing.T, text string) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "headwater.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t}
	s.launch("--config", file)
	return s
}

// onAir waits until a side of the stream is heard.
func (s *server) onAir(side string) {
	s.t.Helper()
	eventually(s.t, 5*time.Second, side+" is on air", func() error {
		_, body, err := get(s.url + "/api/v1/streams/live")
		if err != nil {
			return err
		}
		var state struct {
			OnAir string `json:"on_air"`
		}
		if err := json.Unmarshal([]byte(body), &state); err != nil {
			return err
		}
		if state.OnAir != side {
			return fmt.Errorf("on air is %q", state.OnAir)
		}
		return nil
	})
}

// The tones that tests tell apart.
const (
	toneA = 440
	toneB = 1000
)

// heard returns the tones in what ffmpeg decodes of an input, in order, as "A",
// "B" and "-" for silence and anything else, and how long each lasts.
func heard(t *testing.T, args ...string) (names string, lengths []time.Duration) {
	t.Helper()
	const rate, window = 8000, 800
	r := run(t, limit, "ffmpeg", slices.Concat([]string{"-v", "fatal", "-nostdin"}, args, []string{"-f", "s16le", "-ac", "1", "-ar", fmt.Sprint(rate), "-"})...).must(t)
	pcm := []byte(r.stdout)
	power := func(block []byte, hertz float64) (p float64) {
		var re, im float64
		for i := range window {
			x := float64(int16(binary.LittleEndian.Uint16(block[2*i:])))
			re += x * math.Cos(2*math.Pi*hertz*float64(i)/rate)
			im += x * math.Sin(2*math.Pi*hertz*float64(i)/rate)
		}
		return (re*re + im*im) / (window * window)
	}
	for ; len(pcm) >= 2*window; pcm = pcm[2*window:] {
		name := "-"
		a, b := power(pcm, toneA), power(pcm, toneB)
		switch least := 100.0 * 100; {
		case a > least && a > 4*b:
			name = "A"
		case b > least && b > 4*a:
			name = "B"
		}
		if !strings.HasSuffix(names, name) {
			names, lengths = names+name, append(lengths, 0)
		}
		lengths[len(lengths)-1] += window * time.Second / rate
	}
	return names, lengths
}

// checkHeard checks that tones followed each other with no gap above a second.
func checkHeard(t *testing.T, where, want string, args ...string) {
	t.Helper()
	names, lengths := heard(t, args...)
	t.Logf("%s: %s %v", where, names, lengths)
	for i, n := range names {
		if n == '-' && lengths[i] > time.Second {
			t.Errorf("%s: a gap of %v", where, lengths[i])
		}
	}
	var tones []rune
	for _, n := range names {
		if n != '-' && (len(tones) == 0 || tones[len(tones)-1] != n) {
			tones = append(tones, n)
		}
	}
	if string(tones) != want {
		t.Errorf("%s: heard %s, want %s", where, string(tones), want)
	}
}

// TestFallback takes a stream's source away, by force and by silence: its
// listeners, over ICY and with hls.js, hear another stream meanwhile, and notice
// nothing else.
func TestFallback(t *testing.T) {
	t.Parallel()
	enter(t)
	main, spare := freePort(t), freePort(t)
	s := serveConfig(t, fmt.Sprintf("streams:\n  live: {tcp: '127.0.0.1:%d', fallback: stream spare, timeout: 20s}\n  spare: {tcp: '127.0.0.1:%d'}\n", main, spare))
	tone(t, toneB, spare)
	source := tone(t, toneA, main)
	s.ready()
	s.onAir("main")
	file := filepath.Join(t.TempDir(), "heard.mp3")
	listener := start(t, "ffmpeg", "-v", "error", "-nostdin", "-icy", "1", "-i", s.url+"/live.mp3", "-c", "copy", file)
	page := browser(t, s.url+"/live")
	first := plays(t, page, limit, 2*time.Second, false)
	watchPlayer(t, page)

	source.kill()
	s.onAir("standby")
	pause(t.Context(), 4*time.Second)
	source = tone(t, toneA, main)
	s.onAir("main")
	pause(t.Context(), 4*time.Second)
	source.signal(syscall.SIGSTOP)
	s.onAir("standby")
	pause(t.Context(), 4*time.Second)
	source.signal(syscall.SIGCONT)
	s.onAir("main")
	pause(t.Context(), 3*time.Second)

	if listener.ended() {
		t.Errorf("the listener was sent away: %v", listener.err)
	}
	listener.signal(syscall.SIGTERM)
	listener.wait(10 * time.Second)
	checkHeard(t, "ICY", "ABABA", "-f", "mp3", "-i", file)
	checkPlayer(t, page, first, 24*time.Second)
	_, list, err := get(s.url + "/live/main.m3u8")
	if n := strings.Count(list, "#EXT-X-DISCONTINUITY\n"); err != nil || n != 4 || strings.Contains(list, "#EXT-X-GAP") {
		t.Errorf("%d discontinuities, want 4 and no gap: %v\n%s", n, err, list)
	}
	for _, rendition := range []string{"main", "audio"} {
		checkHeard(t, "HLS "+rendition, "ABABA", "-live_start_index", "-20", "-t", "30", "-i", s.url+"/live/"+rendition+".m3u8")
	}
}

// TestFallbackKinds takes the source away where there is no other stream: its
// listeners hear silence in its format, or the files of a folder, without a seam
// that ffmpeg complains of.
func TestFallbackKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, fallback, codec, format, suffix, want string
	}{
		{"silence for AAC", "silence", "aac", "adts", "aac", "A-A"},
		{"silence for MP3", "silence", "libmp3lame", "mp3", "mp3", "A-A"},
		{"a folder", "folder %s", "libmp3lame", "mp3", "mp3", "ABA"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enter(t)
			dir := t.TempDir()
			run(t, limit, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("sine=%d:r=44100", toneB), "-t", "3",
				"-c:a", "libmp3lame", "-b:a", "96k", "-write_xing", "0", filepath.Join(dir, "one.mp3")).must(t)
			if strings.Contains(tt.fallback, "%s") {
				tt.fallback = fmt.Sprintf(tt.fallback, dir)
			}
			port := freePort(t)
			s := serveConfig(t, fmt.Sprintf("streams:\n  live: {tcp: '127.0.0.1:%d', fallback: %s}\n", port, tt.fallback))
			send := func() *process {
				return start(t, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", fmt.Sprintf("sine=%d:r=44100", toneA),
					"-c:a", tt.codec, "-b:a", "96k", "-f", tt.format, fmt.Sprintf("tcp://127.0.0.1:%d", port)).live()
			}
			source := send()
			s.onAir("main")
			file := filepath.Join(t.TempDir(), "heard."+tt.suffix)
			listener := start(t, "curl", "-sSN", "-o", file, s.url+"/live."+tt.suffix)
			pause(t.Context(), 3*time.Second)
			source.kill()
			s.onAir("standby")
			pause(t.Context(), 4*time.Second)
			send()
			s.onAir("main")
			pause(t.Context(), 3*time.Second)
			if listener.ended() {
				t.Errorf("the listener was sent away: %v", listener.err)
			}
			listener.signal(syscall.SIGTERM)
			listener.wait(10 * time.Second)
			names, lengths := heard(t, "-f", tt.suffix, "-i", file)
			t.Logf("heard %s %v", names, lengths)
			if tt.want == "ABA" {
				checkHeard(t, tt.name, tt.want, "-f", tt.suffix, "-i", file)
			} else if names != tt.want || lengths[1] < 3500*time.Millisecond || lengths[1] > 6*time.Second {
				t.Errorf("heard %s %v, want %s with about 4.5 s between", names, lengths, tt.want)
			}
			r := run(t, limit, "ffmpeg", "-v", "warning", "-nostdin", "-f", tt.suffix, "-i", file, "-f", "null", "-").must(t)
			if strings.Count(r.stderr, "\n") > strings.Count(r.stderr, "Estimating duration") { // which it does of any bare sound
				t.Errorf("ffmpeg complains:\n%s", r.stderr)
			}
		})
	}
}

// watchPlayer has the page remember what goes wrong in hls.js.
func watchPlayer(t *testing.T, page context.Context) {
	t.Helper()
	if _, err := chromedp.Run(page, chromedp.Evaluate[bool](`(() => {
		window.player = hls;
		window.faults = [];
		hls.on(Hls.Events.ERROR, (_, d) => window.faults.push(d.details + (d.fatal ? " fatal" : "")));
		return true;
	})()`)); err != nil {
		t.Fatal(err)
	}
}

// checkPlayer waits until the page has played for d since first, and checks that
// it was not loaded anew, nor its player, and had no fatal error.
func checkPlayer(t *testing.T, page context.Context, first playing, d time.Duration) {
	t.Helper()
	eventually(t, limit, "hls.js plays on", func() error {
		now, err := state(page)
		if err != nil {
			return err
		}
		if now.Error != "" || now.Page != first.Page {
			t.Fatalf("the page is %+v, was %+v", now, first)
		}
		if played := now.Time - first.Time; played < d.Seconds() {
			return fmt.Errorf("played %.1f s of %v", played, d)
		}
		return nil
	})
	faults, err := chromedp.Run(page, chromedp.Evaluate[[]string](`[...window.faults, ...(window.player === hls ? [] : ["player made anew fatal"])]`))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("hls.js reported %q", faults)
	if slices.ContainsFunc(faults, func(f string) bool { return strings.HasSuffix(f, "fatal") }) {
		t.Errorf("hls.js had fatal errors: %q", faults)
	}
}
