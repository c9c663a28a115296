// Package folder plays a folder of audio files, or an .m3u of them, as a live
// source: in real time, one after the other, for ever. It watches the folder,
// so that a file that is dropped in is played and one that is removed is not.
//
// Frames go out as they are: nothing is decoded. Files of one format follow
// each other without a seam; where the next has another rate or other
// channels, its units belong to another program, as with any source.
package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"headwater/ingest"
)

// Kind names a folder in [headwater/mux.SourceInfo].
const Kind = "folder"

// Options says what is played. Path, Stream and Sink are needed.
type Options struct {
	Path    string // of a folder, whose folders are looked into too, or of an .m3u or .m3u8 of files
	Shuffle bool   // in random order, no file again before all were played; else by name, or as listed
	Stream  string // name of the stream, for the log
	Sink    ingest.Sink
	Log     *slog.Logger // nil: no log
}

// Player plays a folder. Make it with [New].
type Player struct {
	opts    Options
	log     *slog.Logger
	shelf   shelf
	order   order
	unfit   map[string]stamp // files that cannot be played, as they were found
	unwatch bool             // the shelf is looked at once only; for tests
}

// New returns a player. Nothing is read before Run; the error is that of
// [fs.Stat] if there is nothing at the path.
func New(opts Options) (*Player, error) {
	log := opts.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	log = log.With("stream", opts.Stream)
	p := &Player{
		opts:  opts,
		log:   log,
		shelf: newShelf(opts.Path, log),
		order: order{shuffle: opts.Shuffle},
		unfit: map[string]stamp{},
	}
	if _, err := p.shelf.stat(); err != nil {
		return nil, err
	}
	return p, nil
}

// Run plays until ctx ends; it returns nil then, or why the sink does not take
// the source. While there is nothing to play the sink has no source.
func (p *Player) Run(ctx context.Context) error {
	watchCtx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	p.shelf.scan(time.Now())
	if !p.unwatch {
		watching.Go(func() { p.shelf.watch(watchCtx) })
	}
	for {
		err := p.play(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, errNothing):
			return err
		}
		if !p.shelf.unsettled() {
			p.log.Warn("nothing to play: put MP3 or AAC (ADTS) files into the folder", "folder", p.opts.Path)
		}
		select {
		case <-p.shelf.changed:
		case <-ctx.Done():
			return nil
		}
	}
}

// errNothing means that there is no file that can be played.
var errNothing = errors.New("nothing to play")

// next opens the next file that can be played. It logs, once, why others cannot.
func (p *Player) next() (*file, error) {
	files := p.shelf.files()
	p.forget(files)
	for {
		e, ok := p.order.next(files, func(e entry) bool { return p.unfit[e.path] != e.stamp })
		if !ok {
			return nil, errNothing
		}
		f, err := openFile(e)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrNotExist) || p.shelf.listed { // else it was removed just now
			p.log.Warn("file skipped", "file", e.path, "error", err)
		}
		p.unfit[e.path] = e.stamp
	}
}

// forget drops what is known of files that are gone.
func (p *Player) forget(files []entry) {
	if len(p.unfit) == 0 {
		return
	}
	there := make(map[string]bool, len(files))
	for _, e := range files {
		there[e.path] = true
	}
	for path := range p.unfit {
		if !there[path] {
			delete(p.unfit, path)
		}
	}
}

// play holds the sink and plays files until ctx ends, or there are none. An
// operator can end it, too.
func (p *Player) play(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var on *broadcast
	var last error = errNothing
	for ctx.Err() == nil {
		f, err := p.next()
		if err != nil {
			last = err
			break
		}
		if on == nil {
			if on, err = p.attach(func() { end(ingest.ErrEnded) }); err != nil {
				f.Close()
				return err
			}
		}
		frames, err := on.play(ctx, f)
		f.Close()
		if ctx.Err() != nil {
			break
		}
		if frames == 0 {
			p.unfit[f.path] = f.stamp
			if err == nil {
				err = errors.New("there is no sound in it")
			}
		}
		if err != nil {
			p.log.Warn("file not played to its end", "file", f.path, "error", err)
		}
	}
	if on != nil {
		on.close(context.Cause(ctx))
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return last
}

// attach takes hold of the sink. end ends what follows.
func (p *Player) attach(end func()) (*broadcast, error) {
	info := ingest.NewSourceInfo(Kind, "")
	info.End = end
	feed, err := p.opts.Sink.Attach(info, info.Since)
	if err != nil {
		return nil, fmt.Errorf("play %s: %w", p.opts.Path, err)
	}
	return newBroadcast(feed, p.log.With("source", info.ID), info.Since), nil
}
