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
	begun   time.Time
	program *mux.Program // as seen last
	told    string       // tracks as logged last, empty before

	reported time.Time     // of the last report
	faulty   time.Time     // of the last line about faults
	pause    time.Duration // until the next one
	stats    mux.Stats     // as in that line
}

// begin notes that the source has sent its first unit.
func (j *journal) begin(format string, now time.Time) {
	j.format, j.begun, j.reported, j.pause = format, now, now, reportEvery
}

// see notes the program in force and logs it once it is known well enough.
func (j *journal) see(p *mux.Program, now time.Time) {
	if p == j.program && j.told != "" {
		return
	}
	j.program = p
	if known(p) || now.Sub(j.begun) >= introduction {
		j.introduce()
	}
}

// introduce logs the tracks, if they differ from what was logged before.
func (j *journal) introduce() {
	words := Describe(j.program)
	if j.program == nil || words == j.told {
		return
	}
	message := "source started"
	if j.told != "" {
		message = "source changed what it sends"
	}
	j.told = words
	j.log.Info(message, "format", j.format, "program", j.program.Number, "tracks", words)
	for _, note := range j.program.Notes {
		j.log.Info("source also says", "note", note)
	}
}

// due reports whether it is time for a report.
func (j *journal) due(now time.Time) bool { return now.Sub(j.reported) >= reportEvery }

// tell logs the faults that were counted since the last line about them. The
// pause between lines doubles as long as faults go on.
func (j *journal) tell(stats mux.Stats, now time.Time) {
	j.reported = now
	if j.told == "" && now.Sub(j.begun) >= introduction {
		j.introduce()
	}
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
	if j.told == "" {
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
