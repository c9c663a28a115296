package origin

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"headwater/mux"
	"headwater/origin/live"
	"headwater/segmenter"
)

const (
	expireInterval = time.Second // how often segments are looked at for removal
	// maxPending is how many closed slots may wait for the publisher before a
	// source that sends faster than the disk takes has to wait.
	maxPending = 16
)

const (
	// NoBurst is a [StreamConfig.Burst] of nothing.
	NoBurst time.Duration = -1
	// MaxBurst is as much as the tails of the continuous outputs keep.
	MaxBurst = 20 * time.Second
)

// StreamConfig says how one stream is made. The zero value of a field means
// its default.
type StreamConfig struct {
	Name      string // as in the URL, already checked against the grammar of names
	Segmenter segmenter.Config
	Window    segmenter.WindowConfig

	// PublishAfter is how many segments must exist before the playlists are
	// shown; default 3 (hls-rules A35).
	PublishAfter int
	// EndAfter is how long a source may stay away before the playlists get an
	// ENDLIST, at which players stop for good; 0 means never (hls-rules A39).
	EndAfter time.Duration
	// Linger is how long listeners of the continuous outputs are kept while
	// there is no source; default 10 s (hls-rules F22).
	Linger time.Duration
	// Title is what people call the stream, if its source does not say that;
	// default Name.
	Title string
	// Burst is how much sound a listener of the continuous outputs gets at once
	// at its start, at most [MaxBurst]; default 2 s. [NoBurst] means none.
	Burst time.Duration
	// Metaint is how many bytes of audio there are from one ICY notice of the
	// title to the next; default as many as are a tenth of a second, and at most
	// 16,000 (hls-rules F05).
	Metaint int
	// FallbackAfter is how long the source may bring no media before that of
	// the standby is taken; default 500 ms. See [Stream.Standby].
	FallbackAfter time.Duration
	// Gate says who may listen; nil: everybody.
	Gate Gate
	// MaxListeners is how many listeners the continuous outputs may have
	// together; more get 503. 0: no limit but the server's.
	MaxListeners int
	// MaxListenerTime is how long one may listen; 0: as long as it likes.
	MaxListenerTime time.Duration
	// Mode is what continuous outputs are sent in if a request says nothing else.
	Mode Mode
	// Flush is how long the media of continuous outputs is gathered until it
	// is sent; default 250 ms of sound, and each picture by itself. ModeLive
	// gathers nothing.
	Flush time.Duration

	Store    Store              // nil: segments live in memory only
	Registry segmenter.Registry // of the record; nil: Store, or memory if there is none

	// OnDemand says that the source comes when somebody asks for the stream (see
	// [Stream.Demand]): listeners of continuous outputs wait for it.
	OnDemand bool

	// SendTo says in words where media for the stream is taken, for the
	// sentence that is shown while there is no source, e.g. "tcp://10.0.0.1:9999".
	SendTo string
	Log    *slog.Logger // nil: nothing is logged
}

func (c StreamConfig) withDefaults() StreamConfig {
	if c.Window.Duration == 0 {
		c.Window.Duration = time.Minute
	}
	if c.Window.Grace == 0 {
		c.Window.Grace = 30 * time.Second
	}
	if c.PublishAfter == 0 {
		c.PublishAfter = 3
	}
	if c.Title == "" {
		c.Title = c.Name
	}
	if c.Burst == 0 {
		c.Burst = usualBurst
	}
	if c.Linger == 0 {
		c.Linger = 10 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("stream", c.Name)
	return c
}

// Stream is one published name: the segmenter that cuts it, the windows of
// its renditions, and the tails of its continuous outputs. It is safe for
// concurrent use.
type Stream struct {
	cfg   StreamConfig
	log   *slog.Logger
	spool *spool
	out   *outputs

	snapshot atomic.Pointer[snapshot]
	share    share
	audience audience
	hub      atomic.Pointer[hub]     // of the server; nil: nobody is told of events
	station  atomic.Pointer[station] // as the last source had it
	dead     atomic.Bool             // the segmenter has given up on the source
	wake     chan struct{}           // capacity 1: the publisher has something to do

	mu      sync.Mutex
	taken   sync.Cond            // on mu: the publisher has taken what was pending, or will take no more
	seg     *segmenter.Segmenter // guarded by mu
	feeds   [sides]*feed         // of the sources that hold the stream and its standby, or nil; guarded by mu
	relay   relay                // which of them is on air; guarded by mu
	sound   []byte               // of the main source, immutable; guarded by mu
	numbers *numbering           // of the group that the stream is in, or nil; guarded by mu
	taps    []*tap               // of those who follow the stream; guarded by mu
	absent  time.Time            // since when none is; guarded by mu
	fed     time.Time            // when media came last; guarded by mu
	pending []*segmenter.Slot    // closed, not yet published; guarded by mu
	running bool                 // guarded by mu
	end     bool                 // an operator has ended the stream; guarded by mu
	uncut   string               // why the media is not cut, as was logged; guarded by mu
	noted   int                  // how many notes were logged; guarded by mu
	titles  titles               // guarded by mu

	publisher publisher // owned by the goroutine of Run
}

// NewStream returns a stream that goes on from what its store holds: the old
// window is served at once. It starts nothing; see [Stream.Run].
func NewStream(cfg StreamConfig) (*Stream, error) {
	cfg = cfg.withDefaults()
	s := &Stream{
		cfg:    cfg,
		log:    cfg.Log,
		spool:  newSpool(cfg.Store, cfg.Log),
		out:    newOutputs(&cfg),
		wake:   make(chan struct{}, 1),
		absent: time.Now(),
	}
	s.relay = newRelay(cfg.FallbackAfter, s.absent)
	s.taken.L = &s.mu
	s.introduce(mux.Station{})
	s.publisher = publisher{
		stream: cfg.Name, window: cfg.Window, publishAfter: cfg.PublishAfter,
		spool: s.spool, log: s.log, fix: s.setBandwidth, share: &s.share,
	}
	registry := cfg.Registry
	switch {
	case registry != nil:
	case s.spool != nil:
		registry = s.spool
	default:
		registry = new(segmenter.MemoryRegistry)
	}
	last, err := s.restore(registry)
	if err != nil {
		return nil, err
	}
	if s.seg, err = segmenter.New(cfg.Segmenter, registry, last); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", cfg.Name, err)
	}
	s.snapshot.Store(&snapshot{changed: make(chan struct{})})
	if err := s.publish(time.Now()); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", cfg.Name, err)
	}
	return s, nil
}

// introduce has the stream introduce itself to those who listen from now on, by
// what its source says.
func (s *Stream) introduce(says mux.Station) {
	s.station.Store(newStation(says, s.cfg.Title))
}

// Name returns the published name.
func (s *Stream) Name() string { return s.cfg.Name }

// Run publishes what the source brings until ctx ends. It returns when all
// that was taken is published and stored, and the listeners of the continuous
// outputs have been sent away.
func (s *Stream) Run(ctx context.Context) error {
	s.setRunning(true)

	var storing sync.WaitGroup
	if s.spool != nil {
		spoolCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
		started := make(chan struct{})
		storing.Go(func() { s.spool.run(spoolCtx, started) })
		<-started
		defer storing.Wait()
		defer stop()
	}
	var ticking sync.WaitGroup
	ticking.Go(func() { s.tick(ctx) })

	expire := time.NewTimer(untilGrid(expireInterval))
	defer expire.Stop()
	for ctx.Err() == nil {
		select {
		case <-s.wake:
			s.publishPending()
		case <-expire.C:
			s.expire(time.Now())
			expire.Reset(untilGrid(expireInterval))
		case <-ctx.Done():
		}
	}
	s.setRunning(false)
	ticking.Wait()
	s.step(time.Now(), func(time.Time) {})
	s.publishPending()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.each((*live.Tail).End)
	return nil
}

// setRunning tells those who wait for the publisher whether there is one.
func (s *Stream) setRunning(running bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = running
	s.taken.Broadcast()
}

// step calls f with the segmenter locked, passes on what comes of it, and
// waits while the publisher is too far behind.
func (s *Stream) step(now time.Time, f func(now time.Time)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(now)
	s.align()
	s.collect(now)
	for len(s.pending) > maxPending && s.running {
		s.taken.Wait()
	}
}

// collect passes on what the segmenter has. The caller holds s.mu.
func (s *Stream) collect(now time.Time) {
	out := s.seg.Take()
	s.out.append(out.Units, now)
	s.pending = append(s.pending, out.Slots...)
	if len(out.Slots) > 0 {
		s.signal()
	}
}

// firstFramed returns the index of the track that the audio outputs carry: the
// first audio track, if it is split into frames, or the one of Ogg; else -1.
func firstFramed(p *mux.Program) int {
	if p.Headers != nil {
		return p.Reference()
	}
	for i := range p.Tracks {
		if c := p.Tracks[i].Codec; c.Framed() {
			return i
		}
	}
	return -1
}

// signal wakes the publisher.
func (s *Stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// publishPending publishes the slots that wait.
func (s *Stream) publishPending() {
	s.mu.Lock()
	slots := s.pending
	s.pending = nil
	s.publisher.ended = s.end
	record := s.seg.Status().Record
	gen := record.Gen
	s.taken.Broadcast()
	s.mu.Unlock()
	s.publisher.settle(&record)
	for _, slot := range slots {
		s.publisher.add(slot, gen, time.Now())
	}
	s.publisher.expire(gen, time.Now())
	if err := s.publish(time.Now()); err != nil {
		s.log.Error("playlists were not renewed", "error", err)
	}
}

// expire removes what may no longer be fetched.
func (s *Stream) expire(now time.Time) {
	last := s.snapshot.Load()
	if !s.publisher.expire(last.gen, now) {
		return
	}
	if err := s.publish(now); err != nil {
		s.log.Error("expired segments are still listed inside", "error", err)
	}
}

// publish swaps in a new snapshot and wakes those who wait for one.
func (s *Stream) publish(now time.Time) error {
	s.mu.Lock()
	status := s.seg.Status()
	s.mu.Unlock()
	last := s.snapshot.Load()
	next, err := s.publisher.snapshot(last, status, now)
	if err != nil {
		return err
	}
	s.snapshot.Store(next)
	close(last.changed)
	return nil
}

// setBandwidth writes what the multivariant playlist will say into the record.
func (s *Stream) setBandwidth(b map[string]segmenter.Bandwidth) map[string]segmenter.Bandwidth {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seg.SetBandwidth(b)
}

// End gives the playlists an ENDLIST: no more segments will come, and players
// stop asking. The source that holds the stream loses it, and the standby is
// not taken. One that connects later makes the stream live again, for players
// that start then (hls-rules A38).
func (s *Stream) End() {
	s.mu.Lock()
	s.end = true
	if f := s.feeds[sideMain]; f != nil {
		s.feeds[sideMain] = nil
		s.audience.received.Add(f.stats.Bytes)
		s.emitSource(EventSourceDisconnected, f, time.Now())
	}
	s.relay.end()
	s.turn(time.Now())
	s.mu.Unlock()
	s.signal()
}
