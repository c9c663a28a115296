package live_test

import (
	"testing"

	"headwater/mux"
	"headwater/mux/ts"
	"headwater/origin/live"
)

// patPID is that of the program_association_section (ISO/IEC 13818-1 table 2-3).
const patPID = 0

// packets cuts b into packets and fails the test if it is none.
func packets(t *testing.T, b []byte) [][]byte {
	t.Helper()
	if len(b)%mux.PacketSize != 0 {
		t.Fatalf("%d bytes are no whole packets", len(b))
	}
	var out [][]byte
	for ; len(b) > 0; b = b[mux.PacketSize:] {
		if b[0] != 0x47 {
			t.Fatalf("packet %d begins with %#x", len(out), b[0])
		}
		out = append(out, b[:mux.PacketSize])
	}
	return out
}

func pid(p []byte) mux.PID { return mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2]) }

// discontinuous reports whether a packet has the discontinuity_indicator.
func discontinuous(p []byte) bool { return p[3]&0x20 != 0 && p[4] > 0 && p[5]&0x80 != 0 }

// checkContinuity fails the test at the first packet whose continuity_counter
// does not follow, and returns how many jumps were announced (hls-rules C05, C08).
func checkContinuity(t *testing.T, stream []byte) (jumps int) {
	t.Helper()
	next := map[mux.PID]uint8{}
	for i, p := range packets(t, stream) {
		if discontinuous(p) {
			jumps++
			delete(next, pid(p))
		}
		want, known := next[pid(p)]
		payload := p[3]&0x10 != 0
		if known && payload && ts.Continuity(p) != want {
			t.Fatalf("packet %d of PID %#x has counter %d, want %d", i, pid(p), ts.Continuity(p), want)
		}
		if payload || !known {
			next[pid(p)] = (ts.Continuity(p) + 1) & 15
		}
	}
	return jumps
}

// drain reads what there is.
func drain(r *live.Reader) []byte {
	b, _ := r.Drain(1 << 30)
	return b
}
