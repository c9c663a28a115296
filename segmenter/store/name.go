package store

// isName reports whether s is a path segment of a stream's name, as design and
// HTTP allow them: a letter or digit, then letters, digits, '.', '_' and '-'.
func isName(s string) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '.' && c != '_' && c != '-') {
			return false
		}
	}
	return s != ""
}
