package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// writeMarkdown writes the table as a document, unless it has no name.
func (b *bench) writeMarkdown(name string, now time.Time) error {
	if name == "" {
		return nil
	}
	return os.WriteFile(name, b.markdown(now, thisMachine()), 0o644)
}

// markdown returns the document.
func (b *bench) markdown(now time.Time, m machine) []byte {
	var d bytes.Buffer
	fmt.Fprintf(&d, `# Benchmarks

Measured %s by %smake bench%[2]s: %s, %d cores, %s, %s.
Server and load have a core each where they are compared. Figures depend on the machine and on
what else it does; only ratios, which were taken in the same run, may be carried elsewhere.
`, now.UTC().Format(time.DateOnly), "`", m.cpu, runtime.NumCPU(), m.kernel, runtime.Version())
	if len(m.peers) > 0 {
		fmt.Fprintf(&d, "Beside it: %s.\n", strings.Join(m.peers, ", "))
	}
	d.WriteString("\n| what | wanted | measured | ratio | |\n|---|---|---|---|---|\n")
	for _, r := range b.table.rows {
		what := strings.TrimLeft(r.what, " ")
		if what != r.what {
			what = "… " + what
		}
		fmt.Fprintf(&d, "| %s | %s | %s | %s | %s |\n", cell(what), cell(r.limit), cell(r.measured), cell(r.ratio), r.verdict)
	}
	if len(b.ran) > 0 {
		d.WriteString("\nThe load, which anyone can put on any server (the port of the server is chosen in each run):\n\n")
		for _, c := range b.ran {
			fmt.Fprintf(&d, "    %s\n", c)
		}
	}
	return d.Bytes()
}

// cell keeps text from ending its cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// machine is what figures depend on.
type machine struct {
	cpu, kernel string
	peers       []string // with their versions
}

func thisMachine() machine {
	m := machine{cpu: runtime.GOARCH, kernel: runtime.GOOS}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, rest, ok := strings.Cut(string(text), "model name"); ok {
			line, _, _ := strings.Cut(rest, "\n")
			m.cpu = strings.TrimLeft(line, " \t:")
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.kernel = "Linux " + strings.TrimSpace(string(text))
	}
	for _, peer := range [][2]string{{"icecast2", "-v"}, {"nginx", "-v"}, {"ffmpeg", "-version"}, {os.Getenv("MEDIAMTX"), "--version"}} {
		if v := version(peer[0], peer[1]); v != "" {
			m.peers = append(m.peers, v)
		}
	}
	return m
}

// version returns the first line of what a program says of itself, "" if it is not there.
func version(name, arg string) string {
	if name == "" || find(name) == "" {
		return ""
	}
	said, _ := exec.Command(find(name), arg).CombinedOutput() // some fail, and say it
	line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	line, _, _ = strings.Cut(line, " Copyright")
	line = strings.TrimPrefix(line, "nginx version: ")
	if strings.HasPrefix(line, "v") { // MediaMTX says nothing else
		return filepath.Base(name) + " " + line
	}
	return line
}
