//go:build race

package origin_test

// raceEnabled reports whether the race detector slows everything down.
const raceEnabled = true
