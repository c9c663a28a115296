package origin

import (
	"context"
	"net/http"
)

// Guard says who may change what. It is safe for concurrent use. remote is the
// address of who asks, host:port; user may be empty, and anything.
type Guard interface {
	// Admin reports whether the password is the administrator's.
	Admin(ctx context.Context, user, password, remote string) bool
	// Source reports whether who has the password may send to a stream, which
	// may set its titles as well.
	Source(ctx context.Context, stream, user, password, remote string) bool
}

// mayAdminister reports whether a request comes from the administrator. If it
// does not, it has been answered.
func (s *Server) mayAdminister(w http.ResponseWriter, r *http.Request) bool {
	if s.refuseOtherSite(w, r) {
		return false
	}
	user, password, ok := r.BasicAuth()
	if ok && s.cfg.Guard != nil && s.cfg.Guard.Admin(r.Context(), user, password, r.RemoteAddr) {
		return true
	}
	s.challenge(w, r)
	return false
}

// maySource reports whether a request comes from who may send to a stream, or
// from the administrator. If it does not, it has been answered.
func (s *Server) maySource(w http.ResponseWriter, r *http.Request, stream string) bool {
	if s.refuseOtherSite(w, r) {
		return false
	}
	user, password, ok := r.BasicAuth()
	if g := s.cfg.Guard; ok && g != nil && // the administrator's name is not asked of services
		(user == adminUser && g.Admin(r.Context(), user, password, r.RemoteAddr) ||
			g.Source(r.Context(), stream, user, password, r.RemoteAddr)) {
		return true
	}
	s.challenge(w, r)
	return false
}

// refuseOtherSite answers requests that the page of another site has a browser
// make, which sends passwords by itself, and reports whether it has.
func (s *Server) refuseOtherSite(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") != "cross-site" {
		return false
	}
	s.fail(w, r, http.StatusForbidden, s.headers.noStore, "this is not for pages of other sites")
	return true
}

// adminUser is the name that administrators go by, as with Icecast.
const adminUser = "admin"

// challenge asks for a password.
func (s *Server) challenge(w http.ResponseWriter, r *http.Request) {
	w.Header()["Www-Authenticate"] = s.headers.challenge
	s.fail(w, r, http.StatusUnauthorized, s.headers.noStore, "this needs a password: log in as admin, or as source with the password of the stream")
}
