// Package demux recognises what a source sends (MPEG transport stream, MP3,
// ADTS AAC or Ogg) and reads it with the demuxer for that. What is none of them it
// names in an error, as soon as that is certain.
package demux

import (
	"fmt"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/id3"
	"headwater/mux/ogg"
	"headwater/mux/ts"
)

// Format is what a source sends.
type Format uint8

// The formats that are told apart. The packets of a transport stream may stand
// 188, 192 (M2TS) or 204 bytes (with parity) apart.
const (
	Unknown Format = iota
	TS
	TS192
	TS204
	MP3
	ADTS
	Ogg
)

var formatNames = [...]string{"unknown", "MPEG-TS", "MPEG-TS (192-byte packets)", "MPEG-TS (204-byte packets)", "MP3", "ADTS AAC", "Ogg"}

// String returns the name that people use for the format.
func (f Format) String() string { return formatNames[f] }

// Limits on what is read before the format is known.
const (
	firstBuffer = 4 << 10
	// maxUnknown is how many bytes, not counting those of an ID3v2 tag, may
	// come before the format is known.
	maxUnknown = 256 << 10
	// maxOgg is the same for Ogg, whose comments may hold a picture.
	maxOgg = 2 << 20
	// enough is how many bytes behind the first audio frame are looked at
	// before it is believed: a transport stream shows itself in fewer.
	enough = 1 << 10
	// audioBlock is the size of the blocks that audio is read into.
	audioBlock = 32 << 10
)

// Options says how to read a source.
type Options struct {
	// Program is the program_number of a transport stream to read; 0 means the
	// first with video, else the first with audio.
	Program uint16
}

// Demuxer makes units of whatever a source sends. It is used as [ts.Demuxer]
// is, and is not safe for concurrent use.
type Demuxer struct {
	options Options
	format  Format
	err     error

	buf    []byte // until the format is known, all that came; then a block of audio
	filled int
	junk   int // bytes at the start of buf in which no transport stream begins
	look   int // look for audio when so many bytes are there

	ts       *ts.Demuxer
	audio    sound
	ogg      *ogg.Demuxer // which audio is, or nil
	program  *mux.Program // of audio
	unframed int64        // bytes of audio without a frame that may still come; negative: one came

	out []*mux.Unit
}

// sound reads what is no transport stream.
type sound interface {
	Write(p []byte) []*mux.Unit
	Peek() *mux.Unit
	Flush() []*mux.Unit
	Stats() mux.Stats
}

// New returns a demuxer for one source.
func New(o Options) *Demuxer { return &Demuxer{options: o} }

// Buffer returns where to read the next bytes into; it is never empty. It is
// valid until the next call of Advance. Bytes given to Advance must not be
// changed ever after.
func (d *Demuxer) Buffer() []byte {
	if d.ts != nil {
		return d.ts.Buffer()
	}
	if d.filled < len(d.buf) {
		return d.buf[d.filled:]
	}
	switch {
	case d.err != nil: // nobody reads it any more
		d.filled = 0
		if d.buf == nil {
			d.buf = make([]byte, firstBuffer)
		}
	case d.audio != nil:
		d.buf, d.filled = make([]byte, min(max(firstBuffer, 2*len(d.buf)), audioBlock)), 0
	default:
		buf := make([]byte, max(firstBuffer, 2*len(d.buf)))
		copy(buf, d.buf[:d.filled])
		d.buf = buf
	}
	return d.buf[d.filled:]
}

// Advance takes n bytes that were read into Buffer, and returns the units that
// they complete: none before the format is known, and then also those of all
// bytes before. The slice is valid until the next call; the units are
// immutable and may be kept.
func (d *Demuxer) Advance(n int) []*mux.Unit {
	if d.ts != nil {
		return d.ts.Advance(n)
	}
	n = max(0, min(n, len(d.buf)-d.filled))
	fresh := d.buf[d.filled : d.filled+n]
	d.filled += n
	switch {
	case d.err != nil:
		return nil
	case d.audio != nil:
		return d.listen(fresh)
	}
	return d.recognise(false)
}

// Peek returns a frame of raw audio that is whole, but will be returned by
// Advance or Flush only once it is certain: about when the next one is whole.
// It is for listeners who cannot wait for that. The unit that will be returned
// has the same Seq; rarely it proves that there was none. Peek returns nil if there is nothing ahead.
func (d *Demuxer) Peek() *mux.Unit {
	if d.audio == nil || d.err != nil {
		return nil
	}
	return d.audio.Peek()
}

// Flush returns what the end of the input completes. The demuxer is of no use
// afterwards. If the input was too short to be recognised, [Demuxer.Err] tells.
func (d *Demuxer) Flush() []*mux.Unit {
	if d.err != nil {
		return nil
	}
	var units []*mux.Unit
	if d.ts == nil && d.audio == nil {
		units = d.recognise(true)
	}
	switch {
	case d.ts != nil:
		units = append(units, d.ts.Flush()...)
	case d.audio != nil:
		units = append(units, d.note(d.audio.Flush())...)
		if d.ogg != nil && d.unframed >= 0 && d.err == nil {
			d.err = refusal{fmt.Errorf("the Ogg ended after %d bytes, before its first page of sound", d.ogg.Stats().Bytes)}
		}
	case d.err == nil && d.filled > 0:
		d.err = fmt.Errorf("the input ended after %d bytes: %w", d.filled, mux.ErrUnknownFormat)
	}
	return units
}

// recognise looks at what came so far, and picks the reader if that tells.
func (d *Demuxer) recognise(final bool) []*mux.Unit {
	b := d.buf[:d.filled:d.filled]
	if ogg.Recognise(b) {
		return d.startOgg(b)
	}
	if name := alien(b); name != "" {
		d.err = fmt.Errorf("this is %s: %w", name, mux.ErrUnknownFormat)
		return nil
	}
	at, stride, ok := ts.Recognise(b[d.junk:], final)
	d.junk += at
	if ok {
		switch d.format = TS; stride {
		case 192:
			d.format = TS192
		case 204:
			d.format = TS204
		}
		return d.startTS(b)
	}
	if final || len(b) >= d.look {
		d.look = len(b) + max(enough/2, len(b)/4) // so that many short reads cost no more than few long ones
		c, offset, ok := audio.Recognise(b)
		if ok && (c == mux.CodecUnknown || final || len(b)-offset >= enough) {
			return d.startAudio(b, c)
		}
	}
	if len(b) >= maxUnknown {
		d.err = mux.ErrUnknownFormat
		if bareVideo(b) {
			d.err = fmt.Errorf("this is bare video, to be sent in MPEG-TS: %w", mux.ErrUnknownFormat)
		}
	}
	return nil
}

// startTS hands all that came to a reader of transport streams.
func (d *Demuxer) startTS(b []byte) []*mux.Unit {
	d.ts = ts.NewDemuxer(ts.Options{Program: d.options.Program})
	d.buf = nil
	for len(b) > 0 {
		n := copy(d.ts.Buffer(), b)
		b = b[n:]
		d.out = append(d.out, d.ts.Advance(n)...)
	}
	units := d.out
	d.out = nil
	return units
}

// startAudio hands all that came to a reader of audio. It goes on without the
// codec if an ID3v2 tag hides what it is.
func (d *Demuxer) startAudio(b []byte, c mux.Codec) []*mux.Unit {
	d.audio = audio.NewDemuxer(c)
	d.unframed = maxUnknown + int64(id3.Size(b))
	return d.listen(b)
}

// startOgg hands all that came to a reader of Ogg.
func (d *Demuxer) startOgg(b []byte) []*mux.Unit {
	d.ogg = ogg.NewDemuxer()
	d.audio, d.unframed = d.ogg, maxOgg
	return d.listen(b)
}

// listen gives bytes to the reader of audio.
func (d *Demuxer) listen(b []byte) []*mux.Unit {
	units := d.note(d.audio.Write(b))
	if d.unframed >= 0 {
		if d.unframed -= int64(len(b)); d.unframed < 0 {
			d.err = mux.ErrUnknownFormat
		}
		d.refuseOgg()
	}
	return units
}

// refuseOgg sees whether the Ogg that came, of which no unit was made, is any use.
func (d *Demuxer) refuseOgg() {
	if d.ogg == nil {
		return
	}
	err := d.ogg.Err()
	if err == nil && d.err != nil {
		err = d.ogg.Stats().LastError
	}
	if err != nil {
		d.err = refusal{err}
	}
}

// refusal is an ErrUnknownFormat whose cause says enough.
type refusal struct{ error }

func (r refusal) Unwrap() []error { return []error{r.error, mux.ErrUnknownFormat} }

// note remembers what units of audio tell of their source.
func (d *Demuxer) note(units []*mux.Unit) []*mux.Unit {
	if len(units) == 0 {
		return nil
	}
	d.unframed = -1
	d.program = units[len(units)-1].Program
	switch {
	case d.ogg != nil:
		d.format = Ogg
	case d.program.Tracks[0].Codec == mux.CodecAAC:
		d.format = ADTS
	default:
		d.format = MP3
	}
	return units
}

// Stats returns what was met so far.
func (d *Demuxer) Stats() mux.Stats {
	switch {
	case d.ts != nil:
		return d.ts.Stats()
	case d.audio != nil:
		return d.audio.Stats()
	}
	return mux.Stats{Bytes: uint64(d.filled), Skipped: uint64(d.junk), LastError: d.err}
}

// Program returns the program that newly delivered units belong to, nil before
// it is known.
func (d *Demuxer) Program() *mux.Program {
	if d.ts != nil {
		return d.ts.Program()
	}
	return d.program
}

// Format returns what the source sends, Unknown until that is certain.
func (d *Demuxer) Format() Format { return d.format }

// Err returns why the source cannot be read, nil as long as it may be. It
// wraps mux.ErrUnknownFormat, and names what the input is where it shows.
// There will be no units.
func (d *Demuxer) Err() error { return d.err }
