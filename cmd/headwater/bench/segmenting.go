package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
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
	if len(args) == 1 {
		return cutAll(f, forget)
	}
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
	return cutAll(f, st.Put)
}

func forget(uint64, *segmenter.Segment) error { return nil }

// cutMemory is "bench cut-memory FILE": it reads FILE into memory, cuts it from
// there, and prints how many seconds of CPU time the cutting took. It does so
// once before it measures, so that the heap has got its pages from the kernel,
// as that of a server has which has run for a while.
func cutMemory(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: bench cut-memory FILE")
	}
	media, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if err := cutAll(bytes.NewReader(media), forget); err != nil {
		return err
	}
	before, err := ownCPU()
	if err != nil {
		return err
	}
	if err := cutAll(bytes.NewReader(media), forget); err != nil {
		return err
	}
	after, err := ownCPU()
	if err != nil {
		return err
	}
	fmt.Println((after - before).Seconds())
	return nil
}

// cutAll cuts all of r and gives each segment to put.
func cutAll(r io.Reader, put func(gen uint64, seg *segmenter.Segment) error) error {
	seg, err := segmenter.New(segmenter.Config{TargetDuration: 6 * time.Second}, new(segmenter.MemoryRegistry), nil)
	if err != nil {
		return err
	}
	now := time.Now()
	emit := func() error {
		for _, slot := range seg.Take().Slots {
			for _, s := range slot.Segments {
				if s.Gap {
					continue
				}
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
			return err
		}
	}
	seg.Write(d.Flush(), now)
	seg.Detach(now)
	return emit()
}

// measureSegmenting measures the cutting of a file that is in memory, and
// compares that of one that is not with ffmpeg's, by the CPU time of whole
// processes.
func (b *bench) measureSegmenting(ctx context.Context) error {
	info, err := os.Stat(b.media)
	if err != nil {
		return err
	}
	b.say("segmenting %.0f MB, %d times each", float64(info.Size())/1e6, b.repeats)
	var memory, forgotten, stored, ffmpeg sample
	for range b.repeats {
		took, err := b.timeMemory(ctx)
		if err != nil {
			return err
		}
		memory = append(memory, took)
		dir, err := os.MkdirTemp(b.dir, "cut-")
		if err != nil {
			return err
		}
		for _, run := range []struct {
			cmd  *exec.Cmd
			into *sample
		}{
			{command(ctx, b.self, "cut", b.media), &forgotten},
			{command(ctx, b.self, "cut", b.media, dir), &stored},
			{command(ctx, find("ffmpeg"), "-hide_banner", "-loglevel", "error", "-nostdin", "-i", b.media,
				"-c", "copy", "-f", "hls", "-hls_time", "6", "-hls_list_size", "10", filepath.Join(dir, "live.m3u8")), &ffmpeg},
		} {
			if err := finish(run.cmd); err != nil {
				return err
			}
			*run.into = append(*run.into, cpuTime(run.cmd).Seconds())
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
	}
	gb := float64(info.Size()) / 1e9
	b.table.add(row{"segmenting in memory, of one core", ">= 2 GB/s",
		fmt.Sprintf("%.2f GB/s (%.3f s %s)", gb/memory.median(), memory.median(), memory.spread("%.3f")), "", judge(gb/memory.median() >= 2)})
	ratio := ffmpeg.median() / memory.median()
	b.table.add(row{"  CPU time, against ffmpeg -c copy -f hls", ">= 10 x less",
		fmt.Sprintf("ffmpeg %.3f s %s, a whole process with files", ffmpeg.median(), ffmpeg.spread("%.3f")),
		fmt.Sprintf("%.1f x", ratio), judge(ratio >= 10)})
	b.table.add(row{"  as a whole process too, from a file", "",
		fmt.Sprintf("%.3f s %s", forgotten.median(), forgotten.spread("%.3f")), fmt.Sprintf("%.1f x", ffmpeg.median()/forgotten.median()), noVerdict})
	ratio = ffmpeg.median() / stored.median()
	b.table.add(row{"  the same, and stored in files as ffmpeg does", ">= 5 x less",
		fmt.Sprintf("%.3f s %s", stored.median(), stored.spread("%.3f")), fmt.Sprintf("%.1f x", ratio), judge(ratio >= 5)})
	return nil
}

// timeMemory returns what "bench cut-memory" says.
func (b *bench) timeMemory(ctx context.Context) (float64, error) {
	cmd := command(ctx, b.self, "cut-memory", b.media)
	var said bytes.Buffer
	cmd.Stdout = &said
	if err := finish(cmd); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(said.String()), 64)
}
