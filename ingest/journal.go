package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"headwater/mux"
)

const (
	// reportEvery is how often a session reports, and the least time between
	// two lines about its faults.
	reportEvery = time.Second
	// faultPause is the most time between two lines about faults that go on:
	// a bad antenna must not fill the disk.
	faultPause = time.Minute
	// introduction is how long the log waits for the headers of all tracks
	// before it says what a source sends.
	introduction = 3 * time.Second
)

// journal writes what the log should know of one source.
type journal struct {
	log     *slog.Logger
	format  string
	program *mux.Program // in force
	since   time.Time    // when it came into force
	heard   *mux.Program // the newest that was introduced
	told    string       // its tracks in words
	toldAt  time.Time

	reported time.Time     // of the last report
	faulty   time.Time     // of the last line about faults
	pause    time.Duration // until the next one
	stats    mux.Stats     // as in that line
}

// begin notes that the source has sent its first unit.
func (j *journal) begin(format string, now time.Time) {
	j.format, j.reported, j.pause = format, now, reportEvery
}

// see notes the program in force, and introduces it once all that there is to
// know of it is known, or has been waited for long enough.
func (j *journal) see(p *mux.Program, now time.Time) {
	if p == j.heard {
		return
	}
	if p != j.program {
		j.program, j.since = p, now
	}
	if now.Sub(j.toldAt) >= reportEvery && (known(p) || now.Sub(j.since) >= introduction) {
		j.introduce()
		j.toldAt = now
	}
}

// introduce logs the tracks of the program in force, if they differ from what
// was logged before.
func (j *journal) introduce() {
	j.heard = j.program
	words := Describe(j.program)
	if words == j.told {
		return
	}
	message := "source started"
	if j.told != "" {
		message = "source changed what it sends"
	}
	j.told = words
	j.log.Info(message, "format", j.format, "program", j.program.Number, "tracks", words)
	for _, note := range j.program.Notes {
		j.log.Info("about the source", "note", note)
	}
}

// due reports whether it is time for a report.
func (j *journal) due(now time.Time) bool { return now.Sub(j.reported) >= reportEvery }

// tell logs the faults that were counted since the last line about them. The
// pause between lines doubles as long as faults go on.
func (j *journal) tell(stats mux.Stats, now time.Time) {
	j.reported = now
	if now.Sub(j.faulty) < j.pause {
		return
	}
	rose := faults(&j.stats, &stats)
	if len(rose) == 0 {
		j.pause = max(j.pause/2, reportEvery)
		return
	}
	if now.Sub(j.faulty) < 2*j.pause {
		j.pause = min(2*j.pause, faultPause)
	}
	j.faulty, j.stats = now, stats
	if stats.LastError != nil {
		rose = append(rose, slog.Any("error", stats.LastError))
	}
	j.log.LogAttrs(context.Background(), slog.LevelWarn, "source has faults", rose...)
}

// end logs that the source is gone, and all that was counted.
func (j *journal) end(stats mux.Stats, duration time.Duration, cause error) {
	if j.heard != j.program {
		j.introduce()
	}
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.Duration("duration", duration.Round(time.Millisecond)),
		slog.Uint64("bytes", stats.Bytes),
		slog.Uint64("units", stats.Units),
	}
	attrs = append(attrs, faults(&mux.Stats{}, &stats)...)
	if !errors.Is(cause, io.EOF) && !errors.Is(cause, context.Canceled) {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("error", cause))
	}
	j.log.LogAttrs(context.Background(), level, "source ended", attrs...)
}

// faults returns the counters of trouble that rose from before to after.
func faults(before, after *mux.Stats) []slog.Attr {
	var rose []slog.Attr
	add := func(key string, from, to uint64) {
		if to > from {
			rose = append(rose, slog.Uint64(key, to-from))
		}
	}
	add("skipped", before.Skipped, after.Skipped)
	add("sync_losses", before.SyncLosses, after.SyncLosses)
	add("continuity", before.Continuity, after.Continuity)
	add("transport_errors", before.Transport, after.Transport)
	add("scrambled", before.Scrambled, after.Scrambled)
	add("bad_psi", before.BadPSI, after.BadPSI)
	add("bad_pes", before.BadPES, after.BadPES)
	return rose
}
