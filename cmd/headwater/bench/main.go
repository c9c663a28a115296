// Command bench measures headwater against its budgets, side by side with
// Icecast, nginx, ffmpeg and MediaMTX where they are installed, and prints one
// table: "make bench" runs it. Figures of one run may be compared with each other only:
// what they are depends on the machine and on what else it does.
//
// It starts itself again for what has to be a process of its own: "bench cut"
// and "bench cut-memory" segment a file, "bench send" is a paced source of many
// streams.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is one of the programs that this is.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "cut":
			return cut(args[1:])
		case "cut-memory":
			return cutMemory(args[1:])
		case "send":
			return send(ctx, args[1:])
		}
	}
	return measureAll(ctx, args)
}

// bench is one run over all measurements.
type bench struct {
	self    string // this program
	binary  string // headwater, as it is released
	dir     string // for what the run leaves behind; removed at its end
	media   string // a transport stream, see [makeMedia]
	table   table
	streams int           // of the live measurement
	live    time.Duration // how long that takes
	crowd   int           // listeners of the measurements that have many
	repeats int           // of what is compared with a peer
	log     io.Writer     // what is being done
	ran     []string      // commands that others can run as well
}

// measurement is one group of rows.
type measurement struct {
	name string
	do   func(b *bench, ctx context.Context) error
}

// measurements are in the order in which they are taken.
func measurements() []measurement {
	return []measurement{
		{"start", (*bench).measureStart},
		{"segment", (*bench).measureSegmenting},
		{"http", (*bench).measureHTTP},
		{"live", (*bench).measureLive},
		{"mediamtx", (*bench).measureMediaMTX},
		{"listeners", (*bench).measureListeners},
		{"lowlatency", (*bench).measureLowLatency},
	}
}

func measureAll(ctx context.Context, args []string) error {
	b := &bench{log: os.Stderr}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("run", "", "take only the measurements that match this regular expression: start, segment, http, live, mediamtx, listeners, lowlatency")
	out := flags.String("o", "", "file to write the table to as well")
	markdown := flags.String("md", "", "file to write the table to as Markdown, with date, machine and commands")
	flags.StringVar(&b.binary, "binary", "", "headwater to measure; default: it is built")
	flags.IntVar(&b.streams, "streams", 100, "number of live video streams; stored there are a fifth of it, and of radio 2.5 times as many")
	flags.DurationVar(&b.live, "live", 30*time.Second, "how long to watch the live streams")
	flags.IntVar(&b.crowd, "listeners", 8000, "number of listeners; those of low latency are a quarter of it")
	flags.IntVar(&b.repeats, "repeats", 5, "runs of each side of a comparison")
	if err := flags.Parse(args); err != nil {
		return err
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	var failed []error // the table has what could be measured
	for _, m := range measurements() {
		if !match.MatchString(m.name) {
			continue
		}
		if err := m.do(b, ctx); err != nil {
			failed = append(failed, fmt.Errorf("measure %s: %w", m.name, err))
			b.table.add(row{what: m.name, measured: "could not be measured to its end"})
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errors.Join(failed...), b.write(*out), b.writeMarkdown(*markdown, time.Now()))
}

// prepare makes what all measurements need.
func (b *bench) prepare(ctx context.Context) (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "headwater-bench-"); err != nil {
		return err
	}
	if err = os.Chmod(b.dir, 0o755); err != nil { // nginx may run as another user
		return err
	}
	if b.binary == "" {
		b.say("building headwater")
		b.binary = filepath.Join(b.dir, "headwater")
		build := command(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "headwater/cmd/headwater")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := finish(build); err != nil {
			return err
		}
	}
	b.media, err = b.makeMedia(ctx)
	return err
}

// say tells a person who waits what is being done.
func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.log, "bench: "+format+"\n", args...) }

// write writes the table to standard output and to the file called name, if it has one.
func (b *bench) write(name string) error {
	text := fmt.Sprintf("headwater bench, %s/%s, %d CPUs, %s\n\n%s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), &b.table)
	if name != "" {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	_, err := io.WriteString(os.Stdout, text)
	return err
}
