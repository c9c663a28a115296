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
	title  *notice    // of what is heard, from the first byte on
	join   *joint     // what a listener that begins here has to be told; nil for frames
	// headers are the header pages of Ogg, which the batch begins with if led; nil of all else.
	headers []byte
	led     bool

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
	c := cutter{to: to, from: skip, until: end}
	c.add([]byte(b.head))
	for _, s := range b.slices {
		c.add(s)
	}
	c.add([]byte(chunkEnd))
	return c.to
}

// appendAudio appends bytes from until until of the media, as slices that
// nobody changes.
func (b *batch) appendAudio(to [][]byte, from, until int) [][]byte {
	if b.size <= flatBytes {
		return append(to, b.contiguous()[len(b.head):][from:until])
	}
	c := cutter{to: to, from: from, until: until}
	for _, s := range b.slices {
		c.add(s)
	}
	return c.to
}

// cutter appends what lies between two offsets of slices that are added.
type cutter struct {
	to          [][]byte
	from, until int
	at          int // bytes added so far
}

func (c *cutter) add(s []byte) {
	from, until := min(max(c.from-c.at, 0), len(s)), min(max(c.until-c.at, 0), len(s))
	if from < until {
		c.to = append(c.to, s[from:until])
	}
	c.at += len(s)
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

// bridge returns what a listener is sent before the batch with which it begins,
// nil if nothing. moved: it was somewhere else in the tail before, and was sent
// the header pages it had, if any.
func (b *batch) bridge(moved bool, had []byte) *batch {
	if b.headers == nil {
		return b.join.bridge(moved)
	}
	if b.led || len(had) > 0 && &had[0] == &b.headers[0] {
		return nil // a decoder goes on behind a hole by itself
	}
	headers := &batch{slices: [][]byte{b.headers}, codec: b.codec, title: b.title}
	headers.seal()
	return headers
}
