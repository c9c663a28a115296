package check

// Problems returns the rules that a segment breaks by itself, with the texts.
func Problems(segment []byte) []string {
	var all []string
	for _, p := range examine(segment, newEdge()).problems {
		all = append(all, p.rule+": "+p.text)
	}
	return all
}
