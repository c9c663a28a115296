package store

import "os"

// writeAll writes data to f in order.
func writeAll(f *os.File, data [][]byte) error {
	for _, b := range data {
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
	return nil
}
