package origin

import (
	"context"
	"log/slog"
	"math"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"headwater/segmenter"
)

const (
	governInterval = time.Second
	// garbagePart is how much larger than what lives on it the heap is, in per cent.
	garbagePart = 15
	// attention is how long a request shows that a stream is watched, in
	// seconds: by then it counts for a third.
	attention = 60
	// listenerRequests is how many requests a second a listener of a continuous
	// output counts for: as many as a player of HLS makes.
	listenerRequests = 1. / 3
	complainInterval = time.Minute // how often the log is told that memory is short
)

// ProgramBytes is how much memory a process needs for the program itself, which
// package runtime does not count.
const ProgramBytes = 16 << 20

// GovernorConfig says how a [Governor] works. Server and Limit are needed.
type GovernorConfig struct {
	Server *Server
	Limit  int64         // bytes of memory for the whole process
	Memory func() Memory // what the process uses; nil: what package runtime says
	Log    *slog.Logger  // nil: nothing is logged
}

// Memory is what a process uses of it, in bytes.
type Memory struct {
	Live   int64  // on the heap, after the last collection
	Beside int64  // stacks, and all else that is not heap
	Cycles uint64 // collections so far
}

// MemoryState is what a [Governor] knows, in bytes.
type MemoryState struct {
	Limit   int64 `json:"limit"`           // of the process
	Budget  int64 `json:"budget"`          // what is left of it for media
	Held    int64 `json:"held"`            // media
	Shorter int   `json:"streams_shorter"` // whose windows must be shorter than configured
	Short   bool  `json:"short"`           // the shortest windows are too much
}

// Governor keeps a process within its memory: where the windows of all streams
// would be too large, those of the streams that are watched least get shorter,
// as far as players can do with it. It decides; the streams do it.
type Governor struct {
	cfg     GovernorConfig
	watches map[*Stream]*watch
	cycles  uint64 // at the last look
	held    int64  // at the last look
	others  int64  // what lives on the heap and is no media
	state   atomic.Pointer[MemoryState]
	told    time.Time // when the log was told that memory is short
	shorter bool      // and that it still is
}

// watch is how much a stream is watched.
type watch struct {
	count uint64    // requests
	asked time.Time // for the last time
	score float64   // requests, the old ones counting less
	rank  int
	last  int64 // bytes that the stream was bound to; 0: none
}

// NewGovernor returns a governor of the streams of a server, which is not
// running yet. It starts nothing.
func NewGovernor(cfg GovernorConfig) *Governor {
	if cfg.Memory == nil {
		cfg.Memory = newProcessMemory()
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	g := &Governor{cfg: cfg, watches: map[*Stream]*watch{}}
	cfg.Server.governor = g
	return g
}

// Run looks after the memory each second until ctx ends. It returns nil.
func (g *Governor) Run(ctx context.Context) error {
	t := time.NewTimer(untilGrid(governInterval))
	defer t.Stop()
	for {
		select {
		case <-t.C:
			g.look(time.Now())
			t.Reset(untilGrid(governInterval))
		case <-ctx.Done():
			return nil
		}
	}
}

// State returns what was seen at the last look, or nil before the first.
func (g *Governor) State() *MemoryState { return g.state.Load() }

// look gives each stream its bound.
func (g *Governor) look(now time.Time) {
	streams := g.cfg.Server.Streams()
	needs := make([]need, len(streams))
	var fixed, held, floors int64
	for i, s := range streams {
		w := g.see(s, now)
		n := &needs[i]
		n.rank, n.last = w.rank, w.last
		if l := s.share.load.Load(); l != nil {
			n.load = *l
		}
		n.idle = now.Sub(w.asked) > n.span
		fixed += s.fixed(n.held)
		held += n.held
		floors += n.floor
	}
	budget := g.budget(held + fixed)
	state := &MemoryState{Limit: g.cfg.Limit, Budget: max(0, budget), Held: held + fixed, Short: budget-fixed < floors}
	for i, b := range divide(budget-fixed, needs, segmenter.MinListed) {
		s := streams[i]
		s.share.crowded.Store(state.Short)
		s.share.bound.Store(b)
		g.watches[s].last = 0
		if b != nil {
			g.watches[s].last = max(1, b.bytes)
			state.Shorter++
		}
	}
	g.state.Store(state)
	g.tell(state, fixed+floors-budget, now)
}

// see notes how much a stream is watched.
func (g *Governor) see(s *Stream, now time.Time) *watch {
	w := g.watches[s]
	if w == nil {
		w = &watch{asked: now}
		g.watches[s] = w
		s.share.governed.Store(true)
	}
	count, listeners := s.share.asked.Load(), s.out.listeners()
	if count != w.count {
		w.asked = now
	}
	w.score = w.score*math.Exp(-governInterval.Seconds()/attention) + float64(count-w.count) + float64(listeners)*listenerRequests
	w.count, w.rank = count, rank(w.score, w.rank)
	return w
}

// budget returns how many bytes of media there is memory for, if there are held
// now: what the process needs besides grows with what it does.
func (g *Governor) budget(held int64) int64 {
	m := g.cfg.Memory()
	if m.Cycles != g.cycles {
		g.others = max(0, m.Live-min(held, g.held)) // the collection was since the last look
	}
	g.cycles, g.held = m.Cycles, held
	return (g.cfg.Limit-ProgramBytes-m.Beside)*100/(100+garbagePart) - g.others
}

// tell says in the log what became of the windows. lacks is how many bytes more
// than there are the shortest windows need.
func (g *Governor) tell(state *MemoryState, lacks int64, now time.Time) {
	switch {
	case state.Shorter == 0:
		if g.shorter {
			g.shorter = false
			g.cfg.Log.Info("memory suffices again; windows grow to their full length")
		}
		return
	case now.Sub(g.told) < complainInterval:
		return
	case state.Short:
		g.cfg.Log.Warn("memory is too small for the streams, even with the shortest windows; no further stream is taken: "+
			"raise max_memory, or stop some", "limit", state.Limit, "held", state.Held, "lacks", lacks)
	case !g.shorter:
		g.cfg.Log.Warn("memory is short: windows of the streams that are watched least get shorter; raise max_memory, or lower window",
			"limit", state.Limit, "held", state.Held, "streams", state.Shorter)
	default:
		return
	}
	g.told, g.shorter = now, true
}

// newProcessMemory returns a function that asks package runtime.
func newProcessMemory() func() Memory {
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
	}
	return func() Memory {
		metrics.Read(samples)
		m := Memory{Live: int64(samples[0].Value.Uint64()), Cycles: samples[1].Value.Uint64(), Beside: int64(samples[2].Value.Uint64())}
		for _, s := range samples[3:] {
			m.Beside -= int64(s.Value.Uint64())
		}
		return m
	}
}
