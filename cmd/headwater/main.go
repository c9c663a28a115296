// Command headwater takes live media from encoders and serves it as HTTP Live
// Streaming, as a continuous transport stream and as Internet radio.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills
	os.Exit(run(ctx, os.Args[1:], &console{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, lookupEnv: os.LookupEnv,
	}))
}

// Exit statuses, which are part of the interface (see "headwater help").
const (
	statusOK     = 0 // asked to stop, or done
	statusFailed = 1
	statusUsage  = 2 // the command line or the configuration cannot be used; nothing was started
)

// console is what a command has of the world besides files and sockets.
type console struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookupEnv      func(key string) (value string, ok bool)
}

// errUsage marks a command line or a configuration that cannot be used.
var errUsage = errors.New("bad usage")

// exitStatus is the error of a command that has said all there is to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// commands returns the subcommands in the order of the usage text.
func commands() []command {
	return []command{
		serveCommand(),
		demoCommand(),
		pushCommand(),
		checkCommand(),
		tokenCommand(),
		benchCommand(),
		versionCommand(),
	}
}

// run is main without globals, so that tests can call it. It returns the exit status.
func run(ctx context.Context, args []string, c *console) int {
	if len(args) == 0 {
		writeUsage(c.stdout)
		return statusUsage
	}
	name, args := args[0], args[1:]
	switch name {
	case "-h", "-help", "--help", "help":
		return help(args, c)
	case "-version", "--version":
		name = "version"
	}
	cmd, ok := lookup(name)
	if !ok {
		fmt.Fprintf(c.stderr, "headwater: there is no command %q; \"headwater help\" lists them\n", name)
		return statusUsage
	}
	return report(cmd.execute(ctx, args, c), cmd, c)
}

// report writes what err says to the user and returns the exit status for it.
func report(err error, cmd command, c *console) int {
	var status exitStatus
	switch {
	case err == nil:
		return statusOK
	case errors.Is(err, flag.ErrHelp):
		cmd.writeHelp(c.stdout)
		return statusOK
	case errors.As(err, &status):
		return int(status)
	case errors.Is(err, errUsage):
		fmt.Fprintf(c.stderr, "headwater %s: %v\n", cmd.name, err)
		fmt.Fprintf(c.stderr, "\"headwater help %s\" tells what can be given\n", cmd.name)
		return statusUsage
	}
	fmt.Fprintf(c.stderr, "headwater %s: %v\n", cmd.name, err)
	return statusFailed
}

// usageError marks err as one that the user can mend by another command line.
type usageError struct{ err error }

func (e *usageError) Error() string   { return e.err.Error() }
func (e *usageError) Unwrap() []error { return []error{errUsage, e.err} }
