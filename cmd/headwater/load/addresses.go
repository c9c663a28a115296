package load

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Addresses returns the addresses that args name, each host:port or
// host:first-last for a range of ports, in their order. The error wraps [ErrOptions].
func Addresses(args []string) (addrs []string, err error) {
	for _, arg := range args {
		host, ports, err := net.SplitHostPort(arg)
		if err != nil || host == "" {
			return nil, fmt.Errorf("%w: %q is not HOST:PORT or HOST:FIRST-LAST", ErrOptions, arg)
		}
		from, to, isRange := strings.Cut(ports, "-")
		if !isRange {
			to = from
		}
		first, err1 := strconv.ParseUint(from, 10, 16)
		last, err2 := strconv.ParseUint(to, 10, 16)
		if err1 != nil || err2 != nil || first == 0 || last < first {
			return nil, fmt.Errorf("%w: the ports in %q are not 1 to 65535, or run backward", ErrOptions, arg)
		}
		for port := first; port <= last; port++ {
			addrs = append(addrs, net.JoinHostPort(host, strconv.FormatUint(port, 10)))
		}
	}
	return addrs, nil
}
