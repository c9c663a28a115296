package main

import (
	"strings"

	"headwater/cmd/headwater/hooks"
	"headwater/origin"
)

// everyEvent is the key of hooks that are told of all kinds of events.
const everyEvent = "all"

// hookSettings returns who is told of which events. They stand in the file
// only; each may be a list.
func hookSettings() []setting[Config] {
	list := []setting[Config]{hookSetting(everyEvent, "")}
	for _, kind := range origin.EventKinds() {
		list = append(list, hookSetting(string(kind), kind))
	}
	return list
}

func hookSetting(key string, kind origin.EventKind) setting[Config] {
	return setting[Config]{key: "hooks." + key, set: func(c *Config, value string) error {
		h, err := hooks.Parse(kind, strings.TrimSpace(value))
		if err == nil {
			c.Hooks = append(c.Hooks, h)
		}
		return err
	}}
}
