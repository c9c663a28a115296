//go:build e2e

package e2e_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// section returns the commands of a section of the README, as a script.
func section(t *testing.T, heading string) string {
	t.Helper()
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var script strings.Builder
	for _, m := range regexp.MustCompile(`(?m)^    (.*)$`).FindAllStringSubmatch(rest, -1) {
		script.WriteString(m[1] + "\n")
	}
	return script.String()
}

// runScript runs commands of the README that end with headwater, in a folder
// of their own and with an HTTP port of their own.
func runScript(t *testing.T, script string) (s *server, dir string) {
	t.Helper()
	port := freePort(t)
	s = &server{t: t, url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	dir = t.TempDir()
	script = strings.ReplaceAll(script, "bin/headwater", "exec "+headwater)
	cmd := exec.Command(program(t, "sh"), "-ec", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), fmt.Sprintf("HEADWATER_HTTP=127.0.0.1:%d", port), "HEADWATER_TARGET_DURATION=2s", "HEADWATER_DATA=")
	s.process = startCommand(t, cmd).live()
	eventually(t, 30*time.Second, "headwater listens", func() error {
		if s.process.ended() {
			t.Fatalf("headwater ended: %v\n%s", s.process.err, s.process.output.String())
		}
		return s.status("/healthz", 200)
	})
	return s, dir
}

// TestFolder runs what the README says about a folder, and then puts a file in.
func TestFolder(t *testing.T) {
	t.Parallel()
	enter(t)
	s, dir := runScript(t, section(t, "Auto-DJ from a folder"))
	run(t, limit, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=330", "-t", "3",
		"-metadata", "artist=Dropped", "-metadata", "title=In", "-id3v2_version", "3", filepath.Join(dir, "music", "new.mp3")).must(t)
	heard := map[string]bool{}
	eventually(t, 40*time.Second, "all three are played", func() error {
		_, body, err := get(s.url + "/api/v1/streams/radio")
		if err != nil {
			return err
		}
		var state struct {
			Title struct{ Artist, Name, Text string }
		}
		if err := json.Unmarshal([]byte(body), &state); err != nil {
			return err
		}
		for _, name := range []string{"Concert pitch", "An octave below", "In"} {
			if strings.Contains(fmt.Sprint(state.Title), name) {
				heard[name] = true
			}
		}
		if len(heard) < 3 {
			return fmt.Errorf("heard %v, now %+v", heard, state.Title)
		}
		return nil
	})
	ffprobeFinds(t, s.url+"/radio.mp3", []string{"mp3"})
	eventually(t, limit, "HLS is ready", func() error { return s.status("/radio/main.m3u8", 200) })
	ffmpegDecodes(t, s.url+"/radio.m3u8", false)
	if text := s.process.output.String(); strings.Contains(text, "held up") || strings.Contains(text, "source ended") {
		t.Errorf("the player did not play on:\n%s", text)
	}
	_, body, err := get(s.url + "/radio/main.m3u8")
	if err != nil || strings.Contains(body, "DISCONTINUITY\n") {
		t.Errorf("files of one format are parted: %v\n%s", err, body)
	}
}

// TestExec has headwater run a recorder and encode what it writes, again when it was killed.
func TestExec(t *testing.T) {
	t.Parallel()
	enter(t)
	config := `cat > exec.yaml <<END
streams:
  live:
    exec: [sh, -c, 'echo $$ >> pids; exec ffmpeg -v warning -re -f lavfi -i sine=440 -f wav -']
END
bin/headwater serve --config exec.yaml
`
	s, dir := runScript(t, strings.ReplaceAll(config, "$$", `\$\$`))
	pid := func(n int) (pid int) {
		t.Helper()
		eventually(t, 20*time.Second, "the program runs", func() error {
			b, err := os.ReadFile(filepath.Join(dir, "pids"))
			if lines := strings.Fields(string(b)); err == nil && len(lines) >= n {
				pid, err = strconv.Atoi(lines[n-1])
				return err
			}
			return errNotYet
		})
		return pid
	}
	s.ready()
	if err := syscall.Kill(pid(1), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := pid(2)
	ffprobeFinds(t, s.url+"/live.mp3", []string{"mp3"})
	s.process.signal(syscall.SIGTERM)
	if err := s.process.wait(20 * time.Second); err != nil {
		t.Errorf("headwater ended: %v", err)
	}
	if err := syscall.Kill(second, 0); err == nil {
		t.Errorf("the program %d runs though headwater has ended", second)
	}
}

// A tone as WAV is heard in browser and player, within a second of its time.
func TestScanner(t *testing.T) {
	t.Parallel()
	enter(t)
	s := serve(t)
	tone := start(t, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "sine=440:sample_rate=44100", "-f", "wav", fmt.Sprintf("tcp://127.0.0.1:%d", s.port)).live()
	s.ready()
	chromiumPlays(t, s.url+"/live", false)
	vlcPlays(t, s.url+"/live.mp3", false)
	r := run(t, limit, "ffmpeg", "-v", "error", "-nostdin", "-i", s.url+"/live.mp3?mode=live", "-t", "3", "-f", "s16le", "-ac", "1", "-").must(t)
	if hz := pitch([]byte(r.stdout), 44100); hz < 430 || hz > 450 {
		t.Errorf("what is heard has %.0f Hz, want 440", hz)
	}
	tone.kill()
	eventually(t, 10*time.Second, "the encoder ends with the source", func() error {
		if children(t, s.process.cmd.Process.Pid) > 0 {
			return errNotYet
		}
		return nil
	})
}

// The same tone over HTTP, by curl; and where the stream takes no PCM, curl is told so.
func TestScannerOverHTTP(t *testing.T) {
	t.Parallel()
	enter(t)
	config := filepath.Join(t.TempDir(), "radio.yaml")
	if err := os.WriteFile(config, []byte("source_password: hack\nstreams:\n  live: {encode: aac 64k}\n  bare: {encode: none}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t}
	s.launch("--config", config)
	send := func(stream, rate string) *exec.Cmd {
		return exec.Command(program(t, "sh"), "-c", "ffmpeg -v error -nostdin -re -f lavfi -i sine=440:sample_rate="+rate+
			" -f wav - | curl -sS -u source:hack -H 'Content-Type: audio/wav' -T - "+s.url+"/"+stream)
	}
	startCommand(t, send("live", "8000")).live()
	s.ready()
	ffprobeFinds(t, s.url+"/live.aac", []string{"aac"})
	r := runCommand(t, limit, send("bare", "48000"))
	if !strings.Contains(r.stdout, "this is WAV, which the stream does not take (encode: none)") {
		t.Errorf("curl was told %q %q", r.stdout, r.stderr)
	}
}

// pitch returns how often 16-bit samples rise through zero in a second, from the
// first time to the last: who begins anywhere in MP3 hears nothing at first.
func pitch(b []byte, rate int) float64 {
	rises, first, newest, last := 0, 0, 0, int16(1)
	for i := range len(b) / 2 {
		x := int16(binary.LittleEndian.Uint16(b[2*i:]))
		if x > 0 && last <= 0 {
			if rises == 0 {
				first = i
			}
			rises, newest = rises+1, i
		}
		last = x
	}
	if newest == first {
		return 0
	}
	return float64(rises-1) * float64(rate) / float64(newest-first)
}

// children returns how many processes a process has started that are there.
func children(t *testing.T, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(strings.Fields(string(b)))
}

// The lines of the README that record a sound card work as they stand there,
// with a card that plays a file as fast as it is asked to.
func TestRecorders(t *testing.T) {
	t.Parallel()
	enter(t)
	dir := t.TempDir()
	raw, config := filepath.Join(dir, "tone.raw"), filepath.Join(dir, "asound.conf")
	run(t, limit, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=440", "-t", "60", "-f", "s16le", raw).must(t)
	if err := os.WriteFile(config, []byte("pcm.default {\n type file\n slave.pcm.type null\n file /dev/null\n infile "+raw+"\n format raw\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(section(t, "A radio scanner's sound card")) {
		if !strings.Contains(line, "| nc ") {
			continue
		}
		found++
		s := serve(t)
		line = strings.NewReplacer(
			"arecord ", "arecord -d 20 ",
			"-t wav - |", "-t wav - trim 0 20 |",
			"9999", fmt.Sprint(s.port)).Replace(line)
		cmd := exec.Command(program(t, "sh"), "-c", line)
		cmd.Env = append(os.Environ(), "ALSA_CONFIG_PATH="+config)
		recorder := startCommand(t, cmd)
		eventually(t, 20*time.Second, line, func() error {
			if recorder.ended() && recorder.err != nil {
				t.Fatalf("%s: %v", line, recorder.err)
			}
			return s.status("/live/main.m3u8", 200)
		})
		if text := s.process.output.String(); !strings.Contains(text, "the source sends PCM") {
			t.Errorf("%s\n%s", line, text)
		}
	}
	if found != 2 {
		t.Errorf("the README has %d lines that record, want 2", found)
	}
}

// Files of two formats play one after the other, parted by a DISCONTINUITY, and
// break no rule.
func TestFolderOfTwoFormats(t *testing.T) {
	t.Parallel()
	enter(t)
	s, _ := runScript(t, `mkdir music
ffmpeg -v error -f lavfi -i sine=440:sample_rate=44100 -t 7 -b:a 96k music/a.mp3
ffmpeg -v error -f lavfi -i sine=220:sample_rate=48000 -t 7 -b:a 96k -ac 2 music/b.mp3
cat > radio.yaml <<END
streams:
  radio:
    folder: music
END
bin/headwater serve --config radio.yaml
`)
	eventually(t, 40*time.Second, "the format changes", func() error {
		_, body, err := get(s.url + "/radio/main.m3u8")
		if err == nil && !strings.Contains(body, "DISCONTINUITY\n") {
			err = errNotYet
		}
		return err
	})
	checkFinds(t, s.url+"/radio.m3u8")
}
