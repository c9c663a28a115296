package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// room is one of the top-level folders, with what its packages may import. A
// package belongs to the room with the longest name that it starts with.
type room struct {
	name    string
	ours    []string // rooms; its own is always allowed
	modules []string // third-party modules
}

// rooms is the drawing in ARCHITECTURE.md.
var rooms = []room{
	{"mux", nil, []string{"github.com/yapingcat/gomedia"}},
	{"segmenter", []string{"mux"}, nil},
	{"segmenter/store", []string{"mux", "segmenter"}, []string{"golang.org/x/sys"}},
	{"playlist", nil, []string{"github.com/grafov/m3u8"}},
	{"ingest", []string{"mux"}, nil},
	{"ingest/icecast", []string{"ingest", "ingest/ingesttest", "mux"}, nil},
	{"ingest/folder", []string{"ingest", "mux"}, []string{"github.com/fsnotify/fsnotify"}},
	{"ingest/pull", []string{"ingest", "ingest/icecast", "mux"}, nil},
	{"origin/http1", nil, nil},
	{"origin/live", []string{"mux"}, []string{"golang.org/x/sys"}},
	{"origin", []string{"mux", "segmenter", "segmenter/store", "playlist", "origin/http1", "origin/live"}, []string{"github.com/go-chi/chi/v5", "github.com/klauspost/compress", "github.com/coder/websocket"}},
	{"web", nil, nil},
	{"cmd/headwater", []string{"mux", "segmenter", "segmenter/store", "playlist", "ingest", "ingest/folder", "ingest/icecast", "ingest/pull", "origin", "web"},
		[]string{"github.com/goccy/go-yaml", "golang.org/x/term", "golang.org/x/crypto"}},
}

// roomOf returns the room of a package, by its path below the module.
func roomOf(path string) (found room, ok bool) {
	for _, r := range rooms {
		if (path == r.name || strings.HasPrefix(path, r.name+"/")) && len(r.name) > len(found.name) {
			found, ok = r, true
		}
	}
	return found, ok
}

// TestImports holds every package to the directions of the drawing.
func TestImports(t *testing.T) {
	const module = "headwater/"
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		path := strings.TrimPrefix(fields[0], module)
		from, ok := roomOf(path)
		if !ok {
			t.Errorf("package %s is in no room of the drawing", path)
			continue
		}
		for _, imp := range fields[1:] {
			if err := from.refuses(imp, module); err != "" {
				t.Errorf("package %s must not import %s: %s", path, imp, err)
			}
		}
	}
}

// refuses returns why packages of r may not import imp, or "".
func (r room) refuses(imp, module string) string {
	if path, ours := strings.CutPrefix(imp, module); ours {
		to, ok := roomOf(path)
		if !ok || to.name != r.name && !slices.Contains(r.ours, to.name) {
			return "the arrows do not go there"
		}
		return ""
	}
	host, _, _ := strings.Cut(imp, "/")
	standard := !strings.Contains(host, ".")
	if standard || slices.ContainsFunc(r.modules, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") }) {
		return ""
	}
	return "the module has not been agreed on for this room"
}

// The test of the test: an arrow against the drawing is seen.
func TestRoomRefuses(t *testing.T) {
	tests := []struct {
		from, to string
		ok       bool
	}{
		{"mux/ts", "headwater/mux/codec", true},
		{"mux/ts", "headwater/segmenter", false},
		{"segmenter", "headwater/segmenter/store", false},
		{"segmenter/store", "headwater/segmenter", true},
		{"origin/live", "headwater/ingest", false},
		{"ingest", "headwater/origin", false},
		{"playlist", "headwater/mux", false},
		{"web", "net/http", true},
		{"web", "github.com/go-chi/chi/v5", false},
		{"origin", "github.com/go-chi/chi/v5/middleware", true},
		{"ingest", "headwater/cmd/headwater", false},
	}
	for _, tt := range tests {
		from, _ := roomOf(tt.from)
		if got := from.refuses(tt.to, "headwater/") == ""; got != tt.ok {
			t.Errorf("%s may import %s: %v, want %v", tt.from, tt.to, got, tt.ok)
		}
	}
}
