package origin

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"headwater/segmenter"
)

const (
	// storeTimeout is how long publishing waits for the store. What takes
	// longer is served from memory.
	storeTimeout = time.Second
	// spoolJobs bounds what waits for a slow store; what does not fit is not stored.
	spoolJobs = 64
	// syncInterval is how much a power cut may cost at most.
	syncInterval = 30 * time.Second
)

var errStoreSlow = errors.New("the store takes longer than " + storeTimeout.String())

// spool hands work to a [Store] through one goroutine, so that a slow, full or
// hanging disk holds up nobody for longer than storeTimeout, and only once.
type spool struct {
	store Store
	log   *slog.Logger
	jobs  chan job
	// running is set while work goes through the goroutine.
	running atomic.Bool
	// behind is set while a job that was given up on has not ended: then
	// nobody waits for later ones.
	behind atomic.Bool
	failed bool // the last job failed; used by the goroutine
	dirty  bool // something was put since the last Sync; used by the goroutine
}

type job struct {
	do   func() error
	puts bool       // whether its success shows that the store takes segments
	done chan error // capacity 1
}

// newSpool returns a spool for store, or nil if there is none.
func newSpool(store Store, log *slog.Logger) *spool {
	if store == nil {
		return nil
	}
	return &spool{store: store, log: log, jobs: make(chan job, spoolJobs)}
}

// run works until ctx ends, then does what is left. It closes started once
// work goes through it.
func (p *spool) run(ctx context.Context, started chan<- struct{}) {
	p.running.Store(true)
	close(started)
	defer p.running.Store(false)
	tick := time.NewTicker(syncInterval)
	defer tick.Stop()
	for {
		select {
		case j := <-p.jobs:
			p.work(j)
		case <-tick.C:
			p.sync()
		case <-ctx.Done():
			for len(p.jobs) > 0 {
				p.work(<-p.jobs)
			}
			p.sync()
			return
		}
	}
}

func (p *spool) work(j job) {
	err := j.do()
	switch {
	case err != nil && !p.failed:
		p.failed = true
		p.log.Warn("store does not take segments; serving from memory: free some space or check the disk", "error", err)
	case err == nil && p.failed && j.puts:
		p.failed = false
		p.log.Info("store takes segments again")
	}
	p.dirty = true
	j.done <- err
	if len(p.jobs) == 0 && p.behind.CompareAndSwap(true, false) {
		p.log.Info("store keeps up again")
	}
}

func (p *spool) sync() {
	if !p.dirty {
		return
	}
	p.dirty = false
	if err := p.store.Sync(); err != nil {
		p.log.Warn("store cannot be made to last through a power cut", "error", err)
	}
}

// do runs f on the goroutine and waits for it, but not for long.
func (p *spool) do(f func() error, puts bool) error {
	if !p.running.Load() {
		return f()
	}
	j := job{f, puts, make(chan error, 1)}
	select {
	case p.jobs <- j:
	default: // what is not stored is lost in a restart; it is served all the same
		return errStoreSlow
	}
	if p.behind.Load() {
		return errStoreSlow
	}
	timer := time.NewTimer(storeTimeout)
	defer timer.Stop()
	select {
	case err := <-j.done:
		return err
	case <-timer.C:
		if p.behind.CompareAndSwap(false, true) {
			p.log.Warn("store is slow; serving from memory", "duration", storeTimeout)
		}
		return errStoreSlow
	}
}

// put stores the segments of one slot and calls stored for each that the store
// has, at once or, if the store is slow, later from another goroutine.
func (p *spool) put(gen uint64, segments []*segmenter.Segment, stored func(i int)) {
	_ = p.do(func() error { // the goroutine has logged it
		for i, seg := range segments {
			if err := p.store.Put(gen, seg); err != nil {
				return err
			}
			stored(i)
		}
		return nil
	}, true)
}

// remove deletes segments without waiting.
func (p *spool) remove(gen uint64, segments []*segmenter.Segment) {
	j := job{func() error {
		var errs []error
		for _, seg := range segments {
			errs = append(errs, p.store.Remove(gen, seg))
		}
		return errors.Join(errs...)
	}, false, make(chan error, 1)}
	if !p.running.Load() {
		j.do()
		return
	}
	select {
	case p.jobs <- j:
	default: // the store removes what it finds unlisted when it is opened next
	}
}

// Load returns the record in force.
func (p *spool) Load() (segmenter.Record, error) { return p.store.Load() }

// Propose stores next, or gives up after a while; the segmenter tries again.
func (p *spool) Propose(next segmenter.Record) (segmenter.Record, error) {
	if p.behind.Load() { // each try would take the place of a segment
		return segmenter.Record{}, errStoreSlow
	}
	got := make(chan segmenter.Record, 1)
	err := p.do(func() error {
		record, err := p.store.Propose(next)
		got <- record
		return err
	}, false)
	if err != nil {
		return segmenter.Record{}, err
	}
	return <-got, nil
}
