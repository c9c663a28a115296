package origin_test

import (
	"net/netip"
	"runtime"
	"testing"

	"headwater/origin"
)

// What is known of a listener, one of thousands that use one program, costs less
// than 300 bytes.
func TestListenersAreSmall(t *testing.T) {
	const crowd = 8000
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := new(origin.Registry)
	for i := range crowd {
		r.Enter(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 4711), "VLC/3.0.18 LibVLC/3.0.18")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if each := int64(after.HeapAlloc-before.HeapAlloc) / crowd; each > 300 || each < 50 {
		t.Errorf("a listener costs %d bytes, want 50 to 300", each)
	}
	runtime.KeepAlive(r)
}
