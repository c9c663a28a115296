//go:build e2e

package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestGroup serves three bit rates of one programme as one: ffprobe sees them
// all, and hls.js changes between them while it plays, also when one is gone.
func TestGroup(t *testing.T) {
	t.Parallel()
	enter(t)
	config := "streams:\n"
	var ports []int
	for _, name := range []string{"high", "mid", "low"} {
		port := freePort(t)
		ports = append(ports, port)
		config += fmt.Sprintf("  %s: {tcp: '127.0.0.1:%d', group: station}\n", name, port)
	}
	s := serveConfig(t, config)
	var sources []*process
	for i, rate := range []string{"256k", "128k", "48k"} {
		sources = append(sources, start(t, "ffmpeg", "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", fmt.Sprintf("sine=%d:r=44100", toneA),
			"-c:a", "libmp3lame", "-b:a", rate, "-f", "mp3", fmt.Sprintf("tcp://127.0.0.1:%d", ports[i])).live())
	}
	playlist := s.url + "/station.m3u8"
	eventually(t, limit, "all three are named", func() error {
		status, body, err := get(playlist)
		if n := strings.Count(body, "#EXT-X-STREAM-INF"); err != nil || n != 3 {
			return fmt.Errorf("%d variants, status %d: %v", n, status, err)
		}
		return nil
	})
	r := run(t, limit, "ffprobe", "-v", "error", "-show_entries", "stream=codec_name,sample_rate", "-of", "csv=p=0", playlist).must(t)
	if n := strings.Count(r.stdout, "mp3,44100"); n < 3 {
		t.Errorf("ffprobe sees %d streams, want three:\n%s", n, r.stdout)
	}

	page := browser(t, s.url+"/mid")
	plays(t, page, limit, time.Second, false)
	watchPlayer(t, page)
	evaluate := func(js string) []int {
		t.Helper()
		got, err := chromedp.Run(page, chromedp.Evaluate[[]int](js))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	evaluate(`(() => {
		window.levels = [];
		hls.on(Hls.Events.LEVEL_SWITCHED, (_, d) => window.levels.push(Math.round(hls.levels[d.level].bitrate / 1000)));
		hls.loadSource(location.origin + "/station.m3u8");
		return [];
	})()`)
	first := plays(t, page, limit, 2*time.Second, false)
	rates := evaluate(`hls.levels.map(l => Math.round(l.bitrate / 1000))`)
	if len(rates) != 3 || !slices.IsSorted(rates) {
		t.Fatalf("hls.js sees levels of %v kbit/s, want three", rates)
	}
	for level, rate := range rates {
		evaluate(fmt.Sprintf(`(hls.nextLevel = %d, [])`, level))
		eventually(t, 20*time.Second, fmt.Sprintf("hls.js plays %d kbit/s", rate), func() error {
			if got := evaluate(`window.levels`); len(got) == 0 || got[len(got)-1] != rate {
				return fmt.Errorf("it has played %v", got)
			}
			return nil
		})
	}
	sources[0].kill()
	evaluate(`(hls.nextLevel = 1, [])`)
	checkPlayer(t, page, first, 8*time.Second)
	eventually(t, limit, "two are named", func() error {
		_, body, err := get(playlist)
		if n := strings.Count(body, "#EXT-X-STREAM-INF"); err != nil || n != 2 || strings.Contains(body, "high/") {
			return fmt.Errorf("%d variants: %v", n, err)
		}
		return nil
	})
}
