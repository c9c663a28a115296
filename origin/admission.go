package origin

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
	"unique"

	"headwater/origin/http1"
	"headwater/origin/live"
)

// meterInterval is how often the bandwidth is measured.
const meterInterval = time.Second

// admission decides whether there is bandwidth for another listener of a
// continuous output. Between two measurements, which one goroutine makes, it
// counts what it has promised, so that deciding takes no lock.
type admission struct {
	limit    int64                                // bits a second; 0: none
	measured atomic.Int64                         // bits a second at the last measurement
	claimed  atomic.Int64                         // bits a second promised since then
	rates    atomic.Pointer[map[*live.Tail]int64] // of tails with listeners, bits a second at the last measurement; never changed
	served   throughput                           // of HLS and all else that ends; owned by the one that measures
}

// rate returns the bit rate of a tail.
func (a *admission) rate(tail *live.Tail) int64 {
	if rates := a.rates.Load(); rates != nil {
		if rate, ok := (*rates)[tail]; ok {
			return rate
		}
	}
	return tail.Rate()
}

// admit reports whether there is room for a listener of so many bits a second,
// and promises them.
func (a *admission) admit(rate int64) bool {
	if a.limit == 0 {
		return true
	}
	if a.measured.Load()+a.claimed.Add(rate) <= a.limit {
		return true
	}
	a.claimed.Add(-rate)
	return false
}

// update measures anew: how fast the tails are and who listens, and that so
// many bytes of all else have been sent until now. What is promised meanwhile
// is counted twice until the next time, rather than not at all.
func (a *admission) update(tails []*live.Tail, served uint64, now time.Time) {
	claimed := a.claimed.Load()
	rates := make(map[*live.Tail]int64, len(tails))
	used := a.served.rate(served, now)
	for _, t := range tails {
		if n := t.Listeners(); n > 0 {
			rates[t] = t.Rate()
			used += rates[t] * int64(n)
		}
	}
	a.rates.Store(&rates)
	a.measured.Store(used)
	a.claimed.Add(-claimed)
}

// used returns the bandwidth that is promised or was used, in bits a second.
func (a *admission) used() int64 { return a.measured.Load() + a.claimed.Load() }

// throughput measures the rate of a count of bytes over the last ten times that
// it was told, so that players who fetch a segment now and then count evenly.
type throughput struct {
	readings [11]reading
	n        int // readings so far
}

type reading struct {
	bytes uint64
	at    time.Time
}

// rate returns the rate in bits a second up to now.
func (m *throughput) rate(bytes uint64, now time.Time) int64 {
	m.readings[m.n%len(m.readings)] = reading{bytes, now}
	m.n++
	oldest := m.readings[max(0, m.n-len(m.readings))%len(m.readings)]
	length := now.Sub(oldest.at)
	if length <= 0 {
		return 0
	}
	return int64(float64(bytes-oldest.bytes) * 8 / length.Seconds())
}

// meter keeps the admission informed until ctx ends.
func (s *Server) meter(ctx context.Context) {
	t := time.NewTimer(untilGrid(meterInterval))
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.measure(time.Now())
			t.Reset(untilGrid(meterInterval))
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) measure(now time.Time) {
	var tails []*live.Tail
	for _, st := range *s.streams.Load() {
		st.out.each(func(t *live.Tail) { tails = append(tails, t) })
	}
	var served uint64
	for k := range kinds {
		if k != kindContinuous { // what listeners were sent is counted when they go
			served += s.counts.bytes[k].Load()
		}
	}
	s.admission.update(tails, served, now)
	s.emitListeners(now)
	s.counts.expired.Add(uint64(s.listeners.expire(now)))
}

// admit counts a listener of a tail, or answers why it cannot be one and returns
// nil.
func (s *Server) admit(req *http1.Request, rep *http1.Reply, st *Stream, rt route, tail *live.Tail) *listener {
	l := &listener{remote: s.client(req), agent: unique.Make(cut(req.Get(http1.UserAgent), maxAgent)), since: time.Now()}
	l.Owner = l
	l.stream.Store(st)
	if st.cfg.MaxListenerTime > 0 {
		l.until = l.since.Add(st.cfg.MaxListenerTime)
	}
	status, sentence := http.StatusServiceUnavailable, ""
	switch {
	case s.counts.listeners.Add(1) > int64(s.cfg.MaxListeners):
		sentence = "the server has as many listeners as it can take"
	case st.audience.full(st.cfg.MaxListeners):
		s.counts.full.Add(1)
		sentence = "stream " + st.Name() + " has as many listeners as it may have"
	case !s.listeners.add(l):
		st.audience.leave()
		s.counts.repeated.Add(1)
		status, sentence = http.StatusForbidden, "there are as many listeners from your address as there may be"
	case !s.admission.admit(s.admission.rate(tail)):
		s.listeners.remove(l)
		st.audience.leave()
		s.counts.crowded.Add(1)
		sentence = "the server has no bandwidth left for another listener"
	default:
		if st.cfg.Gate != nil && !s.letIn(req, rep, st, rt, l) {
			return nil
		}
		return l
	}
	s.counts.listeners.Add(-1)
	s.counts.refused.Add(1)
	s.refuse(rep, status, s.headers.noStore, sentence)
	return nil
}

// letIn asks the gate of a stream for a listener that has been counted. If it may
// not be one it is so no longer, and that has been answered.
func (s *Server) letIn(req *http1.Request, rep *http1.Reply, st *Stream, rt route, l *listener) bool {
	v := s.visitor(req, st, rt)
	v.ID = l.id
	verdict := st.cfg.Gate.Enter(context.Background(), v)
	if !verdict.Allowed {
		s.uncount(l)
		s.counts.strangers.Add(1)
		s.turnAway(rep, &verdict)
		return false
	}
	l.admitted = &admitted{st.cfg.Gate, v}
	if verdict.Limit > 0 {
		s.listeners.limit(l, l.since.Add(verdict.Limit))
	}
	return true
}

// maxAgent bounds what is kept of what a listener says it is.
const maxAgent = 256

// cut returns at most so many bytes of text.
func cut(text string, most int) string { return text[:min(len(text), most)] }
