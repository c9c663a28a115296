package main

import (
	"log/slog"
	"math"
)

// noFileLimit stands for a limit that cannot be reached, or is not known.
const noFileLimit = math.MaxInt

// What opens files besides the connections of players.
const (
	filesOfProcess = 64   // the log, the runtime, ports, folders
	filesOfStream  = 24   // its port and those who try it, its folder, journal and locks, the segment that is written
	mostRefused    = 1000 // connections that are being told to come back later
)

// files says what the process may open, and how it is shared out. Nothing of
// it is taken in advance.
type files struct {
	limit       int // of the process
	needed      int // for all that the configuration allows
	wanted      int // connections over HTTP, by the configuration
	connections int // those that are taken
	refused     int // connections beyond them, that are told so
}

// filesNeeded returns how many files a process opens at most, if the system
// allows it. Each request may have a stored segment open.
func filesNeeded(limits Limits, streams int, stored bool) int {
	n := filesOfProcess + streams*filesOfStream + mostRefused + limits.Connections
	if stored {
		n += min(limits.Requests, limits.Connections)
	}
	return n
}

// shareFiles shares limit files out, so that the connections above the number
// that it returns can be told so, and all else still finds a file.
func shareFiles(limit int, limits Limits, streams int, stored bool) files {
	f := files{limit: limit, needed: filesNeeded(limits, streams, stored),
		wanted: limits.Connections, connections: limits.Connections, refused: mostRefused}
	if limit >= f.needed {
		return f
	}
	const least = 16 // of connections; with fewer there is no serving at all
	room := limit - filesOfProcess - streams*filesOfStream
	f.refused = max(least, min(room/10, mostRefused))
	room -= f.refused
	if stored {
		room = max(room-limits.Requests, room/2)
	}
	f.connections = max(min(least, limits.Connections), min(room, limits.Connections))
	return f
}

// openFiles has the system allow as many files as the configuration wants, as
// far as it does, and shares them out.
func openFiles(limits Limits, streams int, stored bool) (files, error) {
	limit, err := raiseFileLimit(filesNeeded(limits, streams, stored))
	return shareFiles(limit, limits, streams, stored), err
}

// report says in the log what players get of the files.
func (f files) report(log *slog.Logger) {
	switch {
	case f.connections < f.wanted:
		log.Warn("file limit is too low for limits.connections, more get 503: raise it to what is needed, "+
			"with LimitNOFILE= in the systemd unit or ulimit -n before the start",
			"files", f.limit, "needed", f.needed, "connections", f.connections, "wanted", f.wanted)
	case f.limit < noFileLimit:
		log.Info("file limit", "files", f.limit, "needed", f.needed, "connections", f.connections)
	}
}
