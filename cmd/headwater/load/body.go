package load

import (
	"errors"
	"io"
)

// errChunk says that a chunked body breaks RFC 9112 §7.1.
var errChunk = errors.New("chunked coding broken")

// chunked decodes a chunked body (RFC 9112 §7.1) that comes in pieces cut
// anywhere. The zero value stands before the first chunk.
type chunked struct {
	state  chunkState
	size   int64 // left of the chunk
	digits int   // of its size
}

type chunkState uint8

const (
	chunkSize chunkState = iota
	chunkExtension
	chunkData
	chunkEnd // the line break behind the data
)

// next returns the data at the head of b, which may be empty, and what follows
// it. Call it until rest is empty. The error is io.EOF at the last chunk;
// what comes behind that is of no interest.
func (c *chunked) next(b []byte) (data, rest []byte, err error) {
	for len(b) > 0 {
		if c.state == chunkData {
			n := int(min(c.size, int64(len(b))))
			if c.size -= int64(n); c.size == 0 {
				c.state = chunkEnd
			}
			return b[:n], b[n:], nil
		}
		if err := c.step(b[0]); err != nil {
			return nil, nil, err
		}
		b = b[1:]
	}
	return nil, nil, nil
}

// step takes one byte that is not data.
func (c *chunked) step(b byte) error {
	switch {
	case b == '\n':
		return c.line()
	case b == '\r' || c.state == chunkExtension:
		return nil
	case c.state == chunkEnd:
		return errChunk
	case b == ';' || b == ' ' || b == '\t':
		c.state = chunkExtension
		return nil
	}
	digit, ok := hexDigit(b)
	if c.digits++; !ok || c.digits > 15 {
		return errChunk
	}
	c.size = c.size<<4 | int64(digit)
	return nil
}

// line ends a line.
func (c *chunked) line() error {
	if c.state == chunkEnd {
		*c = chunked{}
		return nil
	}
	if c.digits == 0 {
		return errChunk
	}
	if c.size == 0 {
		return io.EOF
	}
	c.state = chunkData
	return nil
}

func hexDigit(b byte) (byte, bool) {
	switch {
	case '0' <= b && b <= '9':
		return b - '0', true
	case 'a' <= b && b <= 'f':
		return b - 'a' + 10, true
	case 'A' <= b && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}

// titles takes the titles out of a body in which the server has put one after
// each interval bytes of media: Icecast's icy-metaint. With an interval of 0
// there are none.
type titles struct {
	interval int
	media    int // bytes to the next title
	skip     int // bytes left of the title
}

func newTitles(interval int) titles { return titles{interval: interval, media: interval} }

// next returns the media at the head of b, which may be empty, and what follows
// it. Call it until rest is empty.
func (t *titles) next(b []byte) (media, rest []byte) {
	if t.interval == 0 {
		return b, nil
	}
	if n := min(t.skip, len(b)); n > 0 {
		t.skip -= n
		return nil, b[n:]
	}
	if len(b) > 0 && t.media == 0 { // the length of the title in units of 16 bytes
		t.skip, t.media = int(b[0])*16, t.interval
		return nil, b[1:]
	}
	n := min(t.media, len(b))
	t.media -= n
	return b[:n], b[n:]
}

// body decodes what follows the head of an answer.
type body struct {
	chunks  chunked
	chunked bool
	titles  titles
}

// take calls media with each piece of media in b, and returns how many bytes of
// media there were. The error is io.EOF at the end of the body.
func (d *body) take(b []byte, media func([]byte)) (n int, err error) {
	for len(b) > 0 && err == nil {
		data := b
		if d.chunked {
			data, b, err = d.chunks.next(b)
		} else {
			b = nil
		}
		for len(data) > 0 {
			var m []byte
			if m, data = d.titles.next(data); len(m) > 0 {
				n += len(m)
				media(m)
			}
		}
	}
	return n, err
}
