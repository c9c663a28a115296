package audio

import (
	"headwater/mux"
	"headwater/mux/id3"
)

// Recognise reports whether b, the first bytes of a connection, is raw MP3 or
// ADTS AAC: whether three frame headers in a row agree, anywhere in b. offset
// is where the first of them stands, which is after junk or an ID3v2 tag.
//
// An ID3v2 tag at the start of b is enough to be ok; if it is longer than b or
// no frames follow in b, c is CodecUnknown and offset 0, and [NewDemuxer]
// finds out.
//
// Frames of very low bit rates also agree inside the packets of a transport
// stream, so look for that first.
func Recognise(b []byte) (c mux.Codec, offset int, ok bool) {
	tag := id3.Size(b)
	f := framer{buf: view{new: b}}
	for i := f.buf.index(min(tag, len(b)), 0xff); i < len(b); i = f.buf.index(i+1, 0xff) {
		h, v := f.header(i)
		if v != yes {
			continue
		}
		if f.confirmed(i, h) == yes {
			return h.codec, i, true
		}
	}
	return mux.CodecUnknown, 0, tag > 0
}
