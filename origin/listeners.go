package origin

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unique"

	"headwater/mux"
	"headwater/origin/live"
)

// listener is one listener of a continuous output, from when it is admitted
// until it has gone.
type listener struct {
	live.Handle
	id     uint64
	stream atomic.Pointer[Stream] // changed when it is moved, with registry.mu held
	remote netip.AddrPort         // of the client, not of a proxy
	agent  unique.Handle[string]  // most use one of a few programs
	since  time.Time
	until  time.Time // it is sent away then; zero: never; guarded by registry.mu once it is in it

	admitted *admitted // by the gate of its first stream; nil if that has none
}

// admitted is a listener whom a gate let in.
type admitted struct {
	gate    Gate
	visitor *Visitor
}

// ListenerState is what is told about a listener of a continuous output.
type ListenerState struct {
	ID        uint64    `json:"id"` // unique within the process
	Stream    string    `json:"stream"`
	Remote    string    `json:"remote"` // host:port; the port is 0 behind a proxy
	UserAgent string    `json:"user_agent"`
	Since     time.Time `json:"since"`
	Bytes     int64     `json:"bytes"` // sent to it
	Lag       float64   `json:"lag"`   // seconds of media that there is and it has not been given
}

func (l *listener) state() ListenerState {
	return ListenerState{
		ID: l.id, Stream: l.stream.Load().Name(), Remote: l.remote.String(), UserAgent: l.agent.Value(),
		Since: l.since.UTC(), Bytes: l.Sent(), Lag: l.Lag().Seconds(),
	}
}

// registry knows all listeners. What sends to them never asks it.
type registry struct {
	most int // listeners that one address may have; 0: as many as it likes

	mu      sync.Mutex
	last    uint64                // guarded by mu
	all     map[uint64]*listener  // by ID; guarded by mu
	perAddr map[netip.Addr]uint32 // by address, if there is a most; guarded by mu
	timed   int                   // those that have an until; guarded by mu
}

// add admits a listener and gives it its ID, unless as many as may be have its
// address.
func (r *registry) add(l *listener) bool {
	addr := household(l.remote.Addr())
	r.mu.Lock()
	defer r.mu.Unlock()
	counted := r.most > 0 && addr.IsValid()
	if counted && r.perAddr[addr] >= uint32(r.most) {
		return false
	}
	if r.all == nil {
		r.all, r.perAddr = map[uint64]*listener{}, map[netip.Addr]uint32{}
	}
	r.last++
	l.id = r.last
	r.all[l.id] = l
	if counted {
		r.perAddr[addr]++
	}
	if !l.until.IsZero() {
		r.timed++
	}
	return true
}

// household returns what counts as one address: of IPv6 the half that a client
// cannot change at will.
func household(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}

func (r *registry) remove(l *listener) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, l.id)
	if addr := household(l.remote.Addr()); r.perAddr[addr] > 1 {
		r.perAddr[addr]--
	} else {
		delete(r.perAddr, addr)
	}
	if !l.until.IsZero() {
		r.timed--
	}
	if len(r.all) == 0 { // maps never shrink
		r.all, r.perAddr = nil, nil
	}
}

// limit has a listener sent away at a time, or earlier if that was said before.
func (r *registry) limit(l *listener, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.until.IsZero() {
		r.timed++
	}
	if l.until.IsZero() || until.Before(l.until) {
		l.until = until
	}
}

// of returns the listeners of a stream, or all if it is nil, in the order in
// which they came.
func (r *registry) of(st *Stream) []*listener {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*listener
	for _, l := range r.all {
		if st == nil || l.stream.Load() == st {
			list = append(list, l)
		}
	}
	slices.SortFunc(list, func(a, b *listener) int { return cmp.Compare(a.id, b.id) })
	return list
}

// sent returns how many bytes the listeners of each stream have been sent.
func (r *registry) sent() map[*Stream]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := map[*Stream]int64{}
	for _, l := range r.all {
		n[l.stream.Load()] += l.Sent()
	}
	return n
}

// expire ends those whose time is over, and returns how many these are.
func (r *registry) expire(now time.Time) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timed == 0 {
		return 0
	}
	for _, l := range r.all {
		if !l.until.IsZero() && !now.Before(l.until) {
			l.End()
			n++
		}
	}
	return n
}

// came returns how many have come so far.
func (r *registry) came() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *registry) find(id uint64) *listener {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[id]
}

// Listeners returns the listeners of the continuous outputs of a stream, in
// the order in which they came; of all streams if the name is empty.
func (s *Server) Listeners(stream string) []ListenerState {
	st := s.lookup(stream)
	if st == nil && stream != "" {
		return nil
	}
	list := []ListenerState{}
	for _, l := range s.listeners.of(st) {
		list = append(list, l.state())
	}
	return list
}

// EndListener ends the listener with an ID, and reports whether there is one.
func (s *Server) EndListener(id uint64) bool {
	l := s.listeners.find(id)
	if l != nil {
		l.End()
	}
	return l != nil
}

// MoveListeners has the listeners of one stream go on with another one, without
// a new connection, and returns how many they are. The error says that there
// is no such stream, or that players could not go on with its media.
func (s *Server) MoveListeners(from, to string) (int, error) {
	a, b := s.lookup(from), s.lookup(to)
	switch {
	case a == nil:
		return 0, errors.New("there is no stream " + quoted(from))
	case b == nil:
		return 0, errors.New("there is no stream " + quoted(to))
	case a == b:
		return 0, errors.New("listeners of stream " + from + " are there already")
	}
	was, is := a.source(), b.source()
	switch {
	case is == nil:
		return 0, errors.New("stream " + to + " has no source")
	case was != nil && framedCodec(was) != framedCodec(is):
		return 0, fmt.Errorf("players of stream %s cannot go on with stream %s: its sound is %v, not %v", from, to, framedCodec(is), framedCodec(was))
	}
	moved := 0
	for _, l := range s.listeners.of(a) {
		if s.listeners.move(l, a, b) {
			moved++
		}
	}
	return moved, nil
}

// framedCodec returns the codec of the sound of a program that has frames.
func framedCodec(p *mux.Program) mux.Codec {
	if i := firstFramed(p); i >= 0 {
		return p.Tracks[i].Codec
	}
	return mux.CodecUnknown
}

// move has a listener of a go on with b, unless it has gone.
func (r *registry) move(l *listener, a, b *Stream) bool {
	to := a.out.counterpart(l.Tail(), b.out)
	if to == nil {
		return false // it has only just come, or somebody else moves it
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all[l.id] != l || !l.stream.CompareAndSwap(a, b) {
		return false
	}
	a.audience.leave()
	b.audience.enter()
	l.Move(to)
	return true
}

// counterpart returns the tail of other that is what t is of o, or nil.
func (o *outputs) counterpart(t *live.Tail, other *outputs) *live.Tail {
	for m := range modes {
		switch t {
		case o.packets[m]:
			return other.packets[m]
		case o.sound[m]:
			return other.sound[m]
		}
	}
	return nil
}

// audience counts the listeners of a stream, from when they are admitted.
type audience struct {
	now, peak atomic.Int64
	told      atomic.Int64  // of now, by the last event
	sent      atomic.Int64  // bytes, to those who have gone
	received  atomic.Uint64 // bytes, of sources that have gone
	sources   atomic.Uint64 // that have come so far
}

// enter counts one more.
func (a *audience) enter() { a.full(0) }

// full counts one more, unless there are as many as may be; 0 bounds nothing.
func (a *audience) full(most int) bool {
	now := a.now.Add(1)
	if most > 0 && now > int64(most) {
		a.leave()
		return true
	}
	for peak := a.peak.Load(); now > peak && !a.peak.CompareAndSwap(peak, now); peak = a.peak.Load() {
	}
	return false
}

func (a *audience) leave() { a.now.Add(-1) }

// uncount undoes what counted a listener. Nobody moves it any more then.
func (s *Server) uncount(l *listener) {
	s.listeners.remove(l)
	l.stream.Load().audience.leave()
	s.counts.listeners.Add(-1)
}

// gone counts a listener that has gone.
func (s *Server) gone(h *live.Handle, n int64, err error) {
	l := h.Owner.(*listener)
	s.uncount(l)
	l.stream.Load().audience.sent.Add(n)
	if l.admitted != nil {
		l.admitted.gate.Leave(l.admitted.visitor, time.Since(l.since))
	}
	s.counts.bytes[kindContinuous].Add(uint64(n))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.counts.dropped.Add(1)
	}
}
