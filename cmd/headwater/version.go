package main

import (
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version string

func versionCommand() command {
	return command{
		name:    "version",
		summary: "print the version",
		text:    "Prints the version of headwater, of Go, and the system it was built for.",
		bind: func(_ *flag.FlagSet, c *console) func(context.Context, []string) error {
			return func(_ context.Context, args []string) error {
				if err := noArguments(args); err != nil {
					return err
				}
				_, err := fmt.Fprintf(c.stdout, "headwater %s %s %s/%s\n",
					buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
				return err
			}
		},
	}
}

// buildVersion returns what the linker was told, else what the Go command
// knows of the checkout: a module version, or the revision with a mark if it
// was changed.
func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-modified"
		}
	}
	if revision == "" {
		return "devel"
	}
	return "devel-" + revision + dirty
}
