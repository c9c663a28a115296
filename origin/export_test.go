package origin

import (
	"net/http"
	"net/netip"
	"time"
	"unique"

	"headwater/origin/http1"
	"headwater/segmenter"
)

// For tests of what requests are made of.

var (
	AcceptsGzip = acceptsGzip
	Bandwidth   = bandwidth
)

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

// Need is what a stream needs of the memory, and Bound what it gets.
type Need struct {
	Held, Full, Floor, Last int64
	Rank                    int
	Idle                    bool
}

// Bound is what a stream gets; all is zero if it has no bound.
type Bound struct {
	Bytes int64
	Least int
	Early bool
}

func Divide(budget int64, needs []Need) []Bound {
	var in []need
	for _, n := range needs {
		in = append(in, need{load{held: n.Held, full: n.Full, floor: n.Floor}, n.Rank, n.Idle, n.Last})
	}
	out := make([]Bound, len(needs))
	for i, b := range divide(budget, in, segmenter.MinListed) {
		if b != nil {
			out[i] = Bound{b.bytes, b.least, b.early}
		}
	}
	return out
}

var (
	Rank    = rank
	Metaint = metaint
)

// Measure does what the server does each second.
func (s *Server) Measure(now time.Time) { s.measure(now) }

// Registry is where listeners are known.
type Registry struct{ registry }

// Enter adds a listener.
func (r *Registry) Enter(remote netip.AddrPort, agent string) {
	l := &listener{remote: remote, agent: unique.Make(agent), since: time.Now()}
	l.Owner = l
	r.add(l)
}

// Mover returns what moves the oldest listener that a has now to b, and reports
// whether it did.
func Mover(s *Server, a, b *Stream) (moves func() bool) {
	l := s.listeners.of(a)[0]
	return func() bool { return s.listeners.move(l, a, b) }
}
