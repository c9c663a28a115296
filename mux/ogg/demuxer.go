package ogg

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"headwater/mux"
)

// Numbers that the track goes by in the API.
const (
	programNumber = 1
	trackPID      = 0x0100
)

// Demuxer makes units from a connection that sends Ogg. Each page of sound is a
// unit with one frame, which is the page. Header pages are in the
// [mux.Program]: a chained stream makes a new one with each link, and its title,
// from the comments, is on the first unit of it. Of several logical bitstreams
// beside each other the first that is Vorbis, Opus or FLAC is taken.
//
// Times are the samples that granule positions count, from 0 at the first page
// and through all links; a page on which no packet ends lasts no time. A unit
// is Damaged if pages are missing before it. Access is AccessNone where the
// page holds nothing but the middle of a packet.
//
// A Demuxer is not safe for concurrent use. It keeps one page, and up to 1 MiB
// of header pages.
type Demuxer struct {
	pages   reader
	units   []*mux.Unit // to be returned by the present call
	chain   *chain      // nil before the first, and if there is none to take
	opening bool        // the last page began a logical bitstream: more may begin beside it
	others  []string    // names of what is left out

	program *mux.Program // of chain; nil until the first page of sound
	title   mux.Title    // in force
	now     mux.Ticks    // when the sound so far ends
	lost    bool         // pages are missing before the next
	stats   mux.Stats
	err     error
}

// NewDemuxer returns a Demuxer.
func NewDemuxer() *Demuxer { return &Demuxer{} }

// Recognise reports whether b begins as an Ogg stream does.
func Recognise(b []byte) bool { return begins(b, capture, len(capture)) }

// Write takes the next bytes of the connection and returns the units that
// became complete. p must not be changed any more: the units refer to it. The
// slice returned is valid until the next call, the units for ever.
func (d *Demuxer) Write(p []byte) []*mux.Unit {
	clear(d.units)
	d.units = d.units[:0]
	d.stats.Bytes += uint64(len(p))
	d.pages.write(p, d.page)
	return d.units
}

// Flush tells that the connection has ended. It returns nothing: a page is
// complete when its last byte has come.
func (d *Demuxer) Flush() []*mux.Unit {
	d.pages.flush()
	return nil
}

// Peek returns nil: nothing is held back.
func (d *Demuxer) Peek() *mux.Unit { return nil }

// Stats returns what was met so far. Continuity counts jumps of the page
// number, BadPES pages whose checksum is wrong and streams that were dropped.
func (d *Demuxer) Stats() mux.Stats {
	s := d.stats
	s.Skipped, s.SyncLosses = d.pages.skipped, d.pages.losses
	s.BadPES += d.pages.bad
	if s.LastError == nil && s.SyncLosses > 0 {
		s.LastError = fmt.Errorf("pages of Ogg: %w", mux.ErrSyncLost)
	}
	return s
}

// Err returns why no units will come, nil if some may or have. It names what
// the input is.
func (d *Demuxer) Err() error {
	if d.stats.Units > 0 {
		return nil
	}
	return d.err
}

// page takes a page.
func (d *Demuxer) page(p page) {
	switch {
	case p.begins():
		d.begin(&p)
		return
	case d.opening:
		d.opening = false
		d.judge()
	}
	c := d.chain
	if c == nil || p.serial != c.serial {
		d.stats.Unreferenced++
		if c == nil && d.err == nil && d.stats.Bytes > maxJoined {
			d.err, d.stats.LastError = errJoined, errJoined
		}
		return
	}
	if p.sequence != c.sequence {
		d.stats.Continuity++
		d.lost = true
		if !c.complete { // a decoder needs all of the headers
			d.drop(fmt.Errorf("header pages of %s are missing", c.codec))
			return
		}
	}
	if c.sounds(&p) {
		d.sound(&p)
		return
	}
	if err := c.header(&p); err != nil {
		d.drop(fmt.Errorf("header pages of %s: %w", c.codec, err))
	}
}

// maxJoined is how many bytes a source that was joined in the middle may send
// before its next link begins.
const maxJoined = 256 << 10

var errJoined = errors.New("this is Ogg without its beginning: the header pages are missing")

// begin takes the first page of a logical bitstream.
func (d *Demuxer) begin(p *page) {
	if !d.opening {
		d.opening, d.chain, d.program, d.others, d.err = true, nil, nil, nil, nil
	}
	if d.chain != nil {
		d.leave(nameIn(p))
		return
	}
	c, err := newChain(p)
	if err != nil {
		d.leave(err.Error())
		return
	}
	d.chain, d.lost = c, false
}

// nameIn names what a page begins, be it known or not.
func nameIn(p *page) string {
	if id, ok := identify(p.body); ok {
		return id.codec.String()
	}
	return nameOf(p.body)
}

// leave notes what is left out.
func (d *Demuxer) leave(name string) {
	if !slices.Contains(d.others, name) && len(d.others) < maxOthers {
		d.others = append(d.others, name)
	}
}

// maxOthers bounds the names of what is left out.
const maxOthers = 8

// judge looks at what began: all that is beside each other has begun.
func (d *Demuxer) judge() {
	if d.chain == nil {
		d.drop(fmt.Errorf("this is Ogg with %s; send Ogg with Vorbis, Opus or FLAC", strings.Join(d.others, " and ")))
	}
}

// drop gives the present link up.
func (d *Demuxer) drop(err error) {
	d.chain, d.err = nil, err
	d.stats.BadPES++
	d.stats.LastError = err
}

// sound makes a unit of a page.
func (d *Demuxer) sound(p *page) {
	c := d.chain
	var title *mux.Title
	if d.program == nil {
		d.program = d.newProgram()
		if c.title != d.title {
			d.title = c.title
			title = new(mux.Title)
			*title = c.title
		}
	}
	at, samples := c.time(p, d.now)
	c.sequence = p.sequence + 1
	d.now = c.now()
	access := mux.AccessRandom
	switch {
	case !p.hasStart():
		access = mux.AccessNone
	case p.continued():
		access = mux.AccessRecovery
	}
	d.units = append(d.units, &mux.Unit{
		Program: d.program,
		Seq:     d.stats.Units,
		PTS:     at,
		DTS:     at,
		Access:  access,
		Damaged: d.lost,
		Title:   title,
		Frames:  []mux.Frame{{PTS: at, Data: p.raw, Samples: samples, Rate: c.rate}},
	})
	d.lost = false
	d.stats.Units++
	d.stats.Frames++
}

// newProgram returns the program of the present link.
func (d *Demuxer) newProgram() *mux.Program {
	c := d.chain
	p := &mux.Program{
		Number:  programNumber,
		PMTPID:  mux.NullPID,
		PCRPID:  mux.NullPID,
		Timing:  mux.TimingSamples,
		Tracks:  []mux.Track{{PID: trackPID, Codec: c.codec, Parameters: c.params}},
		Headers: slices.Clip(c.pages),
	}
	if len(d.others) > 0 {
		p.Notes = []string{"what else is in the Ogg stream is left out: " + strings.Join(d.others, ", ")}
	}
	return p
}
