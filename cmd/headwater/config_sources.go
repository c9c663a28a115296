package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"headwater/ingest/encode"
	"headwater/ingest/pull"
	"headwater/mux"
)

// sourceSettings returns what says where the media of a stream comes from.
func sourceSettings() []setting[StreamConfig] {
	return []setting[StreamConfig]{
		{"tcp", "ADDR", "address to take raw TCP on", "",
			func(s *StreamConfig, v string) error { return setAddress(&s.TCP, v) }},
		{"connect", "ADDR", "address to fetch raw TCP from", "",
			func(s *StreamConfig, v string) error { return setRemoteAddress(&s.Connect, v) }},
		{"folder", "PATH", "folder of audio files, or .m3u, to play", "",
			func(s *StreamConfig, v string) error { return setPath(&s.Folder, v) }},
		{"shuffle", "BOOL", "play the folder in random order", "false",
			func(s *StreamConfig, v string) error { return setBool(&s.Shuffle, v) }},
		{"exec", "COMMAND", "program to run, whose output is the media", "", setExec},
		{"exec_framing", "NAME", "of the output of exec: none, or eradio, which also tells titles", "none",
			func(s *StreamConfig, v string) error { return setOneOf(&s.ExecFraming, v, "none", "eradio") }},
		{"pull", "URLS", "addresses of Icecast, SHOUTcast or HTTP to pull from, the best first", "", setPull},
		{"on_demand", "BOOL", "start connect, folder, exec or pull only while somebody listens or watches", "false",
			func(s *StreamConfig, v string) error { return setBool(&s.OnDemand, v) }},
		{"encode", "CODEC", "what becomes of PCM (WAV) that a source sends: mp3 or aac with a bit rate, such as mp3 128k, or none", "mp3", setEncode},
	}
}

// sources returns the keys of what brings the stream's media, as far as they
// are set. A stream that has none is sent over HTTP.
func (s *StreamConfig) sources() (keys []string) {
	add := func(key string, set bool) {
		if set {
			keys = append(keys, key)
		}
	}
	add("tcp", s.TCP != "")
	add("connect", s.Connect != "")
	add("folder", s.Folder != "")
	add("exec", len(s.Exec) > 0)
	add("pull", len(s.Pull) > 0)
	return keys
}

// validateSource adds what is wrong with where a stream's media comes from.
// key is that of the stream.
func (s *StreamConfig) validateSource(key string, add func(key, format string, args ...any)) {
	if keys := s.sources(); len(keys) > 1 {
		add(key, "has %s for sources: keep one", strings.Join(keys, " and "))
	}
	if s.Shuffle && s.Folder == "" {
		add(key+".shuffle", "has no meaning without folder")
	}
	if keys := s.sources(); s.OnDemand && (len(keys) == 0 || slices.Contains(keys, "tcp")) {
		add(key+".on_demand", "has no meaning without connect, folder, exec or pull: what is sent here comes when it comes")
	}
	if s.ExecFraming != "" && len(s.Exec) == 0 {
		add(key+".exec_framing", "has no meaning without exec")
	}
}

// setExec takes a command line. It is not run by a shell.
func setExec(s *StreamConfig, value string) error {
	words, err := splitWords(value)
	if err == nil && len(words) == 0 {
		err = errors.New("must be a program with its arguments")
	}
	s.Exec = words
	return err
}

// setPull adds an address to pull from.
func setPull(s *StreamConfig, value string) error {
	if _, err := pull.ParseURL(value); err != nil {
		return err
	}
	s.Pull = append(s.Pull, value)
	return nil
}

// setEncode takes "none", or a codec that may be followed by a bit rate.
func setEncode(s *StreamConfig, value string) error {
	fault := errors.New("must be none, or mp3 or aac with a bit rate from 32k to 320k, such as mp3 128k")
	if value == "none" {
		s.Encode = encode.Settings{Off: true}
		return nil
	}
	name, rate, _ := strings.Cut(value, " ")
	to := encode.Settings{Codec: mux.CodecMP3}
	switch name {
	case "mp3":
	case "aac":
		to.Codec = mux.CodecAAC
	default:
		return fault
	}
	if rate != "" {
		kilobits, ok := strings.CutSuffix(rate, "k")
		n, err := strconv.Atoi(kilobits)
		if err != nil || !ok || n < 32 || n > 320 {
			return fault
		}
		to.BitRate = n * 1000
	}
	s.Encode = to
	return nil
}

func setPath(to *string, value string) error {
	if value == "" {
		return errors.New("must be a path")
	}
	*to = value
	return nil
}

func setBool(to *bool, value string) error {
	if value != "true" && value != "false" {
		return errors.New("must be true or false")
	}
	*to = value == "true"
	return nil
}
