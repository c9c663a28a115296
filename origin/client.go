package origin

import (
	"net/netip"
	"slices"
	"strings"

	"headwater/origin/http1"
)

// client returns the address that a request comes from. What X-Forwarded-For
// says counts only where a proxy that is trusted says it: each adds whom it was
// asked by at the end.
func (s *Server) client(req *http1.Request) netip.AddrPort {
	remote := req.Remote()
	if !s.trusts(remote.Addr()) {
		return remote
	}
	asked := strings.Split(req.Get(http1.ForwardedFor), ",")
	for _, hop := range slices.Backward(asked) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		remote = netip.AddrPortFrom(addr.Unmap().WithZone(""), 0)
		if !s.trusts(remote.Addr()) {
			break
		}
	}
	return remote
}

// trusts reports whether addr is that of a trusted proxy.
func (s *Server) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.cfg.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}
