package origin

import (
	"net/http"
	"time"

	"headwater/origin/http1"
)

// For tests of what requests are made of.

var AcceptsGzip = acceptsGzip

// Route is parseRoute with what it says in words.
func Route(path string, known func(string) bool) (kind, stream, rendition, suffix string, gen, sequence uint64) {
	r := parseRoute(path, known)
	return kindNames[r.kind], r.stream, r.rendition, r.suffix, r.gen, r.sequence
}

// ParseRange is parseRange as "none", "partial" or "unsatisfiable".
func ParseRange(header string, size int64) (start, length int64, result string) {
	r, res := parseRange(header, size)
	return r.start, r.length, [...]string{"none", "partial", "unsatisfiable"}[res]
}

// CheckConditions evaluates the conditions of a request.
func CheckConditions(etag string, modified string, r *http.Request) int {
	t, err := http.ParseTime(modified)
	if err != nil {
		panic(err)
	}
	req := http1.From(r)
	return validator{etag, t}.check(&req)
}

// Changed returns a channel that is closed when the stream publishes next.
func Changed(s *Stream) <-chan struct{} { return s.snapshot.Load().changed }

// Admission is an admission with a limit, for tails that are measured when the
// test says so.
type Admission struct{ a admission }

func NewAdmission(limit int64) *Admission { return &Admission{admission{limit: limit}} }

func (a *Admission) Admit(rate int64) bool { return a.a.admit(rate) }
func (a *Admission) Used() int64           { return a.a.used() }
func (a *Admission) Update(served uint64, now time.Time) {
	a.a.update(nil, served, now)
}
