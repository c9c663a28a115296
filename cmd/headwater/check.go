package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"

	"headwater/cmd/headwater/check"
)

func checkCommand() command {
	return command{
		name:    "check",
		args:    "[flags] URL",
		summary: "watch an HLS stream, anybody's, and tell which rules it breaks",
		text: `Watches the HLS stream at URL (a multivariant or a media playlist) as a player
would: it follows all its playlists, downloads every segment once, and tells by
rule what is wrong with the playlists, the segments and the HTTP around them,
and what Apple devices will not play.

Exit status: 0 no MUST is broken, 1 one is, or there is nothing to watch, 2 usage.

Example:

  headwater check --for 1m http://localhost:8080/live.m3u8`,
		bind: func(fs *flag.FlagSet, c *console) func(context.Context, []string) error {
			length := fs.Duration("for", check.DefaultDuration, "how `long` to watch")
			asJSON := fs.Bool("json", false, "print the report as JSON")
			strict := fs.Bool("strict", false, "count the rules that headwater sets itself as MUST")
			verbose := fs.Bool("v", false, "tell of every segment as it arrives")
			return func(ctx context.Context, args []string) error {
				if len(args) > 1 { // flags may follow the URL
					if err := fs.Parse(args[1:]); err != nil {
						return usageErrorf("%v", err)
					}
				}
				if len(args) == 0 || len(args) > 1 && fs.NArg() > 0 {
					return usageErrorf("one URL is needed, of an .m3u8 playlist")
				}
				if u, err := url.Parse(args[0]); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
					return usageErrorf("%s is no URL: it must be like http://localhost:8080/live.m3u8", args[0])
				}
				if *length <= 0 {
					return usageErrorf("--for %v: must be longer than nothing", *length)
				}
				opts := check.Options{URL: args[0], For: *length, Strict: *strict}
				opts.Waiting = func(line string) { fmt.Fprintln(c.stderr, line) }
				if *verbose {
					opts.Progress = func(line string) { fmt.Fprintln(c.stderr, line) }
				}
				return runCheck(ctx, opts, *asJSON, c)
			}
		},
	}
}

// runCheck watches and prints. A broken MUST is the exit status 1 without a word more.
func runCheck(ctx context.Context, opts check.Options, asJSON bool, c *console) error {
	report, err := check.Watch(ctx, opts)
	if err != nil {
		return err
	}
	write := report.WriteText
	if asJSON {
		write = report.WriteJSON
	}
	if err := write(c.stdout); err != nil {
		return err
	}
	if report.Must() > 0 {
		return exitStatus(statusFailed)
	}
	return nil
}
