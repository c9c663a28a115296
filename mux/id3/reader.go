package id3

import (
	"encoding/binary"

	"headwater/mux"
)

// maxKept bounds what of a frame is kept, the byte that tells the encoding
// included: a longer text is cut. The pictures and comments of a tag are passed
// over as they come.
const maxKept = 4 << 10

// Reader reads the title in an ID3v2 tag of version 2.2, 2.3 or 2.4 as its
// bytes come. It keeps the text of a title and no more than one frame of 4 KiB
// besides, whatever the tag says of its size. Frames that are compressed or
// encrypted are passed over. The zero value is ready for a tag; a Reader is
// not safe for concurrent use.
type Reader struct {
	step    func(*Reader) // what to do with kept once it has want bytes; nil at the end
	want    int
	kept    []byte
	skip    int  // bytes of the tag to pass over first
	left    int  // bytes of the tag to come, behind its header
	version byte // 2, 3 or 4
	unsync  bool // all of the tag, in versions 2 and 3; each frame in version 4
	escaped bool // the byte before was FF: a 00 that follows was put there

	id    string // of the frame under way
	size  int    // of what is behind its header
	flags byte   // of its format

	artist, name, url string
}

// Write takes the next bytes of the tag, from its header on. What stands behind
// its end is not looked at.
func (r *Reader) Write(p []byte) {
	if r.version == 0 && r.step == nil {
		r.expect(HeaderSize, (*Reader).header)
		r.left = HeaderSize
	}
	for len(p) > 0 && r.left > 0 && r.step != nil {
		if r.skip > 0 && !r.inserts() {
			n := min(len(p), r.skip, r.left)
			p, r.skip, r.left = p[n:], r.skip-n, r.left-n
			continue
		}
		p = r.take(p)
		for r.skip == 0 && r.step != nil && len(r.kept) == r.want {
			r.step(r)
		}
	}
}

// inserts reports whether a 00 stands behind each FF of the tag, which its
// sizes do not count (id3v2.3.0 §5).
func (r *Reader) inserts() bool { return r.unsync && r.version < 4 }

// take takes one byte to pass over, or as many as are wanted.
func (r *Reader) take(p []byte) []byte {
	if !r.inserts() {
		n := min(len(p), r.want-len(r.kept), r.left)
		r.kept = append(r.kept, p[:n]...)
		r.left -= n
		return p[n:]
	}
	c := p[0]
	r.left--
	inserted := r.escaped && c == 0
	r.escaped = c == 0xff
	switch {
	case inserted:
	case r.skip > 0:
		r.skip--
	default:
		r.kept = append(r.kept, c)
	}
	return p[1:]
}

// expect has step called when n bytes are there.
func (r *Reader) expect(n int, step func(*Reader)) { r.want, r.kept, r.step = n, r.kept[:0], step }

// end ignores what is left of the tag.
func (r *Reader) end() { r.step, r.left = nil, 0 }

// header takes the header of the tag.
func (r *Reader) header() {
	b := r.kept
	if Size(b) == 0 || b[3] < 2 || b[3] > 4 {
		r.version = 0xff
		r.end()
		return
	}
	r.version, r.unsync = b[3], b[5]&flagUnsync != 0
	r.left, _ = syncsafe(b[6:])
	switch {
	case b[5]&flagExtended == 0:
		r.frame()
	case r.version == 2: // there it says that the tag is compressed, by a scheme that never came
		r.end()
	default:
		r.expect(4, (*Reader).extended)
	}
}

// extended passes over the extended header.
func (r *Reader) extended() {
	n := int(int32(binary.BigEndian.Uint32(r.kept)))
	if r.version == 4 {
		n, _ = syncsafe(r.kept) // counts itself
		n -= 4
	}
	if n < 0 || n > r.left {
		r.end()
		return
	}
	r.skip = n
	r.frame()
}

// frame goes on to the next frame.
func (r *Reader) frame() {
	size := FrameHeaderSize
	if r.version == 2 {
		size = 6
	}
	r.expect(size, (*Reader).frameHeader)
}

// frameHeader takes the header of a frame.
func (r *Reader) frameHeader() {
	b := r.kept
	if b[0] == 0 { // padding
		r.end()
		return
	}
	if r.version == 2 {
		r.id, r.size, r.flags = string(b[:3]), int(b[3])<<16|int(b[4])<<8|int(b[5]), 0
	} else {
		r.id, r.size, r.flags = string(b[:4]), FrameSize(r.version, b), b[9]
	}
	if r.size < 0 || r.size > r.left {
		r.end()
		return
	}
	if r.size == 0 || r.target() == nil {
		r.skip = r.size
		r.frame()
		return
	}
	r.expect(min(r.size, maxKept), (*Reader).body)
}

// target returns what the frame under way says, nil if nobody wants to know.
func (r *Reader) target() *string {
	switch r.id {
	case "TIT2", "TT2":
		return &r.name
	case "TPE1", "TP1":
		return &r.artist
	case "WXXX", "WXX":
		return &r.url
	}
	return nil
}

// body takes what is behind the header of a frame. Of two frames that say the
// same the first one counts.
func (r *Reader) body() {
	to, rest := r.target(), r.size-len(r.kept)
	if b, ok := r.content(); ok && *to == "" {
		if to == &r.url {
			*to = url(b)
		} else {
			*to = text(b)
		}
	}
	r.skip = rest
	r.frame()
}

// content returns the bytes of the frame under way. It is not ok if they are
// compressed or encrypted (id3v2.4.0-structure §4.1, id3v2.3.0 §3.3.1).
func (r *Reader) content() (b []byte, ok bool) {
	b = r.kept
	head, coded := 0, byte(0)
	switch r.version {
	case 3:
		coded = 0xc0
		if r.flags&0x20 != 0 { // group
			head++
		}
	case 4:
		coded = 0x0c
		if r.flags&0x40 != 0 { // group
			head++
		}
		if r.flags&0x01 != 0 { // length of the data
			head += 4
		}
	}
	if r.flags&coded != 0 || head > len(b) {
		return nil, false
	}
	b = b[head:]
	if r.version == 4 && (r.unsync || r.flags&0x02 != 0) {
		b = resync(b)
	}
	return b, true
}

// resync returns b without the 00 behind each FF, in the memory of b.
func resync(b []byte) []byte {
	out := b[:0]
	for i, c := range b {
		if c != 0 || i == 0 || b[i-1] != 0xff {
			out = append(out, c)
		}
	}
	return out
}

// Title returns what was read so far. It is not ok if there is no title: a tag
// that names only an artist has that for its title.
func (r *Reader) Title() (t mux.Title, ok bool) {
	t = mux.Title{Artist: r.artist, Name: r.name, URL: r.url}
	if t.Name == "" {
		t.Artist, t.Name = "", t.Artist
	}
	return t, t.Name != ""
}

// Parse returns the title in the ID3v2 tag that b starts with. It is not ok if
// there is none.
func Parse(b []byte) (t mux.Title, ok bool) {
	var r Reader
	r.Write(b)
	return r.Title()
}

// V1Size is the length of an ID3v1 tag.
const V1Size = 128

// ParseV1 returns the title in the ID3v1 tag that b starts with. It is not ok
// if there is none. Such a tag is the end of a file, so it names what came
// before it.
func ParseV1(b []byte) (t mux.Title, ok bool) {
	if len(b) < V1Size || string(b[:3]) != "TAG" {
		return mux.Title{}, false
	}
	const field = 30
	t = mux.Title{Artist: v1Text(b[3+field : 3+2*field]), Name: v1Text(b[3 : 3+field])}
	if t.Name == "" {
		t.Artist, t.Name = "", t.Artist
	}
	return t, t.Name != ""
}

// v1Text returns the text of a field, which NUL or spaces fill up.
func v1Text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	return clean(decode(latin1Text, b))
}
