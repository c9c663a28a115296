package check

// finish tells what was found out about a list as a whole.
func (l *list) finish(w *watch) {
	for _, e := range l.fetched {
		if e.segment == nil || e.segment.container != containerTS {
			continue
		}
		for i := range e.segment.tracks {
			if note := e.segment.tracks[i].AppleNote(); note != "" {
				w.note("%s: %s.", l.url, note)
			}
		}
	}
	if l.latest != nil && len(l.fetched) == 0 {
		w.note("%s: no segment could be looked at.", l.url)
	}
}
