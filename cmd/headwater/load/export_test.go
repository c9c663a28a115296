package load

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"headwater/playlist"
)

// TakeBody decodes a body that comes in the given pieces, and returns its media.
func TakeBody(chunks bool, interval int, pieces ...[]byte) (media []byte, err error) {
	b := body{chunked: chunks, titles: newTitles(interval)}
	total := 0
	for _, p := range pieces {
		var n int
		if n, err = b.take(p, func(m []byte) { media = append(media, m...) }); err != nil {
			break
		}
		total += n
	}
	if err == nil && total != len(media) {
		panic("take miscounts")
	}
	return media, err
}

// StampedFrame returns frame n of a run, sent at a time.
func StampedFrame(run, n uint32, sent int64) []byte { return appendFrame(nil, stamp{run, n, sent}) }

// Track is what a listener notes of the frames in pieces.
type Track struct {
	Frames, Missing, Disordered, Torn int64
	Early                             bool
	Sent                              []int64
	Held                              int // bytes kept for the next piece
}

func TrackFrames(run uint32, pieces ...[]byte) Track {
	t := tracker{run: run}
	var sent []int64
	for _, p := range pieces {
		t.take(p, func(s int64) { sent = append(sent, s) })
	}
	return Track{t.frames, t.missing, t.disordered, t.torn, t.early, sent, len(t.part)}
}

// FirstFrameAt returns how many bytes of b are needed for the first frame; 0 if there is none.
func FirstFrameAt(contentType string, b []byte) int {
	f := newFirstFrame(contentType)
	for i := range b {
		if f.take(b[i : i+1]) {
			return i + 1
		}
	}
	return 0
}

// CountKinds returns how many of n listeners are of which kind.
func CountKinds(n, slow, throttled int) (usual, slows, throttleds int) {
	c := crowd{Listeners: Listeners{N: n, Slow: slow, Throttled: throttled}}
	var counts [3]int
	for i := range n {
		counts[c.kindOf(i)]++
	}
	return counts[usualKind], counts[slowKind], counts[throttledKind]
}

var ErrChunk = errChunk

// NewMedia returns the first pieces of a stream, and when they are due.
func NewMedia(kind string, file []byte, n int) (pieces [][]byte, due []time.Duration, err error) {
	make, err := newMedia(kind, file)
	if err != nil {
		return nil, nil, err
	}
	m := make()
	for range n {
		p, d := m.next()
		pieces, due = append(pieces, bytes.Clone(p)), append(due, d)
	}
	return pieces, due, nil
}

// Feed lets one publisher write radio to w until ctx ends, and returns what it noted.
func Feed(ctx context.Context, w io.Writer) (keptPace bool, late, stalls Quantiles) {
	p := &press{}
	p.measuring.Store(true)
	pub := &publisher{press: p}
	pub.feed(ctx, w, &radio{})
	return pub.keptPace(), p.late.Counts().Quantiles(), p.writes.Counts().Quantiles()
}

// Playback is [playback] for tests.
type Playback struct{ p playback }

func (p *Playback) Add(now, d time.Duration) time.Duration   { return p.p.add(now, d) }
func (p *Playback) Standing(now time.Duration) time.Duration { return p.p.standing(now) }

// Follower is [follower] for tests.
type Follower struct{ f follower }

func (f *Follower) Take(list *playlist.Media) ([]playlist.Segment, uint64) { return f.f.take(list) }

var ReloadAfter = reloadAfter

// CountFailures counts errors.
func CountFailures(errs []error) Failures {
	var f failures
	for _, err := range errs {
		f.add("", err)
	}
	return f.all()
}

// AllocsPerRead returns how many allocations a listener makes for a read of b.
func AllocsPerRead(b []byte) float64 {
	c := &crowd{start: time.Now()}
	c.steady.Store(1)
	l := &listener{crowd: c, first: newFirstFrame(""), track: &tracker{}}
	l.take(b) // makes room for what is kept
	return testing.AllocsPerRun(100, func() { l.take(b) })
}
