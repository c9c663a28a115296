package live

import (
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel asks what the kernel has of one connection.
type kernel struct {
	raw syscall.RawConn
	ask func(fd uintptr) // look, made once
	n   int              // results of ask
	ok  bool
}

// newKernel returns one for the connection below c, or nil if it cannot be asked.
func newKernel(c net.Conn) *kernel {
	raw := bottom(c)
	if raw == nil {
		return nil
	}
	k := &kernel{raw: raw}
	k.ask = k.look
	if _, ok := k.unsent(); !ok {
		return nil
	}
	return k
}

// unsent returns how many bytes the kernel was given and has not sent even once.
func (k *kernel) unsent() (n int, ok bool) {
	err := k.raw.Control(k.ask)
	return k.n, err == nil && k.ok
}

func (k *kernel) look(fd uintptr) {
	var n int32
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, fd, unix.SIOCOUTQNSD, uintptr(unsafe.Pointer(&n))) // it cannot wait
	k.n, k.ok = int(n), errno == 0
}

// limitBuffer bounds what the kernel holds for a connection, on its way or not.
// It takes twice as much for what it needs besides. If that cannot be done, all
// goes on as well.
func limitBuffer(raw syscall.RawConn, bytes int64) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF, int(min(bytes, 1<<30)))
	})
}
