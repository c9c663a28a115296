package audio

import (
	"headwater/mux"
	"headwater/mux/codec"
)

// framer is what [Splitter] and [PESSplitter] share: the bytes in hand, and
// the format that was agreed on.
type framer struct {
	want  mux.Codec
	buf   view
	pos   int  // of the first byte of buf not yet dealt with
	final bool // nothing comes after buf
	arena arena

	known  bool // cur is valid
	cur    header
	format uint64 // counts the values of cur that were not the same
	probe  codec.AACProbe
	sure   bool // params is final for this format
	params mux.Parameters

	skipped, frames, losses uint64
}

// verdict is the answer to a question that bytes yet to come may decide.
type verdict uint8

const (
	no verdict = iota
	yes
	wait
)

// header reads the header at i.
func (f *framer) header(i int) (header, verdict) {
	var scratch [tagHead]byte
	b := f.buf.head(i, &scratch)
	if h, ok := parseHeader(b, f.want); ok {
		return h, yes
	}
	if len(b) < headerSize && !f.final {
		return header{}, wait
	}
	return header{}, no
}

// goesOn reports whether a frame of format h, or a tag, stands at i. The end
// of the input is as good.
func (f *framer) goesOn(i int, h header) verdict {
	var scratch [tagHead]byte
	b := f.buf.head(i, &scratch)
	if n, ok := parseHeader(b, f.want); ok {
		if n.same(h) {
			return yes
		}
		return no
	}
	switch {
	case len(b) < tagHead && !f.final:
		return wait
	case len(b) < headerSize, tagSize(b) > 0:
		return yes
	}
	return no
}

// confirmed reports whether two more frames like h follow the one at i
// (hls-rules C27). At the end of the input one is enough.
func (f *framer) confirmed(i int, h header) verdict {
	i += h.size()
	next, v := f.header(i)
	if v != yes {
		return v
	}
	if !next.same(h) {
		return no
	}
	return f.goesOn(i+next.size(), h)
}

// agree makes h the format in force.
func (f *framer) agree(h header) {
	if !f.known || !h.same(f.cur) {
		f.format++
		f.params, f.sure, f.probe = mux.Parameters{}, false, codec.AACProbe{}
	}
	f.known, f.cur = true, h
}

// take returns the frame h at pos and goes on behind it.
func (f *framer) take(h header) []byte {
	end := f.pos + h.size()
	frame := f.arena.slice(&f.buf, f.pos, end)
	f.pos = end
	switch {
	case f.sure:
	case h.codec == mux.CodecAAC:
		f.sure = f.probe.Add(frame)
		f.params = f.probe.Parameters()
	default:
		f.sure, f.params = true, h.mpeg.Parameters()
	}
	return frame
}

// drop passes over n bytes.
func (f *framer) drop(n int) {
	f.pos += n
	f.skipped += uint64(n)
}

// keep puts aside what is left of buf for the next call.
func (f *framer) keep() {
	rest := f.arena.slice(&f.buf, f.pos, f.buf.len())
	f.buf, f.pos = view{old: rest}, 0
}

// found returns the codec in force, else the one asked for.
func (f *framer) found() mux.Codec {
	if f.known {
		return f.cur.codec
	}
	return f.want
}

// certain returns params once they are final for the format in force.
func (f *framer) certain() mux.Parameters {
	if !f.sure {
		return mux.Parameters{}
	}
	return f.params
}
