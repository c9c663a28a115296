//go:build e2e

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// oggCodecs are what ffmpeg puts into Ogg.
var oggCodecs = []struct{ encoder, codec string }{
	{"libvorbis", "vorbis"}, {"libopus", "opus"}, {"flac", "flac"},
}

// oggSource starts an encoder that sends Ogg without end.
func oggSource(t *testing.T, encoder, title, to string) *process {
	t.Helper()
	return start(t, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "anoisesrc=c=pink:seed=7:r=48000:a=0.3",
		"-c:a", encoder, "-ac", "2", "-metadata", "artist=Künstler", "-metadata", "title="+title,
		"-content_type", "application/ogg", "-f", "ogg", to).live()
}

// raw returns the address of the raw TCP source.
func (s *server) raw() string { return fmt.Sprintf("tcp://127.0.0.1:%d", s.port) }

// continuous waits until Ogg plays, under a title.
func (s *server) continuous(title string) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "Ogg plays", func() error {
		_, body, err := get(s.url + "/api/v1/streams/live")
		if err != nil {
			return err
		}
		var state struct {
			State string
			Ready bool
			Title struct{ Text string }
		}
		if err := json.Unmarshal([]byte(body), &state); err != nil {
			return err
		}
		if state.State != "continuous" || !state.Ready || state.Title.Text != title {
			return fmt.Errorf("the API tells %s", body)
		}
		return nil
	})
}

// TestOgg: what an encoder sends as Ogg plays in players that join in the
// middle; the title in its comments is in the API, and no playlist is there.
func TestOgg(t *testing.T) {
	t.Parallel()
	for _, c := range oggCodecs {
		t.Run(c.codec, func(t *testing.T) {
			t.Parallel()
			enter(t)
			s := serve(t)
			oggSource(t, c.encoder, "Stück", s.raw())
			s.continuous("Künstler - Stück")
			pause(t.Context(), 3*time.Second)
			url := s.url + "/live.ogg"
			if status, body, err := get(s.playlist()); err != nil || status != http.StatusNotFound || !strings.Contains(body, "cannot be in HLS: send MP3 or AAC for that; /live.ogg has it") {
				t.Errorf("GET /live.m3u8 = %d %q, %v", status, body, err)
			}
			ffprobeFinds(t, url, []string{c.codec})
			ffmpegDecodes(t, url, false)
			if c.codec != "flac" { // ffmpeg's times of its first page begin at 0, so --length is over at once
				mpvPlays(t, url)
			}
			vlcPlays(t, url, false)
		})
	}
}

// TestOggInChromium: by itself, and on the stream's page.
func TestOggInChromium(t *testing.T) {
	t.Parallel()
	enter(t)
	s := serve(t)
	oggSource(t, "libopus", "Stück", s.raw())
	s.continuous("Künstler - Stück")
	pause(t.Context(), 3*time.Second)
	ctx := browser(t, s.url+"/live")
	plays(t, ctx, limit, 5*time.Second, false)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => {
		document.body.innerHTML = '<audio autoplay src="/live.ogg"></audio>';
		return true;
	})()`)); err != nil {
		t.Fatal(err)
	}
	plays(t, ctx, limit, 5*time.Second, false)
}

// TestOggByIcecast: the same over Icecast's protocol, one encoder after another
// while a listener stays.
func TestOggByIcecast(t *testing.T) {
	t.Parallel()
	enter(t)
	s := serve(t, "--source-password", "hackme")
	to := strings.Replace(s.url, "http://", "icecast://source:hackme@", 1) + "/live.ogg"
	first := oggSource(t, "libvorbis", "Erstes", to)
	s.continuous("Künstler - Erstes")
	listener := start(t, "ffmpeg", "-v", "error", "-nostdin", "-i", s.url+"/live.ogg", "-t", "12", "-f", "null", "-progress", "-", "-")
	pause(t.Context(), 4*time.Second)
	first.kill()
	eventually(t, limit, "the encoder is gone", func() error { return s.status("/live/ready", http.StatusServiceUnavailable) })
	oggSource(t, "libvorbis", "Zweites", to)
	s.continuous("Künstler - Zweites")
	listener.wait(limit)
	if listener.err != nil || !regexp.MustCompile(`(?m)^out_time_ms=1[0-3]\d{6}`).MatchString(listener.output.String()) {
		t.Errorf("the listener was sent away, or heard less than 10 s: %v\n%s", listener.err, tail(listener.output.String(), 12))
	}
}

// TestOggChain: the pages that a listener gets are an exact run of those that
// were sent, over links, each of which begins a title.
func TestOggChain(t *testing.T) {
	t.Parallel()
	enter(t)
	s := serve(t)
	var sent []byte
	for n := range 3 {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.ogg", n))
		run(t, limit, "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "anoisesrc=c=pink:r=48000:a=0.3", "-t", "5", "-c:a", "libvorbis",
			"-ac", "2", "-metadata", fmt.Sprintf("title=Number %d", n+1), "-serial_offset", fmt.Sprint(10*n+1), "-page_duration", "200000", "-f", "ogg", file).must(t)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sent = append(sent, b...)
	}
	chain := filepath.Join(t.TempDir(), "chain.ogg")
	if err := os.WriteFile(chain, sent, 0o666); err != nil {
		t.Fatal(err)
	}
	push := startCommand(t, exec.Command(headwater, "push", chain, fmt.Sprintf("tcp://127.0.0.1:%d", s.port)))
	s.continuous("Number 1")
	got := make(chan []byte, 1)
	go func() {
		res, err := http.Get(s.url + "/live.ogg")
		if err != nil {
			got <- nil
			return
		}
		defer res.Body.Close()
		b, _ := io.ReadAll(res.Body)
		got <- b
	}()
	s.continuous("Number 2")
	decoded := run(t, limit, "ffmpeg", "-v", "error", "-nostdin", "-i", s.url+"/live.ogg", "-f", "null", "-progress", "-", "-")
	if push.wait(limit); push.err != nil {
		t.Fatalf("push: %v", push.err)
	}
	body := <-got
	pages := regexp.MustCompile(`OggS\x00\x00`).FindAllIndex(sent, -1)
	headers := sent[:pages[2][0]]
	if !bytes.HasPrefix(body, headers) {
		t.Fatalf("the body of %d bytes does not begin with the %d bytes of header pages", len(body), len(headers))
	}
	if rest := body[len(headers):]; len(rest) < len(sent)/2 || !bytes.HasSuffix(sent, rest) {
		t.Errorf("the %d bytes behind the header pages are not the last ones of the %d that were sent", len(rest), len(sent))
	}
	if !regexp.MustCompile(`(?m)^out_time_ms=(9|1\d)\d{6}`).MatchString(decoded.stdout) {
		t.Errorf("ffmpeg decoded less than 9 s over two links: %s%s", decoded.stderr, tail(decoded.stdout, 12))
	}
}
