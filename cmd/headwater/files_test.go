package main

import (
	"math"
	"runtime"
	"testing"
)

func TestShareFiles(t *testing.T) {
	usual := Limits{Connections: 20_000, Requests: 4096}
	tests := []struct {
		name        string
		limit       int
		limits      Limits
		streams     int
		stored      bool
		connections int
	}{
		{"a large limit gives all that is wanted", 1 << 20, usual, 250, true, 20_000},
		{"what is needed is enough", 64 + 24 + 1000 + 20_000 + 4096, usual, 1, true, 20_000},
		{"one less is not", 64 + 24 + 1000 + 20_000 + 4096 - 1, usual, 1, true, 19_999},
		{"in memory no segment is opened", 64 + 24 + 1000 + 20_000, usual, 1, false, 20_000},
		{"the usual limit of a shell serves a few hundred", 1024, usual, 1, true, 421},
		{"a tenth is for those who are told to come back", 1024, usual, 1, false, 843},
		{"streams come first", 1024, usual, 30, true, 108},
		{"a few connections are always taken", 100, usual, 30, true, 16},
		{"but never more than were wanted", 100, Limits{Connections: 5, Requests: 10}, 30, true, 5},
		{"few requests open few segments", 4096, Limits{Connections: 20_000, Requests: 100}, 1, true, 3508},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := shareFiles(tt.limit, tt.limits, tt.streams, tt.stored)
			if got.connections != tt.connections {
				t.Errorf("shareFiles(%d, %+v, %d, %v).connections = %d, want %d", tt.limit, tt.limits, tt.streams, tt.stored, got.connections, tt.connections)
			}
			used := filesOfProcess + tt.streams*filesOfStream + got.refused + got.connections
			if tt.stored {
				used += min(tt.limits.Requests, got.connections)
			}
			if got.connections > 16 && used > tt.limit {
				t.Errorf("%d files may be opened of %d", used, tt.limit)
			}
		})
	}
}

func TestRaiseFileLimit(t *testing.T) {
	now, err := raiseFileLimit(1)
	if err != nil || now < 1 {
		t.Fatalf("raiseFileLimit(1) = %d, %v", now, err)
	}
	if again, err := raiseFileLimit(now); err != nil || again != now {
		t.Errorf("raiseFileLimit(%d) = %d, %v, want what there is", now, again, err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	// More than the system has at all: what there is stays in force.
	if most, err := raiseFileLimit(math.MaxInt); err != nil || most != now {
		t.Errorf("raiseFileLimit(%d) = %d, %v, want %d", math.MaxInt, most, err, now)
	}
}
