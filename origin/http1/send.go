package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// send sends the reply, or has it sent by the next flush. Its bytes are handed
// over as they lie: slices by writev, files by sendfile.
func (c *conn) send(closing bool) error {
	defer c.rep.closeFile()
	c.gatherHead(closing)
	var n int64
	var err error
	switch {
	case c.req.Head || c.rep.length == 0:
	case c.rep.file != nil:
		n, err = c.sendFile()
	case c.rep.text != nil && c.rep.length <= smallBody:
		c.out = append(c.out, c.rep.text...)
		n = c.rep.length
	case c.rep.text != nil:
		n, err = c.sendSlices(newSliceReader([][]byte{c.rep.text}, 0, c.rep.length))
	default:
		n, err = c.sendSlices(newSliceReader(c.rep.slices, c.rep.start, c.rep.length))
	}
	c.server.cfg.Handler.Sent(&c.req, &c.rep, n)
	return err
}

// gatherHead gathers the head of the reply.
func (c *conn) gatherHead(closing bool) {
	if c.buffer == nil {
		c.buffer = c.server.buffers.Get().(*[]byte)
		c.out = (*c.buffer)[:0]
	}
	c.out = c.rep.appendHead(c.out)
	c.out = append(c.out, c.server.fields...)
	c.out = c.server.date.append(c.out, time.Now())
	if c.rep.chunked {
		c.out = append(c.out, "Transfer-Encoding: chunked\r\n"...)
	}
	if closing {
		c.out = append(c.out, "Connection: close\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
}

// giveAway sends the head of the reply, and lets its owner send the rest.
func (c *conn) giveAway() {
	c.gatherHead(true)
	var err error
	if c.rep.soon {
		err = c.writeMore(c.out)
		c.giveBuffer()
	} else {
		err = c.flush()
	}
	c.server.cfg.Handler.Sent(&c.req, &c.rep, 0)
	away := c.server.giveAway(c)
	if err != nil {
		away.Close() // as its owner will find
	}
	c.rep.take(away)
}

// flush sends what was gathered.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Write(c.out)
	c.giveBuffer()
	return err
}

// giveBuffer gives the buffer of what was gathered back: idle connections have none.
func (c *conn) giveBuffer() {
	if cap(c.out) <= 2*smallBody {
		*c.buffer = c.out
		c.server.buffers.Put(c.buffer)
	}
	c.buffer, c.out = nil, nil
}

// sendFile sends the file of the reply behind what was gathered.
func (c *conn) sendFile() (int64, error) {
	err := c.writeMore(c.out)
	c.giveBuffer()
	if err != nil {
		return 0, err
	}
	n, err := c.ReadFrom(&io.LimitedReader{R: c.rep.file, N: c.rep.length})
	if err == nil && n < c.rep.length {
		err = io.ErrUnexpectedEOF // the client must not take it for the whole (hls-rules D19)
	}
	return n, err
}

// sendSlices sends src behind what was gathered.
func (c *conn) sendSlices(src *sliceReader) (int64, error) {
	head := int64(len(c.out))
	n, err := c.writeSlices(src, c.out)
	c.giveBuffer()
	return max(0, n-head), err
}

// Write writes all of p. It fails with [os.ErrDeadlineExceeded] if the client
// takes nothing for stallTimeout; a slow one may be as slow as it likes
// (hls-rules D20). So do ReadFrom and what answers requests.
func (c *conn) Write(p []byte) (n int, err error) {
	for {
		if err := c.extendWrite(); err != nil {
			return n, err
		}
		k, err := c.Conn.Write(p[n:])
		n += k
		if n == len(p) || !c.goesOn(int64(k), err) {
			return n, err
		}
	}
}

// ReadFrom sends all of r: files by sendfile, the slices of a [Reply] by
// writev. net/http calls it with what a handler gives to its own ReadFrom.
func (c *conn) ReadFrom(r io.Reader) (n int64, err error) {
	switch src := r.(type) {
	case *sliceReader:
		return c.writeSlices(src, nil)
	case *io.LimitedReader:
		to, ok := c.Conn.(io.ReaderFrom)
		if _, isFile := src.R.(*os.File); !ok || !isFile {
			break
		}
		all := src.N
		for {
			if err := c.extendWrite(); err != nil {
				return n, err
			}
			k, err := to.ReadFrom(src)
			n += k
			// Where sendfile does not work, more may have been read than was sent.
			if src.N == 0 || src.N != all-n || !c.goesOn(k, err) {
				return n, err
			}
		}
	}
	return io.Copy(writerOnly{c}, r)
}

func (c *conn) writeSlices(src *sliceReader, head []byte) (n int64, err error) {
	b := src.next(head)
	for len(b) > 0 {
		if err := c.extendWrite(); err != nil {
			return n, err
		}
		k, err := b.WriteTo(c.Conn) // takes what is sent off b
		n += k
		if err != nil && !c.goesOn(k, err) {
			return n, err
		}
		if len(b) == 0 {
			b = src.next(nil)
		}
	}
	return n, nil
}

// goesOn reports whether a write that ended with err and sent n bytes is to be
// continued: the deadline ended it, but the client does take something.
func (c *conn) goesOn(n int64, err error) bool {
	c.writeUntil = time.Time{}
	return n > 0 && errors.Is(err, os.ErrDeadlineExceeded)
}

// Deadlines are moved only when they would move by more than deadlineSlack,
// for that costs more than all else here.

// extendWrite allows the client another stallTimeout.
func (c *conn) extendWrite() error {
	want := time.Now().Add(stallTimeout)
	if want.Sub(c.writeUntil) < deadlineSlack {
		return nil
	}
	c.writeUntil = want
	return c.SetWriteDeadline(want)
}

// extendRead allows the client to send nothing for so long.
func (c *conn) extendRead(d time.Duration) error {
	want := time.Now().Add(d)
	if late := want.Sub(c.readUntil); 0 <= late && late < deadlineSlack {
		return nil
	}
	c.readUntil = want
	return c.SetReadDeadline(want)
}

// writerOnly hides ReadFrom from io.Copy.
type writerOnly struct{ io.Writer }

var _ net.Conn = (*conn)(nil)
