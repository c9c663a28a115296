//go:build e2e

package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser opens a page in a new Chromium, and returns the context to use it with.
func browser(t *testing.T, url string) context.Context {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "chromium")
	if err != nil {
		t.Fatal(err)
	}
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(program(t, "chromium")),
		chromedp.UserDataDir(dir),
		chromedp.NoFirstRun,
		chromedp.NoDefaultBrowserCheck,
		chromedp.Headless,
		chromedp.DisableGPU,
		chromedp.NoSandbox, // root has none
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.WindowSize(800, 600),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate(url)); err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	return ctx
}

// playing is the state of the page's media element.
type playing struct {
	Time   float64 `json:"time"`
	Width  int     `json:"width"`
	Audio  int     `json:"audio"`  // bytes decoded
	Frames int     `json:"frames"` // pictures decoded
	Page   int     `json:"page"`   // differs after a reload
	Error  string  `json:"error"`
}

// state asks the page.
func state(ctx context.Context) (playing, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[playing](`(() => {
		window.testPage ??= Math.floor(Math.random() * 1e9);
		const m = document.querySelector('video, audio');
		return m === null ? {error: 'no media element', page: window.testPage} : {
			time: m.currentTime, width: m.videoWidth || 0, page: window.testPage,
			audio: m.webkitAudioDecodedByteCount || 0, frames: m.webkitDecodedFrameCount || 0,
			error: m.error ? m.error.message : '',
		};
	})()`))
}

// plays waits until the page has played for d from now on.
func plays(t *testing.T, ctx context.Context, limit, d time.Duration, video bool) playing {
	t.Helper()
	var first, last playing
	began := false
	eventually(t, limit, "Chromium plays", func() error {
		now, err := state(ctx)
		switch {
		case err != nil:
			return err
		case now.Error != "":
			return fmt.Errorf("%s", now.Error)
		}
		last = now
		if now.Time <= 0 {
			return errNotYet
		}
		if !began {
			began, first = true, now
		}
		if now.Time < first.Time { // a new element, or a new timeline
			first = now
		}
		played := now.Time - first.Time
		switch {
		case played < d.Seconds():
			return fmt.Errorf("played %.1f s of %v", played, d)
		case now.Audio == 0:
			return fmt.Errorf("no sound was decoded")
		case video && now.Frames == 0:
			return fmt.Errorf("no picture was decoded")
		}
		return nil
	})
	return last
}

// chromiumPlays plays the stream's own page.
func chromiumPlays(t *testing.T, page string, video bool) {
	t.Helper()
	ctx := browser(t, page)
	plays(t, ctx, limit, watched, video)
	if !video {
		return
	}
	shot, err := chromedp.Run(ctx, chromedp.Screenshot("video"))
	if err != nil {
		t.Fatal(err)
	}
	picture, _, err := image.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	notBlack(t, picture)
}
