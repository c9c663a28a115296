package main

import (
	"fmt"

	"headwater/ingest"
	"headwater/ingest/folder"
	"headwater/ingest/process"
	"headwater/ingest/pull"
)

// newOwnSource returns the source that headwater starts itself for a stream,
// and where it takes the media from, in words; nil if the stream has none.
func newOwnSource(cfg *StreamConfig, o ingest.Options) (source runner, from string, err error) {
	if cfg.Folder != "" {
		player, err := folder.New(folder.Options{Path: cfg.Folder, Shuffle: cfg.Shuffle, Stream: o.Stream, Sink: o.Sink, Log: o.Log})
		if err != nil {
			return nil, "", fmt.Errorf("open the folder of stream %s: %w: make it, or give another one with streams.%s.folder", cfg.Name, err, cfg.Name)
		}
		return own(cfg, o, player), "the folder " + cfg.Folder, nil
	}
	if len(cfg.Exec) > 0 {
		program := process.New(cfg.Exec, cfg.ExecFraming == "eradio", o)
		return own(cfg, o, program), "the program " + cfg.Exec[0], nil
	}
	if len(cfg.Pull) > 0 {
		puller, err := pull.New(cfg.Pull, o)
		if err != nil {
			return nil, "", fmt.Errorf("pull stream %s: %w", cfg.Name, err)
		}
		return own(cfg, o, puller), puller.String(), nil
	}
	return nil, "", nil
}

// own returns what runs a source of a stream: again when it fails, and only
// while somebody wants it where that was asked for.
func own(cfg *StreamConfig, o ingest.Options, source ingest.Source) runner {
	log := o.Log.With("stream", cfg.Name)
	if cfg.OnDemand {
		source = ingest.NewOnDemand(source, demand{o.Sink.(*laterSink)}, log)
	}
	return supervised{log, source}
}

// demand is that of a stream which is there when it is asked.
type demand struct{ sink *laterSink }

func (d demand) Demand() (requests uint64, listeners int64) {
	return d.sink.Sink.(ingest.Demander).Demand()
}
