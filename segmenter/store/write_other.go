//go:build !linux

package store

import (
	"bufio"
	"os"
)

// writeBuffer bounds what is copied to make one system call of many short
// slices; longer slices are not copied.
const writeBuffer = 64 << 10

// writeAll writes data to f in order; what is short, in one system call.
func writeAll(f *os.File, data [][]byte) error {
	w := bufio.NewWriterSize(f, int(min(length(data), writeBuffer)))
	for _, b := range data {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return w.Flush()
}

// reserve does nothing: not all systems can do it without changing the size.
func reserve(*os.File, int64) {}
