package load

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"time"
)

// Stamped frames are MP3 frames of silence, 128 kbit/s, 44.1 kHz, stereo (ISO/IEC
// 11172-3 §2.4.1), which carry their number and when they were sent where main
// data would stand that no granule refers to. It is written in hexadecimal
// digits, lest it look like the start of a frame.
const (
	frameSamples = 1152
	frameRate    = 44100 // hertz
	frameBits    = 128_000
	frameSize    = frameSamples / 8 * frameBits / frameRate // without padding
	frameMost    = frameSize + 1

	stampAt   = 4 + 32 // behind the header and the side information
	stampMark = "headwater load"
	stampSize = len(stampMark) + 8 + 8 + 16 // the run, the number, the time
)

// frameTime is when frame n is due, since the first one.
func frameTime(n int64) time.Duration {
	return time.Duration(n * frameSamples * int64(time.Second) / frameRate)
}

// stamp is what a stamped frame carries.
type stamp struct {
	run  uint32 // tells the frames of one source from those of another
	n    uint32 // number of the frame, from 0
	sent int64  // nanoseconds on the clock of the load
}

// appendFrame appends frame s.n with its stamp. Padding keeps the bit rate
// exact: the sum of the frames is what 128 kbit/s makes, rounded down.
func appendFrame(dst []byte, s stamp) []byte {
	from := len(dst)
	bytes := func(n int64) int64 { return n * frameSamples * frameBits / 8 / frameRate }
	size := int(bytes(int64(s.n)+1) - bytes(int64(s.n)))
	dst = append(dst, make([]byte, size)...)
	f := dst[from:]
	copy(f, []byte{0xff, 0xfb, 0x90 | byte(size-frameSize)<<1, 0x00})
	copy(f[stampAt:], stampMark)
	var raw [16]byte
	binary.BigEndian.PutUint32(raw[0:], s.run)
	binary.BigEndian.PutUint32(raw[4:], s.n)
	binary.BigEndian.PutUint64(raw[8:], uint64(s.sent))
	hex.Encode(f[stampAt+len(stampMark):], raw[:])
	for i := stampAt + stampSize; i < size-8; i++ {
		f[i] = 'a' + byte(uint32(i)+s.n)%23 // another one in each frame, so that mixed ones are found
	}
	var sum [4]byte
	binary.BigEndian.PutUint32(sum[:], crc32.ChecksumIEEE(f[:size-8]))
	hex.Encode(f[size-8:], sum[:])
	return dst
}

// stampedSize returns the size of the frame that begins with b, of which it
// needs 4 bytes; 0 if b is no header of a stamped frame.
func stampedSize(b []byte) int {
	if b[0] != 0xff || b[1] != 0xfb || b[2]&^2 != 0x90 || b[3] != 0 {
		return 0
	}
	return frameSize + int(b[2]>>1&1)
}

// readStamp reads a whole frame. It is not ok if a bit of it is not as it was sent.
func readStamp(f []byte) (s stamp, ok bool) {
	var raw [16]byte
	var sum [4]byte
	at := stampAt + len(stampMark)
	if string(f[stampAt:at]) != stampMark {
		return stamp{}, false
	}
	if _, err := hex.Decode(raw[:], f[at:at+32]); err != nil {
		return stamp{}, false
	}
	if _, err := hex.Decode(sum[:], f[len(f)-8:]); err != nil {
		return stamp{}, false
	}
	if binary.BigEndian.Uint32(sum[:]) != crc32.ChecksumIEEE(f[:len(f)-8]) {
		return stamp{}, false
	}
	return stamp{
		run:  binary.BigEndian.Uint32(raw[0:]),
		n:    binary.BigEndian.Uint32(raw[4:]),
		sent: int64(binary.BigEndian.Uint64(raw[8:])),
	}, true
}

// tracker follows the stamped frames that one listener gets.
type tracker struct {
	run  uint32
	part []byte // of a frame, or of what may be one
	lost bool   // sync is, and that was counted

	next       uint32 // number of the frame after the newest
	newest     int64  // when that was sent; 0 before the first frame
	frames     int64
	missing    int64 // numbers passed over
	disordered int64 // frames that came again, or after a newer one
	torn       int64 // places where something else stood than a whole frame
	early      bool  // the first byte was not the first one of a frame
}

// take follows p, the next bytes, and calls arrived for each whole frame.
func (t *tracker) take(p []byte, arrived func(sent int64)) {
	if len(t.part) > 0 { // fill up what was begun
		p = t.complete(p, arrived)
	}
	if len(t.part) > 0 {
		return
	}
	if rest := t.scan(p, arrived); len(rest) > 0 {
		t.part = append(t.part, rest...)
	}
}

// complete adds as much of p to the part as makes a frame of it, and returns the rest.
func (t *tracker) complete(p []byte, arrived func(sent int64)) []byte {
	for len(t.part) > 0 && len(p) > 0 {
		want := 4
		if len(t.part) >= 4 {
			want = stampedSize(t.part) // not 0: scan keeps only what may be a frame
		}
		n := min(max(want-len(t.part), 0), len(p))
		t.part, p = append(t.part, p[:n]...), p[n:]
		rest := t.scan(t.part, arrived)
		t.part = t.part[:copy(t.part, rest)]
	}
	return p
}

// scan takes the whole frames at the head of b, and returns the frame begun at
// its end: less than 4 bytes, or a header and less than its frame.
func (t *tracker) scan(b []byte, arrived func(sent int64)) []byte {
	for len(b) >= 4 {
		size := stampedSize(b)
		if size > len(b) {
			return b
		}
		if size > 0 {
			if s, ok := readStamp(b[:size]); ok {
				t.frame(s, arrived)
				b = b[size:]
				continue
			}
		}
		t.miss()
		b = b[1:]
		for len(b) > 0 && b[0] != 0xff {
			b = b[1:]
		}
	}
	return b
}

// miss counts a place without a frame, once.
func (t *tracker) miss() {
	switch {
	case t.frames == 0:
		t.early = true
	case !t.lost:
		t.torn++
	}
	t.lost = true
}

// frame counts a frame.
func (t *tracker) frame(s stamp, arrived func(sent int64)) {
	t.lost = false
	if s.run != t.run { // of another source
		return
	}
	ahead := int32(s.n - t.next)
	switch {
	case t.frames > 0 && ahead < 0:
		t.disordered++
		t.frames++
		return
	case t.frames > 0:
		t.missing += int64(ahead)
	}
	t.frames++
	t.next, t.newest = s.n+1, s.sent
	arrived(s.sent)
}
