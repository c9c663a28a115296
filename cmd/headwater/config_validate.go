package main

import (
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"

	"headwater/segmenter"
)

// fault is one thing that is wrong with the configuration.
type fault struct {
	where   string // "--window", "HEADWATER_WINDOW", "headwater.yaml:12:5"; "" if no one place is to blame
	key     string // in the file, e.g. "streams.live.window"; "" if where says it
	value   string // as given; "" if the fault is not about a value
	text    string // what would be right
	excerpt string // of the file, with a caret below the place, or ""
}

func (f *fault) Error() string {
	var b strings.Builder
	for _, s := range []string{f.where, f.key} {
		if s != "" {
			b.WriteString(s + ": ")
		}
	}
	if f.value != "" {
		fmt.Fprintf(&b, "%q ", f.value)
	}
	b.WriteString(f.text)
	if f.excerpt != "" {
		b.WriteString("\n" + f.excerpt)
	}
	return b.String()
}

// streamNamePart is one path segment of a stream's name.
var streamNamePart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

const maxStreamNameParts = 4

// checkStreamName returns what is wrong with name, which becomes part of URLs.
func checkStreamName(name string) error {
	parts := strings.Split(name, "/")
	if len(parts) > maxStreamNameParts {
		return fmt.Errorf("is no stream name: it has more than %d parts", maxStreamNameParts)
	}
	for _, p := range parts {
		if !streamNamePart.MatchString(p) {
			return errors.New("is no stream name: use letters, digits, '.', '_' and '-', parted by '/', each part starting with a letter or digit")
		}
	}
	switch parts[0] {
	case "api", "admin", "admin.cgi", "t", "metrics", "healthz", "web", "status-json.xsl":
		return fmt.Errorf("is no stream name: /%s is a page of headwater", parts[0])
	}
	switch ext := path.Ext(name); ext {
	case ".ts", ".mp3", ".aac", ".ogg", ".m3u8", ".m3u", ".pls", ".xspf":
		return fmt.Errorf("is no stream name: leave %s out, it is added in URLs", ext)
	}
	return nil
}

// validate returns what is wrong with c as a whole; each value was checked
// when it was set. where tells the place of a key.
func (c *Config) validate(where func(key string) string) []*fault {
	var faults []*fault
	add := func(key, format string, args ...any) {
		faults = append(faults, &fault{where: where(key), key: key, text: fmt.Sprintf(format, args...)})
	}
	names := make([]string, 0, len(c.Streams))
	for i := range c.Streams {
		names = append(names, c.Streams[i].Name)
	}
	listeners := []listener{{"http", c.HTTP}}
	if c.Pprof != "" {
		listeners = append(listeners, listener{"pprof", c.Pprof})
	}
	for i := range c.Streams {
		s := &c.Streams[i]
		key := "streams." + s.Name
		s.validateSource(key, add)
		if s.TCP != "" {
			listeners = append(listeners, listener{key + ".tcp", s.TCP})
		}
		if s.SHOUTcast != "" {
			listeners = append(listeners, listener{key + ".shoutcast", s.SHOUTcast})
		}
		parent, last := path.Split(s.Name)
		parent = strings.TrimSuffix(parent, "/")
		if taken := []string{segmenter.RenditionMain, segmenter.RenditionAudio, "ready"}; slices.Contains(taken, last) && slices.Contains(names, parent) {
			add(key, "cannot be told from a URL of stream %s: call it something else", parent)
		}
	}
	c.validateFallbacks(add)
	c.validateGroups(add)
	c.validatePublish(add)
	for i, a := range listeners {
		for _, b := range listeners[:i] {
			if a.clashes(b) {
				add(a.key, "%s is taken by %s: %s", a.addr, b.key, b.addr)
			}
		}
	}
	return faults
}

// listener is an address that some part of the configuration listens on.
type listener struct{ key, addr string }

// clashes reports whether a and b cannot both be bound.
func (a listener) clashes(b listener) bool {
	hostA, portA, _ := net.SplitHostPort(a.addr)
	hostB, portB, _ := net.SplitHostPort(b.addr)
	if portA != portB || portA == "0" {
		return false
	}
	return hostA == hostB || isAny(hostA) || isAny(hostB) || isLoopback(hostA) && isLoopback(hostB)
}

func isAny(host string) bool { return host == "" || host == "0.0.0.0" || host == "::" }

// isLoopback reports whether host is one of the two usual names of this machine.
func isLoopback(host string) bool { return host == "localhost" || host == "127.0.0.1" }
