//go:build !linux

package load

// poller is only to be had on Linux; elsewhere each listener has a goroutine.
type poller struct{}

func newPoller() (*poller, error) { return &poller{}, nil }

func (*poller) add(*listener) bool { return false }

func (*poller) stop() {}

func (*poller) run() {}
