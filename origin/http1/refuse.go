package http1

import (
	"io"
	"net"
	"strconv"
	"time"
)

const refusePatience = time.Second // for a client to read that it shall come back later

// refuse tells a connection to come back later, and closes it. It does so
// slowly: what a client has sent and nobody has read would make the kernel
// throw the answer away. Of a flood, the rest is just closed.
func (s *Server) refuse(c net.Conn) {
	select {
	case s.refusing <- struct{}{}:
	default:
		c.Close()
		return
	}
	s.serving.Go(func() {
		defer func() { c.Close(); <-s.refusing }()
		const sentence = "the server has as many connections as it can take\n"
		if c.SetDeadline(time.Now().Add(refusePatience)) != nil {
			return
		}
		b := []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: ")
		b = strconv.AppendInt(b, int64(len(sentence)), 10)
		b = append(b, "\r\n"...)
		b = append(b, s.fields...)
		b = s.date.append(b, time.Now())
		b = append(b, "\r\n"+sentence...)
		if _, err := c.Write(b); err != nil {
			return
		}
		if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			io.CopyN(io.Discard, c, maxHeaderBytes) // until the client has hung up
		}
	})
}
