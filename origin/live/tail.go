// Package live holds the continuous outputs of a stream: MPEG-TS or audio
// frames without end. One [Tail] per stream and kind keeps the newest media as
// batches, which are the same bytes for all; a listener is a place in it and
// has no queue of its own, so what listeners do or leave costs no memory and
// slows nobody. A [Fan] sends them to thousands of connections; [Tail.Copy]
// to one of net/http's.
//
// hls-rules F01-F07, C02, C05, C08.
package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"headwater/mux"
)

// TailConfig bounds a [Tail]. The zero value of a field means its default.
type TailConfig struct {
	MaxBytes int64         // of the media kept; default 8 MiB. One batch is kept whatever its size.
	MaxAge   time.Duration // of the media kept, in media time; default 20 s. Less is kept while nobody listens.
	// Burst is how much media is kept for the listeners that come, whoever
	// listens; see [Options].
	Burst time.Duration
	// Flush is how long sound is gathered before it is sent; 0 means each unit.
	// Fewer and larger writes cost less.
	Flush time.Duration
	// FlushPictures is the same for pictures, and the sound between them. A
	// random access point ends what was gathered before it.
	FlushPictures time.Duration
}

const (
	maxBatches   = 1 << 12                    // bounds a tail of tiny batches
	maxGather    = 500 * mux.ClockRate / 1000 // bounds a batch of a stream whose pictures stopped
	idleAge      = 5 * mux.ClockRate          // of media that is kept while nobody listens, for its rate
	flatsKept    = 16                         // batches that keep what was made for their listeners
	defaultBytes = 8 << 20
	defaultAge   = 20 * time.Second
)

// Tail is the newest media of a stream, shared by all its listeners. Append,
// Settle, Break and End have one caller at a time; the rest is safe for
// concurrent use.
type Tail struct {
	cfg     TailConfig
	frames  bool  // the tail is audio frames, not packets
	of      *Tail // the one that has all of the media, if this one is lossy; else nil
	moved   atomic.Uint64
	missed  atomic.Uint64 // batches that listeners of a lossy tail were not sent
	version atomic.Uint64 // rises when there is more, or at the end
	places  atomic.Int64  // listeners; changed with mu held

	// Of the one that appends.
	form   form
	open   *batch    // gathers units; nil if there are none
	time   mux.Ticks // of the last unit
	shift  mux.Ticks // of the source's time to that of the tail
	broken bool      // the next unit follows a break
	title  *notice   // of what comes next
	silent *notice   // that says nothing: nobody knows what is played
	now    time.Time // of the last call
	shown  time.Time // when listeners were given something last

	mu      sync.Mutex
	ring    []*batch        // of a power of two in length; batch n is at n mod len; guarded by mu
	first   uint64          // number of the oldest batch; guarded by mu
	next    uint64          // number of the next batch; guarded by mu
	bytes   int64           // of the batches; guarded by mu
	ended   bool            // guarded by mu; changed by the one that appends
	changed chan struct{}   // closed when there is more, or at the end; guarded by mu
	wake    []chan struct{} // of capacity 1; get a value when there is more, or at the end; guarded by mu
}

// form makes the bytes of a kind of tail.
type form interface {
	// add adds a unit to a batch. at is its time; broke: it follows on nothing.
	add(b *batch, u *mux.Unit, at mux.Ticks, broke bool)
	// parts reports whether u cannot follow in the batch.
	parts(b *batch, u *mux.Unit) bool
	// anew returns a form of the same kind that has seen nothing.
	anew() form
}

// NewPackets returns an empty tail of MPEG-TS.
func NewPackets(cfg TailConfig) *Tail { return newTail(cfg, &packetForm{}) }

// NewFrames returns an empty tail of the frames of one audio track, or of the
// pages of Ogg.
func NewFrames(cfg TailConfig) *Tail { return newTail(cfg, &frameForm{}) }

func newTail(cfg TailConfig, f form) *Tail {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = defaultBytes
	}
	if cfg.MaxAge == 0 {
		cfg.MaxAge = defaultAge
	}
	silent := newNotice(mux.Title{})
	_, frames := f.(*frameForm)
	return &Tail{
		cfg: cfg, form: f, frames: frames, changed: make(chan struct{}), broken: true,
		title: silent, silent: silent,
	}
}

// Packets reports whether the tail is MPEG-TS.
func (t *Tail) Packets() bool { return !t.frames }

// Entitle tells what is heard from what is appended next on, until a break.
// nil changes nothing. Packets have their titles inside.
func (t *Tail) Entitle(title *mux.Title) {
	if title == nil || !t.frames {
		return
	}
	if n := newNotice(*title); !n.sameAs(t.title) {
		t.title = n
	}
}

// Append adds a unit, which came now. After End, it opens the tail again.
func (t *Tail) Append(u *mux.Unit, now time.Time) {
	t.now = now
	t.reopen()
	t.Entitle(u.Title)
	if t.idle() {
		return
	}
	if !u.Untimed {
		if t.broken { // the new source's time goes on from the last one's
			t.shift = t.time - u.DTS
		}
		t.time = u.DTS + t.shift
	}
	at := t.time
	reference := u.Program.Reference()
	isReference := u.Track == reference || reference < 0 || t.frames
	video := reference >= 0 && u.Program.Tracks[reference].Codec.Video() && !t.frames
	start := mux.AccessNone
	if isReference {
		start = u.Access
	}
	if t.open != nil && (t.broken || video && start != mux.AccessNone || t.open.title != t.title || t.form.parts(t.open, u)) {
		t.show()
	}
	if t.open == nil {
		t.open = &batch{time: at, start: start, video: video, broke: t.broken, title: t.title}
	}
	t.form.add(t.open, u, at, t.broken)
	t.broken = false
	flush := mux.FromDuration(t.flush(video))
	gathered := at - t.open.time
	if (isReference || !video) && gathered >= flush || gathered >= max(maxGather, flush) || gathered < 0 {
		t.show()
	}
}

// Settle tells that nothing more has come for now: what was gathered long
// enough goes out.
func (t *Tail) Settle(now time.Time) {
	t.now = now
	if t.open == nil {
		return
	}
	flush := t.flush(t.open.video)
	if now.Sub(t.shown) >= flush-flush/4 { // sources are read at about this pace
		t.show()
	}
}

// flush returns how long media is gathered.
func (t *Tail) flush(video bool) time.Duration {
	if video {
		return t.cfg.FlushPictures
	}
	return t.cfg.Flush
}

// Listeners returns how many there are now.
func (t *Tail) Listeners() int { return int(t.places.Load()) }

// Break tells that what is appended next comes from another source: its
// counters and times follow on nothing, and what it plays is not known. After
// End, it opens the tail again: who comes before the media waits for it.
func (t *Tail) Break() {
	t.broken, t.title = true, t.silent
	t.show()
	t.reopen()
}

// Head returns the first bytes of what a listener that comes now is sent, at
// most so many; fewer if there are no more. Of a lossy tail they are what it
// has missed. They are the caller's.
func (t *Tail) Head(most int) (head []byte) {
	if t.of != nil {
		return t.of.Head(most)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.start(mux.FromDuration(t.cfg.Burst))
	if !ok {
		return nil
	}
	add := func(b *batch) {
		for _, s := range b.slices {
			head = append(head, s[:min(len(s), most-len(head))]...)
		}
	}
	if bridge := (*t.at(n)).bridge(false, nil); bridge != nil {
		add(bridge)
	}
	for ; n < t.next && len(head) < most; n++ {
		add(*t.at(n))
	}
	return head
}

// End sends the listeners away once they have what is there. When the last one
// has gone, it is forgotten.
func (t *Tail) End() {
	t.broken = true
	t.show()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	t.ended = true
	t.tell()
	if t.places.Load() == 0 {
		t.forget()
	}
}

// reopen undoes End. Nobody wants what was there before any more.
func (t *Tail) reopen() {
	if !t.ended { // nobody else changes it
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	t.ended = false
}

// enter counts a listener; leave is called when it goes.
func (t *Tail) enter() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.places.Add(1)
}

func (t *Tail) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.places.Add(-1) == 0 && (t.ended || t.of != nil) {
		t.forget()
	}
}

// forget drops all batches. The caller holds t.mu.
func (t *Tail) forget() {
	clear(t.ring)
	t.first, t.bytes = t.next, 0
}

// Moved returns how many times a listener fell so far behind that it was moved
// forward.
func (t *Tail) Moved() uint64 { return t.moved.Load() }

// show lets listeners have what was gathered.
func (t *Tail) show() {
	b := t.open
	if b == nil {
		return
	}
	t.open = nil
	b.seal()
	b.shown, t.shown = t.now, t.now
	t.mu.Lock()
	defer t.mu.Unlock()
	t.push(b)
	t.tell()
}

// tell wakes whoever waits. The caller holds t.mu.
func (t *Tail) tell() {
	t.version.Add(1)
	close(t.changed)
	t.changed = make(chan struct{})
	for _, c := range t.wake {
		select {
		case c <- struct{}{}:
		default: // it is about to look anyway
		}
	}
}

// rouse has c get a value when there is more, or at the end.
func (t *Tail) rouse(c chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake = append(t.wake, c)
}

// unrouse undoes rouse.
func (t *Tail) unrouse(c chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wake = slices.DeleteFunc(t.wake, func(w chan struct{}) bool { return w == c })
}

// push adds a batch and drops what is too much. The caller holds t.mu.
func (t *Tail) push(b *batch) {
	if t.next-t.first == uint64(len(t.ring)) {
		t.grow()
	}
	*t.at(t.next) = b
	t.next++
	t.bytes += int64(b.size)
	if t.next-t.first > flatsKept {
		(*t.at(t.next - 1 - flatsKept)).flat.Store(nil)
	}
	if b.start != mux.AccessNone && t.places.Load() == 0 { // nobody will begin before the new start
		start, _ := t.start(mux.FromDuration(t.cfg.Burst))
		for t.first < start && b.time-(*t.at(t.first)).time > idleAge {
			t.drop()
		}
	}
	most := mux.FromDuration(t.cfg.MaxAge)
	for t.next-t.first > 1 {
		o := t.at(t.first)
		if t.bytes <= t.cfg.MaxBytes && t.next-t.first <= maxBatches && b.time-(*o).time <= most && (*o).time-b.time <= most {
			return
		}
		t.drop()
	}
}

// drop drops the oldest batch. The caller holds t.mu.
func (t *Tail) drop() {
	o := t.at(t.first)
	t.bytes -= int64((*o).size)
	*o = nil
	t.first++
}

// grow doubles the ring. The caller holds t.mu.
func (t *Tail) grow() {
	ring := make([]*batch, max(16, 2*len(t.ring)))
	for n := t.first; n < t.next; n++ {
		ring[n&uint64(len(ring)-1)] = *t.at(n)
	}
	t.ring = ring
}

// at returns the place of batch n. The caller holds t.mu.
func (t *Tail) at(n uint64) **batch { return &t.ring[n&uint64(len(t.ring)-1)] }

// start returns the number of the batch that a listener begins with: the
// newest random access point, and of sound alone the newest that is at least
// burst old, or the oldest there is. Recovery points count where there is no
// better. It reports false if there is none. The caller holds t.mu.
func (t *Tail) start(burst mux.Ticks) (best uint64, ok bool) {
	access := mux.AccessNone
	for n := t.next; n > t.first; n-- {
		b := *t.at(n - 1)
		if b.start > access || b.start == mux.AccessRandom {
			best, access = n-1, b.start
		}
		if b.start == mux.AccessRandom && (b.video || (*t.at(t.next - 1)).time-b.time >= burst) {
			break
		}
		if b.broke {
			break // older ones belong to another source
		}
	}
	return best, access != mux.AccessNone
}
