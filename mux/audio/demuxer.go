package audio

import (
	"fmt"

	"headwater/mux"
)

// Numbers that a raw audio track goes by in a transport stream.
const (
	programNumber = 1
	pmtPID        = 0x1000
	trackPID      = 0x0100

	streamTypeMPEG1 = 0x03 // ISO/IEC 11172-3 audio
	streamTypeMPEG2 = 0x04 // ISO/IEC 13818-3 audio: the lower rates
	streamTypeADTS  = 0x0f
)

// Demuxer makes units from a connection that sends raw MP3 or ADTS AAC. Each
// frame is a unit. The time of a frame is the sum of the samples before it,
// rounded once, from 0 at the first one: it does not drift, not even over a
// change of the sampling rate (hls-rules C22, C25).
//
// Units come when the [mux.Program] is known for certain, for AAC after the
// first frames of the connection. A change of format makes a new Program. A
// unit is Damaged if sync was lost just before it, and has a Title if an ID3v2
// tag before it brought another than the last one.
//
// A Demuxer is not safe for concurrent use.
type Demuxer struct {
	split    *Splitter
	units    []*mux.Unit // to be returned by the present call
	held     []*mux.Unit // until their program is known
	program  *mux.Program
	title    mux.Title // the newest
	format   uint64    // of split that program and held belong to
	params   mux.Parameters
	now      clock
	losses   uint64
	bytes    uint64
	stats    mux.Stats
	unitSlab []mux.Unit
	frames   []mux.Frame
}

// NewDemuxer returns a Demuxer for c, which is as for [NewSplitter].
func NewDemuxer(c mux.Codec) *Demuxer { return &Demuxer{split: NewSplitter(c)} }

// Write takes the next bytes of the connection and returns the units that
// became complete. p must not be changed any more: the units refer to it. The
// slice returned is valid until the next call, the units for ever.
func (d *Demuxer) Write(p []byte) []*mux.Unit {
	clear(d.units) // what is held back in vain holds its block
	d.units = d.units[:0]
	d.bytes += uint64(len(p))
	d.split.Write(p, d.frame)
	return d.units
}

// Peek returns the unit of the frame that [Splitter.Peek] returns, or nil. The
// one that Write returns in its place has the same Seq.
func (d *Demuxer) Peek() *mux.Unit {
	data, samples, rate := d.split.Peek()
	if data == nil || d.program == nil || d.format != d.split.format || len(d.held) > 0 {
		return nil
	}
	pts := d.now.ticks()
	return &mux.Unit{
		Program: d.program, Seq: d.stats.Units, PTS: pts, DTS: pts, Access: mux.AccessRandom,
		Frames: []mux.Frame{{PTS: pts, Data: data, Samples: samples, Rate: rate}}, Title: d.newTitle(),
	}
}

// newTitle returns the title that begins with the next frame, nil if the last one goes on.
func (d *Demuxer) newTitle() *mux.Title {
	if t := d.split.Title(); t != nil && *t != d.title {
		return t
	}
	return nil
}

// Flush tells that the connection has ended, and returns the units that were
// held back. The slice is valid until the next call.
func (d *Demuxer) Flush() []*mux.Unit {
	d.units = d.units[:0]
	d.split.Flush(d.frame)
	d.release()
	return d.units
}

// Stats returns what was met so far. Bytes of tags and of frames without sound
// are no fault, and do not count as skipped.
func (d *Demuxer) Stats() mux.Stats {
	s := d.stats
	s.Bytes = d.bytes
	s.Skipped, s.Frames, s.SyncLosses = d.split.Stats()
	s.Skipped -= d.split.tags
	if s.SyncLosses > 0 {
		s.LastError = fmt.Errorf("%s: %w", d.split.Codec(), mux.ErrSyncLost)
	}
	return s
}

// slab is how many units and frames are allocated at once.
const slab = 64

// frame makes a unit of a frame.
func (d *Demuxer) frame(data []byte, samples, rate int) {
	if d.format != d.split.format {
		d.release()
		d.format, d.program = d.split.format, nil
	}
	d.params = d.split.params
	if len(d.frames) == 0 {
		d.frames, d.unitSlab = make([]mux.Frame, slab), make([]mux.Unit, slab)
	}
	pts := d.now.ticks()
	d.now = d.now.after(samples, rate)
	f, u := d.frames[:1:1], &d.unitSlab[0]
	d.frames, d.unitSlab = d.frames[1:], d.unitSlab[1:]
	f[0] = mux.Frame{PTS: pts, Data: data, Samples: samples, Rate: rate}
	*u = mux.Unit{
		Program: d.program,
		Seq:     d.stats.Units,
		PTS:     pts,
		DTS:     pts,
		Access:  mux.AccessRandom,
		Damaged: d.losses != d.split.losses,
		Title:   d.newTitle(),
		Frames:  f,
	}
	if u.Title != nil {
		d.title = *u.Title
	}
	d.losses = d.split.losses
	d.stats.Units++
	d.held = append(d.held, u)
	if d.split.sure {
		d.release()
	}
}

// release lets go of the units held back, with what is known of the program.
func (d *Demuxer) release() {
	if len(d.held) == 0 {
		return
	}
	if d.program == nil {
		d.program = newProgram(d.held[0].Frames[0], d.params)
	}
	for _, u := range d.held {
		u.Program = d.program
	}
	d.units = append(d.units, d.held...)
	clear(d.held)
	d.held = d.held[:0]
}

// newProgram returns the program of raw audio with such frames.
func newProgram(f mux.Frame, p mux.Parameters) *mux.Program {
	h, _ := parseHeader(f.Data, mux.CodecUnknown)
	t := mux.Track{PID: trackPID, Codec: h.codec, Parameters: p, StreamType: streamTypeADTS}
	switch {
	case h.codec == mux.CodecAAC:
	case h.mpeg.Version == 1:
		t.StreamType = streamTypeMPEG1
	default:
		t.StreamType = streamTypeMPEG2
	}
	return &mux.Program{
		Number: programNumber,
		PMTPID: pmtPID,
		PCRPID: trackPID,
		Timing: mux.TimingSamples,
		Tracks: []mux.Track{t},
	}
}
