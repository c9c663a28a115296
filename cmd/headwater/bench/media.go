package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mediaArgs is what ffmpeg is told to make: 10 minutes of what an encoder for
// the web sends, 2.65 Mbit/s in all, a keyframe each 2 s, B-frames. The picture
// is small and made in haste, for nobody looks at it; the rate is filled up.
var mediaArgs = []string{
	"-f", "lavfi", "-i", "testsrc2=s=640x360:r=25", "-f", "lavfi", "-i", "sine=f=440:r=48000", "-t", "600",
	"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-bf", "2",
	"-g", "50", "-keyint_min", "50", "-sc_threshold", "0",
	"-b:v", "2490k", "-minrate", "2490k", "-maxrate", "2490k", "-bufsize", "2490k", "-x264-params", "nal-hrd=cbr",
	"-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "mpegts",
}

// makeMedia returns the name of the file to measure with. It is made once and
// kept in a folder for temporary files.
func (b *bench) makeMedia(ctx context.Context) (string, error) {
	ffmpeg := find("ffmpeg")
	if ffmpeg == "" {
		return "", errors.New("ffmpeg is not installed, and nothing can be measured without the media that it makes: make programs")
	}
	sum := sha256.Sum256([]byte(strings.Join(mediaArgs, " ")))
	dir := filepath.Join(os.TempDir(), "headwater-bench-cache")
	name := filepath.Join(dir, fmt.Sprintf("%x.ts", sum[:6]))
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	b.say("making 10 minutes of media, once: %s", name)
	args := append([]string{"-hide_banner", "-loglevel", "error", "-nostdin", "-y"}, mediaArgs...)
	if err := finish(command(ctx, ffmpeg, append(args, name+".part")...)); err != nil {
		return "", err
	}
	return name, os.Rename(name+".part", name)
}
