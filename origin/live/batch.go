package live

import (
	"strconv"
	"sync/atomic"
	"time"

	"headwater/mux"
)

// batch is media that is sent together: all listeners of a tail are sent the
// same batches. It is immutable but for its cache.
type batch struct {
	slices [][]byte   // whole packets, or whole frames
	size   int        // of slices together
	time   mux.Ticks  // of its first unit, by the tail's own time
	shown  time.Time  // when listeners were given it
	start  mux.Access // whether a listener can begin with it
	video  bool       // that is so because of a picture
	broke  bool       // what is before it comes from another source
	codec  mux.Codec  // of audio frames; CodecUnknown for packets
	join   *joint     // what a listener that begins here has to be told; nil for frames

	head string // of the batch as a chunk (RFC 9112 §7.1)
	flat atomic.Pointer[[]byte]
}

const chunkEnd = "\r\n"

// flatBytes is up to how much a batch is copied together for its listeners,
// which each cost less then.
const flatBytes = 64 << 10

// seal makes the batch ready to be sent.
func (b *batch) seal() {
	for _, s := range b.slices {
		b.size += len(s)
	}
	b.head = strconv.FormatInt(int64(b.size), 16) + chunkEnd
}

// appendWire appends what is left of the batch after its first bytes on the
// wire, as slices that nobody changes.
func (b *batch) appendWire(to [][]byte, chunked bool, skip int) [][]byte {
	if !chunked {
		skip += len(b.head)
	}
	end := len(b.head) + b.size
	if chunked {
		end += len(chunkEnd)
	}
	if b.size <= flatBytes {
		return append(to, b.contiguous()[skip:end])
	}
	at := 0
	add := func(s []byte) {
		from, until := min(max(skip-at, 0), len(s)), min(max(end-at, 0), len(s))
		if from < until {
			to = append(to, s[from:until])
		}
		at += len(s)
	}
	add([]byte(b.head))
	for _, s := range b.slices {
		add(s)
	}
	add([]byte(chunkEnd))
	return to
}

// late returns how late the batch may be for a listener of a lossy tail.
func (b *batch) late() time.Duration {
	if b.video {
		return latePictures
	}
	return lateSound
}

// contiguous returns the batch as one chunk. It is made for the first who asks.
func (b *batch) contiguous() []byte {
	if p := b.flat.Load(); p != nil {
		return *p
	}
	flat := make([]byte, 0, len(b.head)+b.size+len(chunkEnd))
	flat = append(flat, b.head...)
	for _, s := range b.slices {
		flat = append(flat, s...)
	}
	flat = append(flat, chunkEnd...)
	b.flat.Store(&flat)
	return flat
}
