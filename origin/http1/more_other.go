//go:build !linux

package http1

// writeMore writes p, which something follows at once.
func (c *conn) writeMore(p []byte) error {
	_, err := c.Write(p)
	return err
}
