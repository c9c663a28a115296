package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Listeners is a load of N listeners, who hold one continuous stream each.
type Listeners struct {
	URL    string        // http or https
	N      int           // listeners
	For    time.Duration // how long to measure once all are connected; 0 means DefaultFor
	AtOnce int           // how many connect at a time; 0 means DefaultAtOnce
	Rate   float64       // how many connect a second at most; 0 means no limit
	Server Process       // what to watch; 0 means nothing

	// Slow of the listeners never read.
	Slow int
	// Throttled of the listeners, others than the slow ones, read at most
	// Throttle bits a second for ThrottleFor after all are connected, and then
	// as fast as they can.
	Throttled   int
	Throttle    int64
	ThrottleFor time.Duration

	// Source is the host and port of a TCP input of the server. Listeners then
	// sends a stream of its own to it, which must come out at URL, and measures
	// how old each frame is on arrival.
	Source string

	HTTP10 bool // ask by HTTP/1.0
	Titles bool // ask for titles in the stream (Icy-MetaData)

	Progress func(line string) // called each second, if not nil
}

// Defaults of a load.
const (
	DefaultFor    = 30 * time.Second
	DefaultAtOnce = 64
)

const (
	dialTimeout = 10 * time.Second
	// settle is how long the load waits after the last one has connected, since
	// a server may send the past at once; less if it measures for less.
	settle = 2 * time.Second
	// sourceTimeout is how long a server may take to give out a new source.
	sourceTimeout = 30 * time.Second
	// silence is how long a listener may hear nothing until it counts as silent.
	silence = 5 * time.Second
	// afterRelease is when it is measured how far behind the throttled ones are.
	afterRelease = 2 * time.Second
)

// ErrOptions is wrapped by errors about what a load was told to do.
var ErrOptions = errors.New("bad options")

// crowd is one run of Listeners.
type crowd struct {
	Listeners
	request request
	start   time.Time // zero of all clocks
	source  *source   // nil if there is none
	pollers []*poller // share the usual listeners

	steady   atomic.Int64 // when measuring began; 0 before
	stopping atomic.Bool
	ended    chan struct{} // closed with stopping
	closed   int64         // when that was

	connect, firstByte, firstFrame, gaps Histogram
	ages, behind, released               Histogram // of stamped frames
	bytes, connected                     atomic.Int64
	refused, lost                        failures
	took                                 time.Duration // until the last one was answered or refused
	silent                               int
}

// Run holds the listeners. It returns a report also if ctx ends early. The
// error is that nothing could be measured: no listener could connect, the
// source was lost, or the server's process cannot be watched.
func (o Listeners) Run(ctx context.Context) (*ListenersReport, error) {
	c := &crowd{Listeners: o, start: time.Now(), ended: make(chan struct{})}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	ctx, fail := context.WithCancelCause(ctx)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer fail(nil)
	if o.Source != "" {
		c.source = &source{run: rand.Uint32(), start: c.start}
		sending.Go(func() {
			if err := c.source.send(ctx, o.Source); err != nil {
				fail(err)
			}
		})
		if err := c.awaitSource(ctx); err != nil {
			return nil, err
		}
	}
	m := &meter{server: o.Server, times: &c.gaps, bytes: c.bytes.Load, clients: func() int { return int(c.connected.Load()) }}
	if o.Source != "" {
		m.times = &c.ages
	}
	if err := m.open(time.Now()); err != nil {
		return nil, err
	}
	for range runtime.GOMAXPROCS(0) {
		p, err := newPoller()
		if err != nil {
			return nil, err
		}
		c.pollers = append(c.pollers, p)
	}
	crowd, r := c.hold(ctx, m)
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	if len(crowd) == 0 {
		return nil, fmt.Errorf("no listener could connect to %s: %v", o.URL, c.refused.all())
	}
	return c.report(m, r, crowd), nil
}

// prepare checks the options and fills in defaults.
func (c *crowd) prepare(ctx context.Context) error {
	if c.For == 0 {
		c.For = DefaultFor
	}
	if c.AtOnce == 0 {
		c.AtOnce = DefaultAtOnce
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%w: %s is no URL: it must be like http://localhost:8080/live.mp3", ErrOptions, c.URL)
	case c.N < 1:
		return fmt.Errorf("%w: %d listeners: at least one is needed", ErrOptions, c.N)
	case c.Slow < 0 || c.Throttled < 0 || c.Slow+c.Throttled > c.N:
		return fmt.Errorf("%w: %d slow and %d throttled listeners are more than %d", ErrOptions, c.Slow, c.Throttled, c.N)
	case c.Throttled > 0 && c.Throttle <= 0:
		return fmt.Errorf("%w: throttled listeners need a bit rate", ErrOptions)
	case c.Throttled > 0 && c.For < c.ThrottleFor+afterRelease+time.Second:
		return fmt.Errorf("%w: measuring for %v is too short: it must be 3 s longer than the throttling for %v", ErrOptions, c.For, c.ThrottleFor)
	}
	c.request, err = newRequest(ctx, u, c.HTTP10, c.Titles)
	return err
}

// awaitSource waits until the server gives out what the source sends.
func (c *crowd) awaitSource(ctx context.Context) error {
	deadline := time.Now().Add(sourceTimeout)
	for {
		l := &listener{crowd: c}
		err := l.open(ctx)
		if err == nil {
			l.conn.Close()
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the stream sent to %s is not at %s after %v: %w", c.Source, c.URL, sourceTimeout, err)
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return context.Cause(ctx)
		}
	}
}

// now is the time on the clock of the run.
func (c *crowd) now() int64 { return int64(time.Since(c.start)) }

// hold connects all listeners and keeps them until the time is over. It returns
// when all connections are closed, with those that had been answered.
func (c *crowd) hold(ctx context.Context, m *meter) (crowd []*listener, r result) {
	var metering, reading sync.WaitGroup
	meterCtx, stopMeter := context.WithCancel(ctx)
	defer stopMeter()
	metering.Go(func() { m.run(meterCtx, func(s Sample) { c.show(m, s) }) })

	for _, p := range c.pollers {
		reading.Go(p.run)
	}
	began := time.Now()
	crowd = c.connectAll(ctx, &reading)
	c.took = time.Since(began)
	if len(crowd) > 0 && sleep(ctx, min(settle, c.For)) {
		c.steady.Store(c.now())
		m.begin()
		sleep(ctx, c.For)
	}
	stopMeter()
	metering.Wait()
	r = m.end()

	c.closed = c.now()
	c.stopping.Store(true)
	close(c.ended)
	for _, p := range c.pollers {
		p.stop()
	}
	for _, l := range crowd {
		l.stop()
	}
	reading.Wait()
	for _, l := range crowd {
		l.leave()
	}
	return crowd, r
}

// connectAll connects the listeners, AtOnce at a time, and starts reading from
// each. It returns those that were answered.
func (c *crowd) connectAll(ctx context.Context, reading *sync.WaitGroup) []*listener {
	next := make(chan int)
	answered := make([]*listener, c.N)
	var connecting sync.WaitGroup
	for range min(c.AtOnce, c.N) {
		connecting.Go(func() {
			for i := range next {
				l := &listener{crowd: c, kind: c.kindOf(i)}
				if err := l.open(ctx); err != nil {
					if ctx.Err() == nil {
						c.refused.add("", err)
					}
					continue
				}
				answered[i] = l
				c.listen(l, reading)
			}
		})
	}
	pace := newPace(c.Rate)
	for i := range c.N {
		if !pace.wait(ctx) {
			break
		}
		next <- i
	}
	close(next)
	connecting.Wait()
	crowd := answered[:0]
	for _, l := range answered {
		if l != nil {
			crowd = append(crowd, l)
		}
	}
	return crowd
}

// listen starts reading for l, which has been answered.
func (c *crowd) listen(l *listener, reading *sync.WaitGroup) {
	if err := l.begin(); err != nil {
		l.end(err)
		return
	}
	if l.kind == usualKind && c.pollers[int(c.connected.Load())%len(c.pollers)].add(l) {
		return
	}
	reading.Go(func() { l.end(l.read()) })
}

// kindOf spreads the kinds over the order of connecting.
func (c *crowd) kindOf(i int) kind {
	slow := (i+1)*c.Slow/c.N > i*c.Slow/c.N
	if slow {
		return slowKind
	}
	fast := i - i*c.Slow/c.N // number among those that are not slow
	if rest := c.N - c.Slow; (fast+1)*c.Throttled/rest > fast*c.Throttled/rest {
		return throttledKind
	}
	return usualKind
}

// show writes the progress line.
func (c *crowd) show(m *meter, s Sample) {
	if c.Progress == nil {
		return
	}
	text := fmt.Sprintf("%s of %s connected, %s", number(s.Clients), number(c.N), m.line(s))
	if at := c.steady.Load(); at > 0 {
		left := c.For - time.Duration(c.now()-at)
		text += fmt.Sprintf(", %.0f s to go", max(left, 0).Seconds())
	}
	c.Progress(text)
}

// pace lets so many a second pass.
type pace struct {
	each time.Duration
	next time.Time
}

func newPace(rate float64) *pace {
	p := &pace{next: time.Now()}
	if rate > 0 {
		p.each = time.Duration(float64(time.Second) / rate)
	}
	return p
}

// wait waits for the next one's turn; it returns false if ctx ends before.
func (p *pace) wait(ctx context.Context) bool {
	due := time.Until(p.next)
	p.next = p.next.Add(p.each)
	if due > 0 {
		return sleep(ctx, due)
	}
	return ctx.Err() == nil
}
