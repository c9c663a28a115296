package http1

import (
	"os"
	"syscall"
)

// writeMore writes p, which something follows at once: the kernel need not
// send it in a packet of its own.
func (c *conn) writeMore(p []byte) error {
	sys, ok := c.Conn.(syscall.Conn)
	if !ok {
		_, err := c.Write(p)
		return err
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return err
	}
	if err := c.extendWrite(); err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) (done bool) {
		for len(p) > 0 {
			n, err := syscall.SendmsgN(int(fd), p, nil, nil, syscall.MSG_MORE)
			switch err {
			case nil:
				p = p[n:]
			case syscall.EINTR:
			case syscall.EAGAIN:
				return false
			default:
				failed = os.NewSyscallError("sendmsg", err)
				return true
			}
		}
		return true
	})
	if err == nil {
		err = failed
	}
	return err
}
