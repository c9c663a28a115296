package ts

import (
	"bytes"

	"headwater/mux"
)

// Distances from packet to packet: plain, with a timestamp before each (M2TS),
// with Reed-Solomon parity after each (DVB-ASI recordings).
const (
	stridePlain  = mux.PacketSize
	strideM2TS   = 192
	strideParity = 204
)

// syncRun is how many sync bytes in a row make sync.
const syncRun = 4

// Recognise reports whether b, the first bytes of an input, holds a transport
// stream, perhaps after junk. The packets begin at offset and are stride bytes
// apart: 188, 192 or 204. If it is not ok, none begin before offset. final
// tells that b is the whole input, in which fewer packets will do.
func Recognise(b []byte, final bool) (offset, stride int, ok bool) {
	offset, stride = findSync(b, final)
	return offset, stride, stride != 0
}

// findSync returns where in b packets begin, and their stride. Without any the
// stride is 0, and at is what can be passed over: more bytes may tell that
// packets begin there. If final, there are no more bytes, and fewer sync bytes
// will do.
func findSync(b []byte, final bool) (at, stride int) {
	for {
		next := bytes.IndexByte(b[at:], syncByte)
		if next < 0 {
			return len(b), 0
		}
		at += next
		wait := false
		for _, stride := range [...]int{stridePlain, strideM2TS, strideParity} {
			found, more := syncAt(b[at:], stride)
			if !more && stride == strideM2TS && found {
				// A timestamp may look like a row of sync bytes; the packets are behind it.
				if f, _ := syncAt(b[min(at+4, len(b)):], stride); f {
					return at + 4, stride
				}
			}
			if found && (!more || final && endsWell(b[at:], stride)) {
				return at, stride
			}
			wait = wait || found
		}
		if wait && !final {
			return at, 0
		}
		at++
	}
}

// syncAt reports whether sync bytes stand at the start of b and every stride
// after it; more tells that b was too short for a row of syncRun.
func syncAt(b []byte, stride int) (found, more bool) {
	const margin = 4 + 1 // findSync looks four bytes ahead
	for i := range syncRun {
		if i*stride+margin > len(b) {
			return true, true
		}
		if b[i*stride] != syncByte {
			return false, false
		}
	}
	return true, false
}

// endsWell reports whether b ends with a packet.
func endsWell(b []byte, stride int) bool {
	rest := len(b) % stride
	return len(b) >= mux.PacketSize && (rest == 0 || rest == mux.PacketSize)
}
