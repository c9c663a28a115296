package ts_test

import (
	"runtime"
	"testing"
	"weak"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// A unit that is kept, such as the newest, keeps little besides itself alive,
// however large the units before it were.
func TestUnitsKeepLittleAlive(t *testing.T) {
	s := muxtest.AV()
	s.VideoBytes = 100_000
	type unit struct {
		bytes int
		first weak.Pointer[byte]
	}
	var before []unit
	var last *mux.Unit
	d := ts.NewDemuxer(ts.Options{})
	take := func(units []*mux.Unit) {
		for _, u := range units {
			if last = u; len(u.Packets) > 0 {
				before = append(before, unit{u.Size, weak.Make(&u.Packets[0][0])})
			}
		}
	}
	for input := s.Bytes(30 * mux.ClockRate); len(input) > 0; {
		n := copy(d.Buffer(), input)
		input = input[n:]
		take(d.Advance(n))
	}
	runtime.GC()
	kept := 0
	for _, u := range before {
		if u.first.Value() != nil {
			kept += u.bytes
		}
	}
	runtime.KeepAlive(last)
	runtime.KeepAlive(d)
	const most = 5 << 20
	if kept > most {
		t.Errorf("%d bytes of units are kept alive by the last one, want at most %d", kept, most)
	}
}
