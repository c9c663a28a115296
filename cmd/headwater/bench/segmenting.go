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
func cut(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: bench cut FILE [FOLDER]")
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer f.Close()
	return cutInto(f, args[1:])
}

// cutMemory is "bench cut-memory FILE [FOLDER]": it reads FILE into memory, cuts
// it from there, and prints how many seconds of CPU time the cutting took. It
// does so once before it measures, so that the heap and the file system have got
// their pages from the kernel, as those of a server have which has run for a while.
func cutMemory(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("usage: bench cut-memory FILE [FOLDER]")
	}
	media, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if err := cutInto(bytes.NewReader(media), args[1:]); err != nil {
		return err
	}
	for _, dir := range args[1:] {
		if err := os.RemoveAll(filepath.Join(dir, stream)); err != nil {
			return err
		}
	}
	before, err := ownCPU()
	if err != nil {
		return err
	}
	if err := cutInto(bytes.NewReader(media), args[1:]); err != nil {
		return err
	}
	after, err := ownCPU()
	if err != nil {
		return err
	}
	fmt.Println((after - before).Seconds())
	return nil
}

// stream is the name of what is cut into a folder.
const stream = "live"

// cutInto cuts all of r and stores the segments in the folder, if there is one.
func cutInto(r io.Reader, folder []string) (err error) {
	if len(folder) == 0 {
		return cutAll(r, func(uint64, *segmenter.Segment) error { return nil })
	}
	root, err := os.OpenRoot(folder[0])
	if err != nil {
		return err
	}
	defer root.Close()
	st, err := store.Open(root, stream)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return cutAll(r, st.Put)
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

// cutTimes is the CPU time of cutting, in seconds: in memory, and by whole
// processes that read a file.
type cutTimes struct{ memory, disk, whole, wholeDisk, ffmpeg sample }

// measureSegmenting measures the cutting of a file that is in memory, and of one
// that is not, and compares both with ffmpeg's.
func (b *bench) measureSegmenting(ctx context.Context) error {
	info, err := os.Stat(b.media)
	if err != nil {
		return err
	}
	b.say("segmenting %.0f MB, %d times each", float64(info.Size())/1e6, b.repeats)
	var t cutTimes
	for range b.repeats {
		if err := b.timeCutting(ctx, &t); err != nil {
			return err
		}
	}
	gb, peer := float64(info.Size())/1e9, t.ffmpeg.median()
	seconds := func(s sample) string { return fmt.Sprintf("%.3f s %s", s.median(), s.spread("%.3f")) }
	less := func(what, limit string, s sample, most float64) {
		ratio, verdict := peer/s.median(), noVerdict
		if limit != "" {
			verdict = judge(ratio >= most)
		}
		b.table.add(row{what, limit, seconds(s), fmt.Sprintf("%.1f x", ratio), verdict})
	}
	b.table.add(row{"segmenting in memory, of one core", ">= 2 GB/s", fmt.Sprintf("%.2f GB/s", gb/t.memory.median()), "", judge(gb/t.memory.median() >= 2)})
	b.table.add(row{what: "  ffmpeg -c copy -f hls, a whole process with files: CPU time", measured: seconds(t.ffmpeg)})
	less("  CPU time, against ffmpeg's", ">= 10 x less", t.memory, 10)
	less("  with the disk store", ">= 5 x less", t.disk, 5)
	less("  as a whole process too, from a file", "", t.whole, 0)
	less("  as a whole process, from a file, with the disk store", "", t.wholeDisk, 0)
	return nil
}

// timeCutting takes each time once.
func (b *bench) timeCutting(ctx context.Context, t *cutTimes) error {
	dir, err := os.MkdirTemp(b.dir, "cut-")
	if err != nil {
		return err
	}
	took, err := b.timeMemory(ctx)
	if err != nil {
		return err
	}
	t.memory = append(t.memory, took)
	inMemory, whole := filepath.Join(dir, "memory"), filepath.Join(dir, "whole")
	if err := errors.Join(os.Mkdir(inMemory, 0o755), os.Mkdir(whole, 0o755)); err != nil {
		return err
	}
	if took, err = b.timeMemory(ctx, inMemory); err != nil {
		return err
	}
	t.disk = append(t.disk, took)
	for _, run := range []struct {
		cmd  *exec.Cmd
		into *sample
	}{
		{command(ctx, b.self, "cut", b.media), &t.whole},
		{command(ctx, b.self, "cut", b.media, whole), &t.wholeDisk},
		{command(ctx, find("ffmpeg"), "-hide_banner", "-loglevel", "error", "-nostdin", "-i", b.media,
			"-c", "copy", "-f", "hls", "-hls_time", "6", "-hls_list_size", "10", filepath.Join(whole, "live.m3u8")), &t.ffmpeg},
	} {
		if err := finish(run.cmd); err != nil {
			return err
		}
		*run.into = append(*run.into, cpuTime(run.cmd).Seconds())
	}
	return os.RemoveAll(dir)
}

// timeMemory returns what "bench cut-memory" says, with a folder or without.
func (b *bench) timeMemory(ctx context.Context, folder ...string) (float64, error) {
	cmd := command(ctx, b.self, append([]string{"cut-memory", b.media}, folder...)...)
	var said bytes.Buffer
	cmd.Stdout = &said
	if err := finish(cmd); err != nil {
		return 0, err
	}
	return strconv.ParseFloat(strings.TrimSpace(said.String()), 64)
}
