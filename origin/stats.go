package origin

import (
	"net/http"
	"sync/atomic"
)

// statuses are the status codes that headwater answers with; others are
// counted together at the end.
var statuses = [...]int{200, 204, 206, 304, 400, 404, 405, 410, 412, 416, 500, 503, 0}

// statusIndex returns the place of a status code in statuses.
func statusIndex(status int) int {
	for i, s := range statuses {
		if s == status {
			return i
		}
	}
	return len(statuses) - 1
}

// counters are kept by a server. They only rise, but for those in flight.
type counters struct {
	requests  [kinds][len(statuses)]atomic.Uint64
	bytes     [kinds]atomic.Uint64 // bodies, as handed to the connection
	listeners atomic.Int64         // of continuous outputs, now
	inFlight  atomic.Int64
	refused   atomic.Uint64 // connections, requests and listeners over a limit
	crowded   atomic.Uint64 // listeners for whom there was no bandwidth
	full      atomic.Uint64 // listeners of a stream that had enough
	repeated  atomic.Uint64 // listeners from an address that had enough
	strangers atomic.Uint64 // requests and listeners that a gate did not let in
	expired   atomic.Uint64 // listeners whose time was over
	panics    atomic.Uint64
	dropped   atomic.Uint64 // listeners that stopped reading
	lost      atomic.Uint64 // stored segments that could not be read
}

// Stats is what a server has counted since it was made.
type Stats struct {
	Requests  []RequestCount `json:"requests"`
	Listeners int64          `json:"listeners"`                 // of continuous outputs, now
	InFlight  int64          `json:"in_flight"`                 // requests, now
	Bandwidth int64          `json:"bandwidth"`                 // promised to listeners, and used by HLS: bits a second, now
	Refused   uint64         `json:"refused"`                   // over a limit
	Crowded   uint64         `json:"listeners_refused"`         // no bandwidth for them; counted as refused, too
	Full      uint64         `json:"listeners_refused_stream"`  // their stream had enough; likewise
	Repeated  uint64         `json:"listeners_refused_address"` // their address had enough; likewise
	Strangers uint64         `json:"unauthorized"`              // requests and listeners that may not have what they asked for
	Expired   uint64         `json:"listeners_expired"`         // their time was over
	Panics    uint64         `json:"panics"`                    // requests that ended by a fault of ours
	Dropped   uint64         `json:"listeners_dropped"`         // stopped reading
	Lost      uint64         `json:"segments_lost"`             // stored, but could not be read
	Memory    *MemoryState   `json:"memory,omitempty"`          // nil if it has no limit
}

// RequestCount counts the requests for one kind of resource.
type RequestCount struct {
	Kind     string         `json:"kind"`
	Statuses map[int]uint64 `json:"statuses"` // by status code; 0 for unusual ones
	Bytes    uint64         `json:"bytes"`    // of bodies
}

// Stats returns what was counted.
func (s *Server) Stats() Stats {
	c := &s.counts
	out := Stats{
		Listeners: c.listeners.Load(), InFlight: c.inFlight.Load(), Refused: c.refused.Load(),
		Bandwidth: s.admission.used(), Crowded: c.crowded.Load(), Full: c.full.Load(), Repeated: c.repeated.Load(), Expired: c.expired.Load(), Strangers: c.strangers.Load(),
		Panics: c.panics.Load(), Dropped: c.dropped.Load(), Lost: c.lost.Load(),
	}
	if s.governor != nil {
		out.Memory = s.governor.State()
	}
	for k := range kinds {
		r := RequestCount{Kind: kindNames[k], Statuses: map[int]uint64{}, Bytes: c.bytes[k].Load()}
		for i := range statuses {
			if n := c.requests[k][i].Load(); n > 0 {
				r.Statuses[statuses[i]] = n
			}
		}
		if len(r.Statuses) > 0 {
			out.Requests = append(out.Requests, r)
		}
	}
	return out
}

// countingWriter counts what a handler that is not ours sends.
type countingWriter struct {
	http.ResponseWriter
	status int
	bytes  uint64
}

func (w *countingWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += uint64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
