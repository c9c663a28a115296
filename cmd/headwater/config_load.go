package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

// loader makes a [Config] of the command line, the environment and a file. A
// flag beats the environment, which beats the file, which beats the default.
type loader struct {
	lookupEnv func(string) (string, bool)
	file      string  // --config
	flags     []given // in the order of the command line
	places    map[string]place
}

// given is a value for a key, and who gave it.
type given struct{ key, value string }

// place is where a key was given last.
type place struct{ where, excerpt string }

// Keys of flags that each give a stream an address. In the file, streams have
// these keys themselves, and "connect".
const (
	sourceKey    = "tcp"
	shoutcastKey = "shoutcast"
)

func newLoader(lookupEnv func(string) (string, bool)) *loader {
	return &loader{lookupEnv: lookupEnv, places: map[string]place{}}
}

// bind declares all flags on fs. What they are given is kept for load, so that
// it can name all faults together.
func (l *loader) bind(fs *flag.FlagSet) {
	keep := func(key string) func(string) error {
		return func(value string) error {
			l.flags = append(l.flags, given{key, value})
			return nil
		}
	}
	fs.StringVar(&l.file, "config", "", "`FILE` to read the configuration from (YAML)\nVariable: HEADWATER_CONFIG")
	fs.Func(sourceKey, "`[NAME=]ADDR` address to take stream NAME on by raw TCP, or connect:HOST:PORT to fetch it from;\n"+
		"may be repeated, once for each stream (default "+defaultStream+"="+defaultTCP+")\n"+
		"Variable: HEADWATER_TCP, with commas between several", keep(sourceKey))
	fs.Func(shoutcastKey, "`[NAME=]ADDR` address to take SHOUTcast sources of stream NAME on; may be repeated\n"+
		"Variable: HEADWATER_SHOUTCAST, with commas between several", keep(shoutcastKey))
	for _, s := range globalSettings() {
		usage := fmt.Sprintf("`%s` %s (default %s)\nVariable: %s", s.arg, s.help, s.start, envName(s.key))
		fs.Func(flagName(s.key), usage, keep(s.key))
	}
}

// load returns the configuration. The error wraps errUsage and names every fault.
func (l *loader) load() (Config, error) {
	cfg := defaultConfig()
	faults := l.applyFile(&cfg)
	faults = append(faults, l.applyEnv(&cfg)...)
	faults = append(faults, l.applyFlags(&cfg)...)
	if len(faults) == 0 && len(cfg.Streams) == 0 {
		cfg.stream(defaultStream).TCP = defaultTCP
	}
	slices.SortFunc(cfg.Streams, func(a, b StreamConfig) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range cfg.validate(func(key string) string { return l.places[key].where }) {
		f.excerpt = l.places[f.key].excerpt
		faults = append(faults, f)
	}
	if len(faults) == 0 {
		return cfg, nil
	}
	return Config{}, faultsError(faults)
}

// faultsError returns one error that names all faults, at least one.
func faultsError(faults []*fault) error {
	errs := make([]error, len(faults))
	for i, f := range faults {
		errs[i] = f
	}
	err := errors.Join(errs...)
	if len(faults) > 1 {
		err = fmt.Errorf("%d things are wrong:\n%w", len(faults), err)
	}
	return &usageError{err}
}

// applyFile sets what the file says, if there is one.
func (l *loader) applyFile(cfg *Config) []*fault {
	name, where := l.file, "--config"
	if name == "" {
		name, _ = l.lookupEnv(envName("config"))
		where = envName("config")
	}
	if name == "" {
		return nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return []*fault{{where: where, text: err.Error()}}
	}
	f := configFile{name: name, text: text, places: l.places}
	return f.apply(cfg)
}

// applyEnv sets what the environment says. An empty variable is as good as
// none, but for the data folder, where it means memory.
func (l *loader) applyEnv(cfg *Config) []*fault {
	var faults []*fault
	for _, s := range globalSettings() {
		if value, ok := l.lookupEnv(envName(s.key)); ok && (value != "" || s.key == "data") {
			faults = l.apply(faults, cfg, s, value, envName(s.key))
		}
	}
	for _, s := range addressSettings() {
		if list, _ := l.lookupEnv(envName(s.key)); list != "" && !l.hasFlag(s.key) {
			for value := range strings.SplitSeq(list, ",") {
				faults = l.apply(faults, cfg, s, strings.TrimSpace(value), envName(s.key))
			}
		}
	}
	return faults
}

// applyFlags sets what the command line says.
func (l *loader) applyFlags(cfg *Config) []*fault {
	var faults []*fault
	for _, g := range l.flags {
		s, ok := find(globalSettings(), g.key)
		if !ok {
			s, _ = find(addressSettings(), g.key)
		}
		faults = l.apply(faults, cfg, s, g.value, "--"+flagName(g.key))
	}
	return faults
}

// addressSettings returns the flags that give streams addresses, as settings.
func addressSettings() []setting[Config] {
	return []setting[Config]{{key: sourceKey, set: setSource}, {key: shoutcastKey, set: setSHOUTcast}}
}

// apply sets one value and adds a fault if it cannot be used.
func (l *loader) apply(faults []*fault, cfg *Config, s setting[Config], value, where string) []*fault {
	key := s.key
	if key == sourceKey || key == shoutcastKey {
		name, _, ok := strings.Cut(value, "=")
		if !ok {
			name = defaultStream
		}
		key = "streams." + name
		if p := l.places[key+"."+s.key]; p.where == where {
			return append(faults, &fault{where: where, value: value, text: "is the second address of stream " + name + ": give each stream one"})
		}
		l.places[key+"."+s.key] = place{where: where}
	}
	l.places[key] = place{where: where}
	if err := s.set(cfg, value); err != nil {
		faults = append(faults, &fault{where: where, value: value, text: err.Error()})
	}
	return faults
}

// hasFlag reports whether key was given on the command line.
func (l *loader) hasFlag(key string) bool {
	return slices.ContainsFunc(l.flags, func(g given) bool { return g.key == key })
}

// usageErrorf returns an error about the command line.
func usageErrorf(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// noArguments returns an error if any arguments are left.
func noArguments(args []string) error {
	if len(args) > 0 {
		return usageErrorf("unexpected argument %q", args[0])
	}
	return nil
}
