package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one word after "headwater" and what it does.
type command struct {
	name    string
	args    string // what follows it, for the usage line
	summary string // half a line, for the list of commands
	text    string // what "headwater help name" says above the flags

	// bind declares the flags on fs, and returns what to run with the
	// arguments that are left once they are parsed.
	bind func(fs *flag.FlagSet, c *console) func(ctx context.Context, args []string) error
}

// lookup returns the command called name.
func lookup(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

// execute parses args and runs the command. The error is [flag.ErrHelp] if
// help was asked for, and wraps errUsage if args cannot be used.
func (cmd command) execute(ctx context.Context, args []string, c *console) error {
	fs := newFlagSet(cmd.name)
	do := cmd.bind(fs, c)
	rest, err := parseFlags(fs, args)
	if err != nil {
		if err == flag.ErrHelp {
			return err
		}
		return usageErrorf("%s", dashes.Replace(err.Error()))
	}
	return do(ctx, rest)
}

// dashes makes package flag write flags as headwater does everywhere.
var dashes = strings.NewReplacer("not defined: -", "not defined: --", "argument: -", "argument: --", "for flag -", "for flag --", "for -", "for --")

// parseFlags parses the flags in args and returns the arguments, among which
// they may stand. After "--" there are only arguments.
func parseFlags(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		if args[0] == "-" || !strings.HasPrefix(args[0], "-") {
			rest, args = append(rest, args[0]), args[1:]
			continue
		}
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		last := args[len(args)-fs.NArg()-1]
		args = fs.Args()
		if last == "--" {
			return append(rest, args...), nil
		}
	}
	return rest, nil
}

// newFlagSet returns a set that leaves all talking to the caller.
func newFlagSet(name string) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return fs
}

// help carries out "headwater help [command]".
func help(args []string, c *console) int {
	if len(args) == 0 {
		writeUsage(c.stdout)
		return statusOK
	}
	cmd, ok := lookup(args[0])
	if !ok {
		fmt.Fprintf(c.stderr, "headwater help: there is no command %q; \"headwater help\" lists them\n", args[0])
		return statusUsage
	}
	cmd.writeHelp(c.stdout)
	return statusOK
}

// writeUsage writes what "headwater" alone says.
func writeUsage(w io.Writer) {
	fmt.Fprint(w, `headwater takes live video or audio from an encoder and serves it to phones,
browsers, players and radios.

Usage:

  headwater COMMAND [flags]

Commands:

`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-10s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, `
Examples:

  headwater serve
      Take a stream on TCP port 9999 of this machine and serve it on port 8080.
  ffmpeg -re -i film.mp4 -c copy -f mpegts tcp://127.0.0.1:9999
      Send one, from another terminal. Then open http://localhost:8080/.

"headwater help COMMAND" tells more. Exit status: 0 asked to stop or done,
1 failed, 2 the command line or the configuration cannot be used.
`)
}

// writeHelp writes what there is to know of the command.
func (cmd command) writeHelp(w io.Writer) {
	fmt.Fprintf(w, "Usage: headwater %s\n\n%s\n", strings.TrimSpace(cmd.name+" "+cmd.args), strings.TrimSpace(cmd.text))
	fs := newFlagSet(cmd.name)
	cmd.bind(fs, &console{lookupEnv: func(string) (string, bool) { return "", false }})
	first := true
	fs.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprint(w, "\nFlags:\n\n")
			first = false
		}
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(w, "  --%s\n", strings.TrimSpace(f.Name+" "+value))
		if d := f.DefValue; d != "" && d != "false" {
			usage += " (default " + d + ")"
		}
		usage = strings.TrimPrefix(usage, value+" ") // a name that only stood there to be found
		for line := range strings.Lines(usage) {
			fmt.Fprintf(w, "        %s\n", strings.TrimSuffix(line, "\n"))
		}
	})
}
