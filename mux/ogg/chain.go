package ogg

import (
	"errors"
	"fmt"

	"headwater/mux"
)

// maxHeaders bounds the header pages of a stream, which each listener is sent:
// a cover picture among the comments fits.
const maxHeaders = 1 << 20

var errHeaders = fmt.Errorf("%w of 1 MiB: leave out the cover picture", mux.ErrTooLarge)

// chain is one logical bitstream, from its first page to its last.
type chain struct {
	ident
	serial   uint32
	sequence uint32 // of the page that follows
	params   mux.Parameters
	pages    []byte // header pages
	packet   []byte // header packet that has begun
	packets  int    // header packets that have ended
	complete bool   // all header packets are there
	title    mux.Title

	base    mux.Ticks // when granule position origin is
	origin  int64
	granule int64 // at the end of the last page
	timed   bool  // base, origin and granule are known
}

// newChain returns the logical bitstream that page p begins. The error says
// what it is if it cannot be sent on.
func newChain(p *page) (*chain, error) {
	c := &chain{serial: p.serial, sequence: p.sequence}
	var ok bool
	if c.ident, ok = identify(p.body); !ok {
		return nil, errors.New(nameOf(p.body))
	}
	c.params = c.parameters(p.body)
	return c, c.header(p)
}

// header takes a page before the sound.
func (c *chain) header(p *page) error {
	if len(c.pages)+len(p.raw) > maxHeaders {
		return errHeaders
	}
	c.sequence = p.sequence + 1
	c.pages = append(c.pages, p.raw...)
	rest := p.body
	for _, n := range p.lacing {
		c.packet = append(c.packet, rest[:n]...)
		rest = rest[n:]
		if n == 255 || c.complete {
			continue
		}
		c.packets++
		c.end(c.packet)
		c.packet = c.packet[:0]
	}
	if c.complete {
		c.packet = nil
	}
	return nil
}

// end takes a whole header packet.
func (c *chain) end(packet []byte) {
	if comments := c.comments(packet); comments != nil {
		c.title, _ = ParseComments(comments) // what is missing of them is no sound
	}
	last := c.codec == mux.CodecFLAC && c.packets > 1 && len(packet) > 0 && packet[0]&flacLast != 0
	c.complete = last || c.packets == c.headers
}

// sounds reports whether p, which follows the header pages so far, is sound
// already: a FLAC stream need not say how many headers there are.
func (c *chain) sounds(p *page) bool {
	return c.complete || c.codec == mux.CodecFLAC && !p.continued() && len(p.body) > 0 && p.body[0] == flacFrame
}

const (
	// joinLate is the granule position from which on the first page of sound
	// tells that the beginning was missed, in seconds.
	joinLate = 10
	// maxStep is how far the position rises from page to page unless it was set anew, in seconds.
	maxStep = 60
)

// time returns when the first sample of a page of sound is, and how many
// samples it adds. now is when the sound before the chain ended.
func (c *chain) time(p *page, now mux.Ticks) (at mux.Ticks, samples int) {
	if !c.timed {
		c.base = now
		if p.granule == noGranule {
			return now, 0
		}
		c.timed = true
		c.origin = c.preskip
		if p.sequence != c.sequence || p.granule > joinLate*int64(c.rate) {
			c.origin = p.granule // how long this page is shows only inside its packets
		}
		c.granule = c.origin
	}
	at = c.now()
	if p.granule == noGranule {
		return at, 0
	}
	step := p.granule - c.granule
	if step < 0 || step > maxStep*int64(c.rate) {
		c.base, c.origin, c.granule = at, p.granule, p.granule
		return at, 0
	}
	c.granule = p.granule
	return at, int(step)
}

// now returns when the sound so far ends.
func (c *chain) now() mux.Ticks {
	if !c.timed {
		return c.base
	}
	return c.base + mux.FromSamples(c.granule-c.origin, c.rate)
}
