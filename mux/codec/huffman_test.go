package codec_test

import (
	"testing"

	"headwater/mux/codec"
)

// A code with a word too many or too few, or a symbol out of step, would not
// be noticed by most streams.
func TestBooksAreComplete(t *testing.T) {
	for i, k := range codec.Books() {
		if k[0] != 1<<20 {
			t.Errorf("book %d: words fill %d of %d", i, k[0], 1<<20)
		}
		if k[2] != 0 && k[1] != k[2] {
			t.Errorf("book %d: %d words, %d symbols", i, k[1], k[2])
		}
	}
	long, short := codec.BandSums()
	for i := range long {
		if long[i] != 1024 || short[i] != 128 {
			t.Errorf("sampling_frequency_index %d: bands of %d and %d coefficients, want 1024 and 128", i, long[i], short[i])
		}
	}
}

// The frequency tables of the high band decide how much is read: with a wrong
// one the end of the payload, which is padded to a byte, would be missed.
func TestSBRIsReadToItsEnd(t *testing.T) {
	rest := codec.SBRRest(44100, frames(t, sample(t, "he-mono-44100.aac")))
	if len(rest) != 10 {
		t.Fatalf("%d frames read, want 10", len(rest))
	}
	for i, n := range rest {
		if n < 0 || n > 7 {
			t.Errorf("frame %d: %d bits left, want 0 to 7", i, n)
		}
	}
}
