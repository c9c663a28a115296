package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	bench "headwater/cmd/headwater/load"
)

func benchCommand() command {
	return command{
		name:    "bench",
		args:    "listeners URL | viewers URL | publishers HOST:PORT... [flags]",
		summary: "put a server under load, anybody's, and tell how it bears it",
		text: `Puts a server of live media under load, this one or any other, and prints what
was measured. Ctrl-C ends it early, and it still reports.

listeners  hold a continuous stream over HTTP/1: a radio, an endless transport
           stream. How soon they were connected and heard something, how long
           the gaps between reads are, who was refused or lost.
viewers    play HTTP Live Streaming as players do: playlists at their pace, each
           segment once. How fast they are answered, and whose picture stops.
publishers send media in real time, a stream to each address: whether the server
           takes it at its pace. 127.0.0.1:9001-9250 is 250 addresses.

With --source the listeners' stream is sent by the load itself, and it measures
how old each frame is on arrival, and finds what is missing or torn.

One process holds 10,000 listeners if it may open so many files (ulimit -n).
Put server and load on different cores to compare servers: taskset -c 1.

Exit status: 0 measured, 1 nothing could be measured, 2 usage.

Examples:

  headwater bench listeners http://localhost:8000/radio.mp3 -n 8000 --pid $(pgrep icecast2)
  headwater bench listeners http://localhost:8080/live.mp3 -n 100 --source tcp://localhost:9999
  headwater bench viewers http://localhost:8080/live.m3u8 -n 500 --svg viewers.svg
  headwater bench publishers 127.0.0.1:9001-9100 --kind video`,
		bind: func(fs *flag.FlagSet, c *console) func(context.Context, []string) error {
			b := &benchFlags{console: c, given: fs}
			b.bind(fs)
			return b.run
		},
	}
}

// benchFlags is one call of "headwater bench".
type benchFlags struct {
	console *console
	given   *flag.FlagSet

	n, pid, atOnce, slow, throttled int
	rate, throttle                  float64
	length, throttleFor             time.Duration
	source, kind, file, svg, asJSON string
	http10, titles, quiet           bool
}

// bind declares the flags of all three loads; [benchFlags.check] knows whose each is.
func (b *benchFlags) bind(fs *flag.FlagSet) {
	fs.IntVar(&b.n, "n", 0, "how `many` clients (default 100; publishers: one for each address)")
	fs.DurationVar(&b.length, "for", bench.DefaultFor, "how `long` to measure, once all are connected")
	fs.Float64Var(&b.rate, "rate", 0, "start at most so many `a second`; 0 means as fast as it goes (viewers: default 100)")
	fs.IntVar(&b.pid, "pid", 0, "`process` of the server on this machine: its CPU time and memory (Linux)")
	fs.StringVar(&b.svg, "svg", "", "write a chart to this `file`")
	fs.StringVar(&b.asJSON, "json", "", "write the report as JSON to this `file`; - is standard output, in place of the table")
	fs.BoolVar(&b.quiet, "quiet", false, "show no progress")

	fs.IntVar(&b.atOnce, "at-once", bench.DefaultAtOnce, "listeners: so `many` connect at a time")
	fs.IntVar(&b.slow, "slow", 0, "listeners: so `many` of them never read")
	fs.IntVar(&b.throttled, "throttled", 0, "listeners: so `many` of them read slowly for a while")
	fs.Float64Var(&b.throttle, "throttle", 76.8, "listeners: `kbit/s` that these read then; the default is 60 % of what --source sends")
	fs.DurationVar(&b.throttleFor, "throttle-for", 10*time.Second, "listeners: how `long` these read slowly")
	fs.StringVar(&b.source, "source", "", "listeners: send a stream to this `tcp://HOST:PORT`, which comes out at URL, and measure its frames")
	fs.BoolVar(&b.http10, "http10", false, "listeners: ask by HTTP/1.0")
	fs.BoolVar(&b.titles, "titles", false, "listeners: ask for titles in the stream (Icy-MetaData)")
	fs.StringVar(&b.kind, "kind", "video", "publishers: `video` (H.264 and AAC, 2.75 Mbit/s) or radio (MP3, 128 kbit/s)")
	fs.StringVar(&b.file, "file", "", "publishers: send this transport stream, MP3 or ADTS `file` again and again")
	for _, zero := range []string{"n", "rate", "pid", "slow", "throttled"} {
		fs.Lookup(zero).DefValue = "" // says nothing that the text does not
	}
}

// benchOwner returns the load that a flag is for, "" if it is for all.
func benchOwner(name string) string {
	switch name {
	case "at-once", "slow", "throttled", "throttle", "throttle-for", "source", "http10", "titles":
		return "listeners"
	case "kind", "file":
		return "publishers"
	}
	return ""
}

func (b *benchFlags) run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return usageErrorf("say what: listeners, viewers or publishers")
	}
	what, args := args[0], args[1:]
	loads := map[string]func([]string) (func(context.Context) (bench.Report, error), error){
		"listeners": b.listeners, "viewers": b.viewers, "publishers": b.publishers,
	}
	prepare, ok := loads[what]
	if !ok {
		return usageErrorf("there is no load %q: it is listeners, viewers or publishers", what)
	}
	if err := b.check(what); err != nil {
		return err
	}
	do, err := prepare(args)
	if err != nil {
		return err
	}
	report, err := do(ctx)
	b.clear()
	if errors.Is(err, bench.ErrOptions) {
		return &usageError{err}
	}
	if err != nil {
		return err
	}
	return b.write(report)
}

// check refuses flags of another load, and values that no load takes.
func (b *benchFlags) check(what string) (err error) {
	b.given.Visit(func(f *flag.Flag) {
		if owner := benchOwner(f.Name); owner != "" && owner != what && err == nil {
			err = usageErrorf("--%s is for %s, not for %s", f.Name, owner, what)
		}
	})
	switch {
	case err != nil:
	case b.length <= 0:
		err = usageErrorf("--for %v: must be longer than nothing", b.length)
	case b.n < 0 || b.pid < 0 || b.rate < 0 || b.atOnce < 1:
		err = usageErrorf("a number is negative")
	}
	return err
}

// oneURL returns the only argument.
func oneURL(args []string) (string, error) {
	if len(args) != 1 {
		return "", usageErrorf("one URL is needed, such as http://localhost:8080/live.mp3")
	}
	return args[0], nil
}

// count returns the number of clients.
func (b *benchFlags) count() int {
	if b.n == 0 {
		return 100
	}
	return b.n
}

func (b *benchFlags) listeners(args []string) (func(context.Context) (bench.Report, error), error) {
	address, err := oneURL(args)
	if err != nil {
		return nil, err
	}
	if b.source != "" {
		u, err := url.Parse(b.source)
		if err != nil || u.Scheme != "tcp" || u.Port() == "" || u.Hostname() == "" || u.Path != "" {
			return nil, usageErrorf("--source %q is not tcp://HOST:PORT", b.source)
		}
		b.source = u.Host
	}
	o := bench.Listeners{
		URL: address, N: b.count(), For: b.length, AtOnce: b.atOnce, Rate: b.rate, Server: bench.Process(b.pid),
		Slow: b.slow, Throttled: b.throttled, Throttle: int64(b.throttle * 1000), ThrottleFor: b.throttleFor,
		Source: b.source, HTTP10: b.http10, Titles: b.titles, Progress: b.progress(),
	}
	return func(ctx context.Context) (bench.Report, error) { return o.Run(ctx) }, nil
}

func (b *benchFlags) viewers(args []string) (func(context.Context) (bench.Report, error), error) {
	address, err := oneURL(args)
	if err != nil {
		return nil, err
	}
	o := bench.Viewers{URL: address, N: b.count(), For: b.length, Rate: b.rate, Server: bench.Process(b.pid), Progress: b.progress()}
	return func(ctx context.Context) (bench.Report, error) { return o.Run(ctx) }, nil
}

func (b *benchFlags) publishers(args []string) (func(context.Context) (bench.Report, error), error) {
	o := bench.Publishers{Addrs: args, N: b.n, For: b.length, Rate: b.rate, Kind: b.kind, Server: bench.Process(b.pid), Progress: b.progress()}
	if b.file != "" {
		media, err := os.ReadFile(b.file)
		if err != nil {
			return nil, err
		}
		o.Media = media
	}
	return func(ctx context.Context) (bench.Report, error) { return o.Run(ctx) }, nil
}

// progress returns what shows a line of progress, nil if nobody reads it.
func (b *benchFlags) progress() func(string) {
	if b.quiet || !isTerminal(b.console.stderr) {
		return nil
	}
	return func(line string) { fmt.Fprintf(b.console.stderr, "\r\x1b[K%s", line) }
}

// clear takes the line of progress away.
func (b *benchFlags) clear() {
	if b.progress() != nil {
		fmt.Fprint(b.console.stderr, "\r\x1b[K")
	}
}

// write gives out the report in all forms that were asked for.
func (b *benchFlags) write(r bench.Report) error {
	if b.asJSON == "-" {
		if err := bench.WriteJSON(b.console.stdout, r); err != nil {
			return err
		}
	} else {
		if err := bench.WriteTable(b.console.stdout, r); err != nil {
			return err
		}
		if err := writeText(b.asJSON, func(w io.Writer) error { return bench.WriteJSON(w, r) }); err != nil {
			return err
		}
	}
	return writeText(b.svg, r.Chart().WriteSVG)
}

// writeText writes a file, unless it has no name.
func writeText(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	var text strings.Builder
	if err := write(&text); err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text.String()), 0o644)
}
