package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"headwater/mux/demux"
	"headwater/segmenter"
	"headwater/segmenter/store"
)

// cut is "bench cut FILE [FOLDER]": it cuts FILE into segments of 6 s, which it
// stores in FOLDER or forgets.
func cut(args []string) (err error) {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: bench cut FILE [FOLDER]")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	put := func(uint64, *segmenter.Segment) error { return nil }
	if len(args) == 2 {
		root, err := os.OpenRoot(args[1])
		if err != nil {
			return err
		}
		defer root.Close()
		st, err := store.Open(root, "live")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, st.Close()) }()
		put = st.Put
	}
	n, err := cutAll(f, put)
	if err != nil {
		return err
	}
	fmt.Println(n, "segments")
	return nil
}

// cutAll cuts all of r and gives each segment to put. It returns how many there were.
func cutAll(r io.Reader, put func(gen uint64, seg *segmenter.Segment) error) (n int, err error) {
	seg, err := segmenter.New(segmenter.Config{TargetDuration: 6 * time.Second}, new(segmenter.MemoryRegistry), nil)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	emit := func() error {
		for _, slot := range seg.Take().Slots {
			for _, s := range slot.Segments {
				if s.Gap {
					continue
				}
				n++
				if err := put(seg.Status().Record.Gen, s); err != nil {
					return err
				}
			}
		}
		return nil
	}
	d := demux.New(demux.Options{})
	for {
		k, err := r.Read(d.Buffer())
		seg.Write(d.Advance(k), now)
		if err == io.EOF {
			break
		}
		if err := errors.Join(err, d.Err(), emit()); err != nil {
			return n, err
		}
	}
	seg.Write(d.Flush(), now)
	seg.Detach(now)
	return n, emit()
}

// measureSegmenting compares the cutting of a file with that of ffmpeg, by the
// CPU time of whole processes.
func (b *bench) measureSegmenting(ctx context.Context) error {
	info, err := os.Stat(b.media)
	if err != nil {
		return err
	}
	b.say("segmenting %.0f MB, %d times each", float64(info.Size())/1e6, b.repeats)
	var memory, files, ffmpeg sample
	for range b.repeats {
		dir, err := os.MkdirTemp(b.dir, "cut-")
		if err != nil {
			return err
		}
		peer := command(ctx, find("ffmpeg"), "-hide_banner", "-loglevel", "error", "-nostdin", "-i", b.media,
			"-c", "copy", "-f", "hls", "-hls_time", "6", "-hls_list_size", "10", filepath.Join(dir, "live.m3u8"))
		for _, run := range []struct {
			cmd  *exec.Cmd
			into *sample
		}{
			{command(ctx, b.self, "cut", b.media), &memory},
			{command(ctx, b.self, "cut", b.media, dir), &files},
			{peer, &ffmpeg},
		} {
			if err := finish(run.cmd); err != nil {
				return err
			}
			*run.into = append(*run.into, cpuTime(run.cmd).Seconds())
		}
		os.RemoveAll(dir)
	}
	speed := float64(info.Size()) / 1e9 / memory.median()
	b.table.add(row{"segmenting in memory, of one core", ">= 2 GB/s", fmt.Sprintf("%.2f GB/s", speed), "", judge(speed >= 2)})
	ratio := ffmpeg.median() / memory.median()
	b.table.add(row{"  its CPU time, of ffmpeg -c copy -f hls", ">= 8 x less",
		fmt.Sprintf("%.3f s %s, ffmpeg %.3f s %s", memory.median(), memory.spread("%.3f"), ffmpeg.median(), ffmpeg.spread("%.3f")),
		fmt.Sprintf("%.1f x", ratio), judge(ratio >= 8)})
	b.table.add(row{"  the same, segments stored in files as ffmpeg does", "",
		fmt.Sprintf("%.3f s %s", files.median(), files.spread("%.3f")), fmt.Sprintf("%.1f x", ffmpeg.median()/files.median()), noVerdict})
	return nil
}
