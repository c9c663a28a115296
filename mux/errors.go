package mux

import (
	"errors"
	"fmt"
)

// Errors that callers test for with errors.Is.
var (
	ErrSyncLost  = errors.New("sync lost")
	ErrTruncated = errors.New("input ends inside a syntax element")
	ErrInvalid   = errors.New("value not allowed by the specification")
	ErrCRC       = errors.New("CRC_32 is wrong")
	ErrTooLarge  = errors.New("larger than the limit")
	// ErrUnknownFormat means that the input is none of the formats headwater takes.
	ErrUnknownFormat = errors.New("neither MPEG-TS nor MP3 nor ADTS AAC nor Ogg")
)

// ParseError says where in the input a rule of the specification was broken.
type ParseError struct {
	Offset int64  // bytes from the start of the input, -1 if not known
	PID    PID    // NullPID if not known
	Field  string // syntax element, spelled as in the specification
	Err    error
}

func (e *ParseError) Error() string {
	switch {
	case e.Offset < 0 && e.PID == NullPID:
		return fmt.Sprintf("%s: %v", e.Field, e.Err)
	case e.PID == NullPID:
		return fmt.Sprintf("byte %d: %s: %v", e.Offset, e.Field, e.Err)
	}
	return fmt.Sprintf("packet at %d, PID 0x%04x: %s: %v", e.Offset, e.PID, e.Field, e.Err)
}

func (e *ParseError) Unwrap() error { return e.Err }
