package programme

import (
	"errors"
	"fmt"
	"io"
	"time"

	"headwater/mux"
)

// Loop plays a transport stream for ever: each lap goes on where the last one
// ended. PTS, DTS and PCR rise by the exact length of a lap and wrap at 33 bits
// (ISO/IEC 13818-1 §2.4.3.7), continuity counters run on (§2.4.3.3), and every
// other byte stays as it is. It is an [io.Reader] whose Read never ends; to
// send in real time use [Loop.Next].
//
// A Loop is not safe for concurrent use.
type Loop struct {
	source []byte
	groups []group
	lap    mux.Ticks // length of a lap

	next       int       // index of the group that comes next
	shift      mux.Ticks // added to every timestamp of the present lap
	played     mux.Ticks // length of all laps before this one
	continuity [1 << 13]uint8
	out        []byte
	rest       []byte // of out, not yet read
}

// group is a run of packets that are sent together: those from one start of a
// PES packet to the next.
type group struct {
	from, to int       // offsets in source
	at       mux.Ticks // decoding time, from the first one of the lap
}

// Errors of [NewLoop].
var (
	ErrNoTimestamps = errors.New("no PES packet has a timestamp")
	ErrTooShort     = errors.New("too short to be looped: a lap needs two timestamps on one PID")
)

// NewLoop returns a Loop of source, which must be aligned 188-byte packets and
// is neither copied nor changed: the caller must not change it either. The
// first timestamp of the loop is start (taken modulo 2^33); a negative start
// keeps those of source.
//
// The lap is as long as the decoding times of the first PID that has video, or
// else of the first that has any, span, plus the distance of its last two.
func NewLoop(source []byte, start mux.Ticks) (*Loop, error) {
	l := &Loop{source: source}
	if err := l.index(start); err != nil {
		return nil, fmt.Errorf("index transport stream: %w", err)
	}
	return l, nil
}

// Lap returns the length of a lap.
func (l *Loop) Lap() time.Duration { return l.lap.Duration() }

// Next returns the next packets, and when in the stream's own time they are
// due: the decoding time of the PES packet that begins there, counted from the
// first one. It never runs backward. The packets are valid until the next call
// of Next or Read.
func (l *Loop) Next() (packets []byte, at time.Duration) {
	if l.next == len(l.groups) {
		l.next = 0
		l.played += l.lap
		l.shift = (l.shift + l.lap) & (mux.Wrap - 1)
	}
	g := l.groups[l.next]
	l.next++
	l.out = append(l.out[:0], l.source[g.from:g.to]...)
	l.rest = nil
	for p := l.out; len(p) > 0; p = p[mux.PacketSize:] {
		l.restamp(p[:mux.PacketSize])
	}
	return l.out, (l.played + g.at).Duration()
}

// Read fills p with the packets that come next. It never returns an error.
func (l *Loop) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		l.rest, _ = l.Next()
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

var _ io.Reader = (*Loop)(nil)

// index finds the groups, the length of a lap and the first shift.
func (l *Loop) index(start mux.Ticks) error {
	if len(l.source)%mux.PacketSize != 0 {
		return fmt.Errorf("length %d: %w", len(l.source), mux.ErrTruncated)
	}
	var clocks clocks
	for at := 0; at < len(l.source); at += mux.PacketSize {
		p := packet(l.source[at : at+mux.PacketSize])
		if p[0] != 0x47 {
			return &mux.ParseError{Offset: int64(at), PID: mux.NullPID, Field: "sync_byte", Err: mux.ErrSyncLost}
		}
		dts, ok := p.dts()
		if !ok {
			continue
		}
		l.groups = append(l.groups, group{from: at, at: clocks.add(p, dts)})
	}
	if len(l.groups) == 0 {
		return ErrNoTimestamps
	}
	first := l.groups[0].at
	l.lap = clocks.span()
	if l.lap <= 0 {
		return ErrTooShort
	}
	l.layout(first)
	if start >= 0 {
		l.shift = (start - first) & (mux.Wrap - 1)
	}
	return nil
}

// layout closes each group where the next one begins, gives what stands before
// the first (the PAT, the PMT) to the first, and makes times start at 0 and
// never run backward.
func (l *Loop) layout(first mux.Ticks) {
	latest := mux.Ticks(0)
	for i := range l.groups {
		g := &l.groups[i]
		g.to = len(l.source)
		if i+1 < len(l.groups) {
			g.to = l.groups[i+1].from
		}
		latest = max(latest, g.at-first)
		g.at = min(latest, l.lap)
	}
	l.groups[0].from = 0
}

// restamp moves the clocks of one packet to the present lap and numbers it.
func (l *Loop) restamp(p packet) {
	pid := p.pid()
	if pid != mux.NullPID {
		if p.hasPayload() {
			l.continuity[pid] = (l.continuity[pid] + 1) & 15
		}
		p[3] = p[3]&0xf0 | l.continuity[pid]
	}
	if at, ok := p.pcr(); ok {
		shiftPCR(p[at:], l.shift)
	}
	pts, dts := p.timestamps()
	if pts > 0 {
		shiftTimestamp(p[pts:], l.shift)
	}
	if dts > 0 {
		shiftTimestamp(p[dts:], l.shift)
	}
}
