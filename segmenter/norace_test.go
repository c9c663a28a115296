//go:build !race

package segmenter_test

// raceEnabled reports whether the race detector slows everything down.
const raceEnabled = false
