package http1

import (
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
)

// Field is a header field of an answer: its name as it is sent, and its value
// as net/http keeps it. Both are shared by many answers and are never
// changed; only the first value counts.
type Field struct {
	Name  string
	Value []string
}

// maxFields is how many fields a [Reply] can have. All answers of ours have
// less, besides those of [Config].
const maxFields = 12

// Reply is an answer: a status, header fields and a body that exists already.
// It is filled by a [Handler] and sent by a connection of ours or, with
// [Reply.WriteTo], by net/http. To fill and to send it allocates nothing.
type Reply struct {
	Status int
	// Tag is the handler's own: what it will want to know when the reply has
	// been sent.
	Tag int

	fields [maxFields]Field
	n      int     // of fields
	shared []Field // besides
	icy    bool    // the status line is one of ICY

	text   []byte   // the body, or
	slices [][]byte // the body is in these, or
	file   *os.File // the body comes from where this stands
	start  int64    // in slices
	length int64    // of the body

	take    func(net.Conn) // sends a body without end, if it is not nil
	chunked bool           // in chunks
	soon    bool           // it begins at once
}

// Reset makes the reply empty.
func (r *Reply) Reset() { *r = Reply{} }

// Set sets a header field, and replaces what was set under its name.
func (r *Reply) Set(name string, value []string) {
	for i := range r.fields[:r.n] {
		if r.fields[i].Name == name {
			r.fields[i].Value = value
			return
		}
	}
	r.fields[r.n] = Field{name, value}
	r.n++
}

// Delete removes a header field.
func (r *Reply) Delete(name string) {
	for i := range r.fields[:r.n] {
		if r.fields[i].Name == name {
			r.n--
			r.fields[i] = r.fields[r.n]
			return
		}
	}
}

// SetShared adds header fields of other names than those of Set. They are not
// changed any more.
func (r *Reply) SetShared(fields []Field) { r.shared = fields }

// SetICY has the status line begin with ICY in place of the version of HTTP, as
// the first servers of radio did. [Reply.WriteTo] does not do so.
func (r *Reply) SetICY() { r.icy = true }

// SetText makes b, which is not changed any more, the body.
func (r *Reply) SetText(b []byte) {
	r.closeFile()
	r.text, r.slices, r.length = b, nil, int64(len(b))
}

// SetSlices makes length bytes from start on of what slices hold the body.
// They are not changed any more.
func (r *Reply) SetSlices(slices [][]byte, start, length int64) {
	r.closeFile()
	r.text, r.slices, r.start, r.length = nil, slices, start, length
}

// SetFile makes the next length bytes of f the body. The reply closes f.
func (r *Reply) SetFile(f *os.File, length int64) {
	r.closeFile()
	r.text, r.slices, r.file, r.length = nil, nil, f, length
}

// SetEndless has take send the body, once the head has been sent: it owns the
// connection from then on, and is the only one to close it. Without chunks the end of the
// connection is that of the body. If that begins soon, the head may wait for it.
// [Reply.WriteTo] does not call it.
func (r *Reply) SetEndless(chunked, soon bool, take func(c net.Conn)) {
	r.take, r.chunked, r.soon = take, chunked, soon
}

// Text returns the body if SetText made it, else nil.
func (r *Reply) Text() []byte { return r.text }

// Length is that of the body in bytes.
func (r *Reply) Length() int64 { return r.length }

func (r *Reply) closeFile() {
	if r.file != nil {
		r.file.Close() // it was only read
		r.file = nil
	}
}

// appendHead appends the status line and the fields.
func (r *Reply) appendHead(b []byte) []byte {
	version := "HTTP/1.1 "
	if r.icy {
		version = "ICY "
	}
	b = append(b, version...)
	b = strconv.AppendInt(b, int64(r.Status), 10)
	b = append(b, ' ')
	b = append(b, http.StatusText(r.Status)...)
	b = append(b, "\r\n"...)
	for i := range r.fields[:r.n] {
		b = appendField(b, &r.fields[i])
	}
	for i := range r.shared {
		b = appendField(b, &r.shared[i])
	}
	return b
}

func appendField(b []byte, f *Field) []byte {
	b = append(b, f.Name...)
	b = append(b, ": "...)
	b = append(b, f.Value[0]...)
	return append(b, "\r\n"...)
}

// WriteTo answers a request of net/http, which asked for the head only if head
// is set. It returns how many bytes of the body were sent.
func (r *Reply) WriteTo(w http.ResponseWriter, head bool) (n int64) {
	defer r.closeFile()
	h := w.Header()
	for i := range r.fields[:r.n] {
		h[r.fields[i].Name] = r.fields[i].Value
	}
	for i := range r.shared {
		h[r.shared[i].Name] = r.shared[i].Value
	}
	w.WriteHeader(r.Status)
	if head || r.length == 0 {
		return 0
	}
	switch { // a client that went away is no fault: n says so
	case r.text != nil:
		k, _ := w.Write(r.text)
		return int64(k)
	case r.file != nil:
		n, _ = readFrom(w, &io.LimitedReader{R: r.file, N: r.length})
	default:
		n, _ = readFrom(w, newSliceReader(r.slices, r.start, r.length))
	}
	return n
}

// readFrom lets w, if it can, take src in its own way: net/http hands it over
// to the connection.
func readFrom(w http.ResponseWriter, src io.Reader) (int64, error) {
	if to, ok := w.(io.ReaderFrom); ok {
		return to.ReadFrom(src)
	}
	return io.Copy(w, src)
}

// sliceReader reads a part of bytes that lie in slices. It gives them out
// whole to a connection of ours.
type sliceReader struct {
	slices  [][]byte // not changed
	offset  int      // in the first slice
	left    int64
	buffers net.Buffers // reused for each piece
}

func newSliceReader(slices [][]byte, start, length int64) *sliceReader {
	r := &sliceReader{slices: slices, left: length}
	r.skip(start)
	return r
}

// skip passes over n bytes.
func (r *sliceReader) skip(n int64) {
	for len(r.slices) > 0 {
		have := int64(len(r.slices[0]) - r.offset)
		if n < have {
			r.offset += int(n)
			return
		}
		n -= have
		r.slices, r.offset = r.slices[1:], 0
	}
}

// Read copies: it is for connections that are not ours, and for the first
// bytes that net/http sends.
func (r *sliceReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && r.left > 0 && len(r.slices) > 0 {
		k := copy(p[n:], r.slices[0][r.offset:][:min(int64(len(r.slices[0])-r.offset), r.left)])
		n, r.left = n+k, r.left-int64(k)
		r.skip(int64(k))
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// WriteTo copies nothing.
func (r *sliceReader) WriteTo(w io.Writer) (sent int64, err error) {
	for r.left > 0 && len(r.slices) > 0 {
		piece := r.slices[0][r.offset:]
		piece = piece[:min(int64(len(piece)), r.left)]
		n, err := w.Write(piece)
		sent, r.left = sent+int64(n), r.left-int64(n)
		r.skip(int64(n))
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// maxBuffers is how many slices the kernel takes at a time (IOV_MAX).
const maxBuffers = 1024

// next returns head, if there is one, and what follows of the slices, or
// nothing at the end.
func (r *sliceReader) next(head []byte) net.Buffers {
	b := r.buffers[:0]
	if len(head) > 0 {
		b = append(b, head)
	}
	for r.left > 0 && len(r.slices) > 0 && len(b) < maxBuffers {
		piece := r.slices[0][r.offset:]
		piece = piece[:min(int64(len(piece)), r.left)]
		b = append(b, piece)
		r.left -= int64(len(piece))
		r.skip(int64(len(piece)))
	}
	r.buffers = b
	return b
}
