package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/origin"
)

// newTestNames returns the names of a station that is not run, with a data
// folder, whose configuration has the stream live and the wildcard dj/*.
func newTestNames(t *testing.T) *names {
	t.Helper()
	data, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.Close() })
	opts := &serveOptions{Config: defaultConfig()}
	opts.Streams = []StreamConfig{{Name: "live"}, {Name: "dj/*", MaxStreams: 3, Linger: 20 * time.Second}}
	s := &station{log: slog.New(slog.DiscardHandler), data: data}
	if err := s.openAccess(opts); err != nil {
		t.Fatal(err)
	}
	s.openPublish(opts)
	s.server = origin.NewServer(origin.ServerConfig{})
	if err := s.addStream(t.Context(), opts, &opts.Streams[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.names.closeAll(); s.closeAll(s.stores) })
	return s.names
}

func TestNamesThatMayBeSentTo(t *testing.T) {
	n := newTestNames(t)
	for _, tt := range []struct{ name, err string }{
		{"live", ""},
		{"dj/anna", ""},
		{"dj/anna", ""}, // it is there
		{"dj/a/b", ""},
		{"other", "there is no stream"},
		{"dj/", "there is no stream"},
		{"dj", "there is no stream"},
		{"dj/*", "is no stream name"},
		{"dj/../live", "is no stream name"},
		{"dj/\x00", "is no stream name"},
		{"dj/a/b/c/d/e", "is no stream name"},
		{"dj/x.m3u8", "is no stream name"},
		{"dj/anna/main", "would hide"},
		{"dj/three", ""},
		{"dj/four", "there are 3 streams dj/*, and no more may be"},
		{strings.Repeat("x", 1<<20), "there is no stream"},
	} {
		st, err := n.open(tt.name)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) || len(err.Error()) > 500 {
				t.Errorf("open(%.40q) = %v, want %q", tt.name, err, tt.err)
			}
			continue
		}
		if err != nil || st.Stream != tt.name {
			t.Errorf("open(%.40q) = %+v, %v", tt.name, st, err)
		}
	}
	var there []string
	for _, st := range n.station.server.Streams() {
		there = append(there, st.Name())
	}
	if got, want := fmt.Sprint(there), "[dj/a/b dj/anna dj/three live]"; got != want {
		t.Errorf("there are streams %s, want %s", got, want)
	}
}

// A stream that was made for a source is removed when nobody has used it for as
// long as its listeners linger, and can be made again, with all its data.
func TestNamesGo(t *testing.T) {
	n := newTestNames(t)
	synctest.Test(t, func(t *testing.T) {
		for range 3 {
			st, err := n.open("dj/anna")
			if err != nil {
				t.Fatal(err)
			}
			feed, err := st.Sink.Attach(mux.SourceInfo{Kind: "test"}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				do    func()
				wait  time.Duration
				there int
			}{
				{func() {}, time.Hour, 2},
				{func() { feed.Close(nil, time.Now()) }, 19 * time.Second, 2},
				{func() {}, 2 * time.Second, 1},
			} {
				step.do()
				for range step.wait / time.Second {
					time.Sleep(time.Second)
					n.sweep(time.Now())
				}
				if got := len(n.station.server.Streams()); got != step.there {
					t.Fatalf("there are %d streams after %v, want %d", got, step.wait, step.there)
				}
			}
		}
	})
}
