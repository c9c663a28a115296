// Package silence is a source that brings frames without sound, in the format
// of another source: what listeners get while that one is away, so that their
// players go on.
package silence

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"headwater/ingest"
	"headwater/mux"
	"headwater/mux/audio"
)

// Kind names the source in [headwater/mux.SourceInfo].
const Kind = "silence"

const (
	// step is the least time from one delivery to the next.
	step = 50 * time.Millisecond
	// look is how often the format is asked for as long as there is none.
	look = 250 * time.Millisecond
	// heldUp is how late the player may be before it goes on from now.
	heldUp = 5 * time.Second
)

// Options says what is brought where. Like, Stream and Sink are needed.
type Options struct {
	// Like returns a frame of the format that is wanted, [audio.SilenceHead]
	// bytes of it at least, or nothing if that is not known yet. It is asked
	// again and again; another format makes another source.
	Like   func() []byte
	Stream string // name of the stream, for the log
	Sink   ingest.Sink
	Log    *slog.Logger // nil: no log
}

// Player brings silence. Make it with [New].
type Player struct {
	opts Options
	log  *slog.Logger
}

// New returns a player; it starts nothing.
func New(opts Options) *Player {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Player{opts: opts, log: log.With("stream", opts.Stream)}
}

// Run brings silence until ctx ends; it returns nil then, or why the sink does
// not take the source. As long as the format is not known, or none that can be
// silent, the sink has no source.
func (p *Player) Run(ctx context.Context) error {
	var refused []byte
	for ctx.Err() == nil {
		head := p.opts.Like()
		frame, err := audio.Silence(head)
		if err == nil {
			if err := p.play(ctx, frame); err != nil {
				return err
			}
			continue
		}
		if len(head) > 0 && !bytes.Equal(head, refused) {
			p.log.Warn("listeners get no silence while the source is away", "error", err)
			refused = head
		}
		wait(ctx, time.Now().Add(look))
	}
	return nil
}

// play brings frame again and again, each time when as many samples are over as
// were before it, until ctx ends or another format is wanted.
func (p *Player) play(ctx context.Context, frame []byte) error {
	info := ingest.NewSourceInfo(Kind, "")
	feed, err := p.opts.Sink.Attach(info, info.Since)
	if err != nil {
		return fmt.Errorf("bring silence: %w", err)
	}
	r := repeater{frame: frame, demux: audio.NewDemuxer(mux.CodecUnknown), zero: info.Since}
	for ctx.Err() == nil && audio.SameFormat(p.opts.Like(), frame) {
		if units := r.due(time.Now()); len(units) > 0 {
			feed.Write(units, time.Now())
		}
		wait(ctx, time.Now().Add(max(step, feed.Patience())))
	}
	feed.Report("silence", r.demux.Stats())
	feed.Close(context.Cause(ctx), time.Now())
	return nil
}

// repeater makes units of one frame.
type repeater struct {
	frame []byte
	demux *audio.Demuxer
	zero  time.Time   // when time 0 of the demuxer's clock is due
	next  []*mux.Unit // not due yet when they were made
}

// due returns the units that have become due. They are in the caller's hands
// until the next call.
func (r *repeater) due(now time.Time) (units []*mux.Unit) {
	for {
		for len(r.next) == 0 { // a unit comes once the frame behind it is there
			r.next = r.demux.Write(r.frame)
		}
		at := r.zero.Add(r.next[0].PTS.Duration())
		if late := now.Sub(at); late > heldUp { // the machine has slept
			r.zero, at = r.zero.Add(late), now
		}
		if at.After(now) {
			return units
		}
		units, r.next = append(units, r.next[0]), r.next[1:]
	}
}

// wait waits until t, or for ctx.
func wait(ctx context.Context, t time.Time) {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
