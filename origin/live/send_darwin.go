package live

import "golang.org/x/sys/unix"

// send writes to a socket, which does not wait since Go made it so.
func send(fd int, p []byte) (int, error) { return unix.Write(fd, p) }

// maxSlices is how many slices the kernel takes at a time (IOV_MAX).
const maxSlices = 1024

// sendSlices is send for slices.
func sendSlices(fd int, slices [][]byte) (int, error) {
	return unix.Writev(fd, slices[:min(len(slices), maxSlices)])
}
