// Package programme holds the built-in test programme (colour bars, a running
// clock, a chord and a beep each second; H.264 with B-frames and AAC in an
// MPEG transport stream) and makes an endless stream of it, or of any other
// transport stream: see [Loop].
package programme

import (
	_ "embed"
	"time"
)

// Facts about the programme, made true by make.sh and held by a test.
const (
	// Length of one lap: 400 pictures and 750 AAC frames, so nothing is left over.
	Length = 16 * time.Second
	// GOP is the distance of its IDR pictures; all its GOPs are closed.
	GOP = 2 * time.Second
)

//go:embed programme.ts
var transportStream string

// TS returns one lap of the programme as an MPEG transport stream. The bytes are the caller's.
func TS() []byte { return []byte(transportStream) }
