//go:build e2e

package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs every line of the README that sends a stream, as it stands
// there but for the port and the name of the file.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := senders(string(text))
	if len(lines) < 5 {
		t.Fatalf("the README has %d lines that send a stream, want at least 5: %q", len(lines), lines)
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			line = strings.NewReplacer(
				"FILE", film.path(t),
				"9999", fmt.Sprint(s.port),
				"bin/headwater", headwater,
				"alsasrc", "audiotestsrc is-live=true", // there is no sound card
			).Replace(line)
			cmd := exec.Command(program(t, "sh"), "-c", "exec "+line)
			enter(t)
			startCommand(t, cmd).live()
			s.ready()
			ffmpegDecodes(t, s.playlist(), strings.Contains(line, "libx264"))
			for _, path := range []string{"/", "/live.m3u8", "/live/main.m3u8", "/live/audio.m3u8", "/live/ready", "/healthz", "/api/v1/streams"} {
				if err := s.status(path, http.StatusOK); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// senders returns the commands in text that send a stream: those in blocks and
// between backquotes that name a port to send to.
func senders(text string) []string {
	text = strings.ReplaceAll(text, " \\\n", " ") // continued lines
	var found []string
	for _, m := range regexp.MustCompile("(?m)^    (.*)$|`([^`\n]*)`").FindAllStringSubmatch(text, -1) {
		line := strings.Join(strings.Fields(m[1]+m[2]), " ")
		name, _, _ := strings.Cut(line, " ")
		switch {
		case !strings.Contains(line, "tcp://") && !strings.Contains(line, "tcpclientsink"):
		case name == "ffmpeg", name == "gst-launch-1.0", name == "bin/headwater" && strings.Contains(line, " push "):
			found = append(found, line)
		}
	}
	return found
}
