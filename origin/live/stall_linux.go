package live

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// giveUp has the kernel end a connection whose client has acknowledged nothing,
// or had no room, for so long. Without that it would show only once the kernel
// holds megabytes for it, which is minutes of sound. If it cannot be set, it
// shows then.
func giveUp(c net.Conn, after time.Duration) {
	raw := bottom(c)
	if raw == nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
	})
}
