package live

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// send writes to a socket without waiting. It goes past the file layer of the
// kernel, and past the scheduler of Go, which need not be told of a call that
// cannot wait: together a fifth of what a listener costs.
func send(fd int, p []byte) (int, error) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

// sendSlices is send for slices, of which there are more than one. Not all of
// them may be tried.
func sendSlices(fd int, slices [][]byte) (int, error) {
	var pieces [64]unix.Iovec // seconds of sound between notices
	n := min(len(slices), len(pieces))
	for i, s := range slices[:n] {
		pieces[i].Base = unsafe.SliceData(s)
		pieces[i].SetLen(len(s))
	}
	m := unix.Msghdr{Iov: &pieces[0]}
	m.SetIovlen(n)
	sent, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	if errno != 0 {
		return -1, errno
	}
	return int(sent), nil
}
