package main

import "headwater/origin"

// streams returns the streams by name.
func (s *station) streams() map[string]*origin.Stream {
	byName := map[string]*origin.Stream{}
	for _, st := range s.server.Streams() {
		byName[st.Name()] = st
	}
	return byName
}

// addGroups makes one programme of each group of streams. All streams are there.
func (s *station) addGroups(cfg *Config) error {
	byName := s.streams()
	for name, configs := range cfg.groups() {
		var members []*origin.Stream
		for _, c := range configs {
			members = append(members, byName[c.Name])
		}
		if err := s.server.AddGroup(name, members...); err != nil {
			return err
		}
	}
	return nil
}
