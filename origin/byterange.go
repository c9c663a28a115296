package origin

import (
	"strings"
)

// byteRange is a piece of a representation.
type byteRange struct{ start, length int64 }

// rangeResult says what to answer to a Range header.
type rangeResult uint8

const (
	rangeNone          rangeResult = iota // answer 200 with all
	rangePartial                          // answer 206
	rangeUnsatisfiable                    // answer 416
)

// parseRange reads a Range header for a representation of size bytes. What is
// malformed, not in bytes, or more than one range is answered with all of it,
// as RFC 9110 §14.2 allows (hls-rules D14).
func parseRange(header string, size int64) (byteRange, rangeResult) {
	const unit = "bytes="
	if len(header) < len(unit) || !strings.EqualFold(header[:len(unit)], unit) {
		return byteRange{}, rangeNone
	}
	spec := strings.TrimSpace(header[len(unit):])
	from, to, ok := strings.Cut(spec, "-")
	if !ok || strings.ContainsRune(spec, ',') {
		return byteRange{}, rangeNone
	}
	if from == "" {
		return parseSuffixRange(to, size)
	}
	start, ok := parsePosition(from)
	if !ok {
		return byteRange{}, rangeNone
	}
	end := size - 1
	if to != "" {
		last, ok := parsePosition(to)
		if !ok || last < start {
			return byteRange{}, rangeNone
		}
		end = min(end, last)
	}
	if start >= size {
		return byteRange{}, rangeUnsatisfiable
	}
	return byteRange{start, end - start + 1}, rangePartial
}

// parseSuffixRange reads the number in "bytes=-number": so many at the end.
func parseSuffixRange(number string, size int64) (byteRange, rangeResult) {
	n, ok := parsePosition(number)
	switch {
	case !ok:
		return byteRange{}, rangeNone
	case n == 0 || size == 0:
		return byteRange{}, rangeUnsatisfiable
	}
	n = min(n, size)
	return byteRange{size - n, n}, rangePartial
}

// parsePosition reads digits; a number too large for an int64 is the largest.
func parsePosition(s string) (n int64, ok bool) {
	const most = 1<<63 - 1
	if s == "" {
		return 0, false
	}
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 {
			return 0, false
		}
		if n > (most-d)/10 {
			n = most
			continue
		}
		n = n*10 + d
	}
	return n, true
}
