package folder

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"headwater/mux"
	"headwater/mux/audio"
)

const (
	// ahead is how much earlier a frame is given away than it is due, so that
	// no delay of this process is heard.
	ahead = 500 * time.Millisecond
	// step is the least time between two looks at what is due.
	step = 20 * time.Millisecond
	// heldUp is how late a frame may come before the clock is set anew: what a
	// stopped process has missed is not sent all at once.
	heldUp = 10 * time.Second
	// reportEvery is how often the feed learns what was played.
	reportEvery = time.Second
	// blockSize is how much of a file is read at once: a second of most.
	blockSize = 16 << 10
)

// broadcast is one hold of the sink. Every frame is due at the number of
// samples before it, counted from one instant, so that the pace does not drift.
type broadcast struct {
	feed     mux.Feed
	log      *slog.Logger
	demux    *audio.Demuxer
	zero     time.Time // when time 0 of the demuxer's clock is due
	end      mux.Ticks // of the last unit
	reported time.Time
	format   string
}

func newBroadcast(feed mux.Feed, log *slog.Logger, now time.Time) *broadcast {
	return &broadcast{feed: feed, log: log, demux: audio.NewDemuxer(mux.CodecUnknown), zero: now, reported: now}
}

// play plays f and returns how many frames it had. The error is why it was not
// read to its end, nil if it was or ctx ended.
func (b *broadcast) play(ctx context.Context, f *file) (frames int, err error) {
	b.log.Info("now playing", "file", f.path, "title", f.title.String())
	title := &f.title
	for ctx.Err() == nil && err == nil {
		block := make([]byte, blockSize) // the units keep it
		var n int
		n, err = f.Read(block)
		units := b.demux.Write(block[:n:n])
		if err != nil { // the next call reuses the slice
			units = append(slices.Clone(units), b.demux.Flush()...)
		}
		if len(units) > 0 && title != nil {
			first := *units[0]
			first.Title, title = title, nil
			units[0] = &first
		}
		frames += len(units)
		b.send(ctx, units)
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return frames, err
}

// send writes each of the units when it is due.
func (b *broadcast) send(ctx context.Context, units []*mux.Unit) {
	for len(units) > 0 && ctx.Err() == nil {
		now := time.Now()
		if late := now.Sub(b.due(units[0])); late > heldUp {
			b.log.Warn("the player was held up, what it has missed is not made up for", "duration", late.Round(time.Millisecond))
			b.zero = b.zero.Add(late)
		}
		n := 0
		for n < len(units) && !b.due(units[n]).After(now) {
			n++
		}
		if n == 0 {
			wait(ctx, b.due(units[0]), b.feed.Patience())
			continue
		}
		b.feed.Write(units[:n], now)
		f := units[n-1].Frames[0]
		b.end = f.PTS + mux.FromSamples(int64(f.Samples), f.Rate)
		if b.format = "MP3"; units[0].Program.Tracks[0].Codec == mux.CodecAAC {
			b.format = "ADTS AAC"
		}
		units = units[n:]
		if now.Sub(b.reported) >= reportEvery {
			b.report(now)
		}
	}
}

// due returns when u is to be given away.
func (b *broadcast) due(u *mux.Unit) time.Time {
	return b.zero.Add(u.PTS.Duration() - ahead)
}

func (b *broadcast) report(now time.Time) {
	stats := b.demux.Stats()
	stats.Lead = b.end.Duration() - now.Sub(b.zero)
	b.feed.Report(b.format, stats)
	b.reported = now
}

// close gives the sink back.
func (b *broadcast) close(cause error) {
	now := time.Now()
	b.report(now)
	b.feed.Close(cause, now)
}

// wait waits until t, and then for the next point of a grid that all sources
// share, or for ctx.
func wait(ctx context.Context, t time.Time, grid time.Duration) {
	grid = max(grid, step)
	at := t.Truncate(grid)
	if at.Before(t) {
		at = at.Add(grid)
	}
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
