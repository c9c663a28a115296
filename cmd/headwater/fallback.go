package main

import (
	"fmt"

	"headwater/ingest/folder"
	"headwater/ingest/silence"
	"headwater/origin"
)

// addFallbacks makes what is heard of streams while their sources are away. All
// streams are there.
func (s *station) addFallbacks(streams []StreamConfig) error {
	byName := s.streams()
	for i := range streams {
		if cfg := &streams[i]; cfg.Fallback.Kind != "" {
			source, err := s.newFallback(cfg, byName)
			if err != nil {
				return err
			}
			s.sources = append(s.sources, source)
		}
	}
	return nil
}

// newFallback returns the source of one stream's standby.
func (s *station) newFallback(cfg *StreamConfig, streams map[string]*origin.Stream) (runner, error) {
	stream, log := streams[cfg.Name], s.log.With("stream", cfg.Name)
	sink := stream.Standby()
	switch cfg.Fallback.Kind {
	case fallbackStream:
		return supervised{log, origin.NewFollower(streams[cfg.Fallback.What], sink)}, nil
	case fallbackFolder:
		player, err := folder.New(folder.Options{Path: cfg.Fallback.What, Stream: cfg.Name, Sink: sink, Log: s.log})
		if err != nil {
			return nil, fmt.Errorf("open the folder that stream %s falls back on: %w: make it, or give another one with streams.%s.fallback", cfg.Name, err, cfg.Name)
		}
		return supervised{log, player}, nil
	}
	return supervised{log, silence.New(silence.Options{Like: stream.Sound, Stream: cfg.Name, Sink: sink, Log: s.log})}, nil
}
