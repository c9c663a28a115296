// Package hooks tells programs and web services of what happens to streams:
// each event is the input of a command, or is posted to a URL, as JSON.
package hooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"headwater/ingest/child"
	"headwater/origin"
)

const (
	// DefaultTimeout is how long a hook may take for one event.
	DefaultTimeout = 10 * time.Second
	// maxOutput bounds what is kept of what a hook says, for the log.
	maxOutput = 1 << 10
	// waitDelay is how long the output of a command that has ended is waited
	// for: what it has started may still hold it.
	waitDelay = time.Second
)

// Hook is who is told of events: a command or a URL.
type Hook struct {
	On      origin.EventKind // of this kind; empty: of all
	Command []string         // program and arguments; no shell sees them
	URL     string           // gets a POST; http or https
}

// Parse reads a hook of the configuration: a URL, or else a command with its
// arguments, which blanks part. The error says what would be right.
func Parse(on origin.EventKind, text string) (Hook, error) {
	if strings.HasPrefix(text, "http://") || strings.HasPrefix(text, "https://") {
		if u, err := url.Parse(text); err != nil || u.Host == "" {
			return Hook{}, errors.New("must be a URL such as https://example.org/hook, or a command")
		}
		return Hook{On: on, URL: text}, nil
	}
	words := strings.Fields(text)
	if len(words) == 0 || strings.Contains(words[0], "://") {
		return Hook{}, errors.New("must be a command such as /usr/local/bin/notify, or a URL that begins with http:// or https://")
	}
	return Hook{On: on, Command: words}, nil
}

// String returns the hook as it is configured, but for what a URL has behind
// its path, and for a password in it.
func (h Hook) String() string {
	if h.URL == "" {
		return strings.Join(h.Command, " ")
	}
	u, err := url.Parse(h.URL)
	if err != nil {
		return "a URL"
	}
	u.RawQuery, u.User, u.Fragment = "", nil, ""
	return u.String()
}

// Config says what a [Runner] does.
type Config struct {
	Server  *origin.Server
	Hooks   []Hook
	Timeout time.Duration // for one event; 0: DefaultTimeout
	Log     *slog.Logger  // of failures
}

// Runner tells hooks of the events of a server. Each hook is told one event
// after the other; while it takes its time 256 wait, and the oldest of more are lost.
type Runner struct {
	cfg    Config
	events []*origin.Events // of each hook
}

// New returns a runner that will tell the hooks of what happens from now on. It
// starts nothing.
func New(cfg Config) *Runner {
	r := &Runner{cfg: cfg}
	if r.cfg.Timeout == 0 {
		r.cfg.Timeout = DefaultTimeout
	}
	for range cfg.Hooks {
		r.events = append(r.events, cfg.Server.Events())
	}
	return r
}

// Run tells the hooks until ctx ends, or the server has stopped. It returns nil.
func (r *Runner) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for i, h := range r.cfg.Hooks {
		running.Go(func() { r.follow(ctx, h, r.events[i]) })
	}
	running.Wait()
	return nil
}

// follow tells one hook.
func (r *Runner) follow(ctx context.Context, h Hook, events *origin.Events) {
	defer events.Close()
	lost := uint64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events.C:
			if !ok {
				return
			}
			if h.On != "" && h.On != e.Kind {
				continue
			}
			if err := r.tell(ctx, h, e); err != nil && ctx.Err() == nil {
				r.cfg.Log.Warn("hook failed", "hook", h.String(), "event", string(e.Kind), "stream", e.Stream, "error", err)
			}
			if n := events.Lost(); n > lost {
				r.cfg.Log.Warn("hook is too slow: events were lost", "hook", h.String(), "count", n-lost)
				lost = n
			}
		}
	}
}

// tell tells a hook of one event.
func (r *Runner) tell(ctx context.Context, h Hook, e origin.Event) error {
	ctx, cancel := context.WithTimeoutCause(ctx, r.cfg.Timeout, fmt.Errorf("took longer than %v", r.cfg.Timeout))
	defer cancel()
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if h.URL != "" {
		err = post(ctx, h.URL, body)
	} else {
		err = run(ctx, h.Command, body, environment(e))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// post sends an event to a URL. A status that is not 2xx is an error.
func post(ctx context.Context, to string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) { // which tells the whole URL
			return inner.Err
		}
		return err
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, maxOutput))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("it answered %s: %s", res.Status, bytes.TrimSpace(said))
	}
	return nil
}

// run runs a command with an event as its input.
func run(ctx context.Context, command []string, input []byte, environment []string) error {
	said := &head{}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), said, said
	cmd.Env = append(os.Environ(), environment...)
	cmd.WaitDelay = waitDelay
	child.Separate(cmd)
	cmd.Cancel = func() error { // what takes too long is often something that a script has started
		child.Kill(cmd)
		return nil
	}
	err := cmd.Run()
	if err != nil && len(said.text) > 0 {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(said.text))
	}
	return err
}

// environment returns an event for programs that read no JSON.
func environment(e origin.Event) []string {
	env := []string{"HEADWATER_EVENT=" + string(e.Kind), "HEADWATER_STREAM=" + e.Stream}
	if e.Title != nil {
		env = append(env, "HEADWATER_ARTIST="+e.Title.Artist, "HEADWATER_TITLE="+e.Title.Title)
	}
	if e.Source != nil {
		env = append(env, "HEADWATER_SOURCE="+e.Source.Remote, "HEADWATER_SIDE="+e.Source.Side)
	}
	if e.Listeners != nil {
		env = append(env, fmt.Sprint("HEADWATER_LISTENERS=", *e.Listeners))
	}
	return env
}

// head keeps the beginning of what is written to it.
type head struct{ text []byte }

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), maxOutput-len(h.text))]...)
	return len(p), nil
}
