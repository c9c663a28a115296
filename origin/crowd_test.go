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
	before := settledHeap()
	r := new(origin.Registry)
	for i := range crowd {
		r.Enter(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 4711), "VLC/3.0.18 LibVLC/3.0.18")
	}
	if each := (settledHeap() - before) / crowd; each > 300 || each < 50 {
		t.Errorf("a listener costs %d bytes, want 50 to 300", each)
	}
	runtime.KeepAlive(r)
}

// settledHeap returns how many bytes are in use once what other tests have left
// is gone, which takes several collections where finalizers have to run.
func settledHeap() int64 {
	var last, now runtime.MemStats
	for range 100 {
		runtime.GC()
		runtime.ReadMemStats(&now)
		if change := int64(now.HeapAlloc) - int64(last.HeapAlloc); -4096 < change && change < 4096 {
			break
		}
		last = now
	}
	return int64(now.HeapAlloc)
}
