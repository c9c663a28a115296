package live

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel asks what the kernel has of one connection.
type kernel struct {
	raw syscall.RawConn
	ask func(fd uintptr) // look, made once
	fd  uintptr          // the one to ask without raw, or 0: others may close the connection
	n   int              // results of ask
	ok  bool
}

// newKernel returns one for a connection, or nil if it cannot be asked. owned:
// only the caller closes the connection, and asks no more then.
func newKernel(raw syscall.RawConn, owned bool) *kernel {
	if raw == nil {
		return nil
	}
	k := &kernel{raw: raw}
	k.ask = k.look
	if _, ok := k.unsent(); !ok {
		return nil
	}
	if owned {
		_ = raw.Control(func(fd uintptr) { k.fd = fd })
	}
	return k
}

// unsent returns how many bytes the kernel was given and has not sent even once.
func (k *kernel) unsent() (n int, ok bool) {
	if k.fd != 0 {
		k.look(k.fd)
		return k.n, k.ok
	}
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

// giveUp has the kernel end a connection whose client has acknowledged nothing,
// or had no room, for so long. Without that it would show only once the kernel
// holds megabytes for it, which is minutes of sound. If it cannot be set, it
// shows then.
func giveUp(raw syscall.RawConn, after time.Duration) {
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
	})
}
