package live

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// stallTimeout is how long a listener may take nothing of what there is for
	// it, if nothing else is said.
	stallTimeout = 30 * time.Second
	// retryInterval is how soon a listener that takes no more is tried again,
	// retryLossy that of one whose media must not be late. If it still takes
	// nothing, it is each time twice as long, up to retryMost times as long.
	retryInterval = 100 * time.Millisecond
	retryLossy    = 20 * time.Millisecond
	retryMost     = 8
	// sendTime is how much media the kernel may hold for a listener, on its way
	// or not, and sendLossy that of a lossy tail. By itself it would take
	// minutes of sound for each of thousands that read nothing.
	sendTime  = 4 * time.Second
	sendLossy = 500 * time.Millisecond
	usualRate = 4_000_000 // bits a second of a transport stream
)

// FanConfig says how a [Fan] works. The zero value of a field means its default.
type FanConfig struct {
	Workers int           // goroutines that send; default one for each CPU
	Stall   time.Duration // how long a listener may take nothing of what there is for it; default 30 s
	// Ended is told of each listener that has gone: its handle, how many bytes
	// it was sent, and why it went, nil if the tail ended. It is called by many
	// goroutines.
	Ended func(h *Handle, sent int64, err error)
}

// Fan sends tails to connections: to thousands from a few goroutines, by
// writes that do not wait. A listener costs no goroutine and no buffer.
type Fan struct {
	cfg     FanConfig
	workers []*worker
	turn    atomic.Uint64 // whose the next listener is
	ended   chan struct{} // closed when Run returns
}

// NewFan returns a fan without listeners. It starts nothing.
func NewFan(cfg FanConfig) *Fan {
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Stall == 0 {
		cfg.Stall = stallTimeout
	}
	if cfg.Ended == nil {
		cfg.Ended = func(*Handle, int64, error) {}
	}
	f := &Fan{cfg: cfg, ended: make(chan struct{})}
	for range cfg.Workers {
		f.workers = append(f.workers, newWorker(&f.cfg))
	}
	return f
}

// Run sends until ctx ends; then all connections are closed. It is called once.
func (f *Fan) Run(ctx context.Context) error {
	var running sync.WaitGroup
	for _, w := range f.workers {
		running.Go(func() { w.run(ctx) })
	}
	running.Wait()
	close(f.ended)
	return nil
}

// Serve sends a tail to c, beginning at a place to start, and owns c from now
// on. What is there already is sent before Serve returns, so that a player can
// begin at once; then the fan goes on while it runs.
func (f *Fan) Serve(t *Tail, c net.Conn, o Options) {
	l := &fanned{listener: newListener(t, o, f.cfg.Stall), conn: c}
	raw := bottom(c)
	l.prepare(raw, true)
	w := f.workers[f.turn.Add(1)%uint64(len(f.workers))]
	l.begin(w.bell)
	var scratch [][]byte
	state, err := l.sendWaiting(l.wait, &scratch)
	if state == ended || err != nil {
		l.end(f.cfg.Ended, err)
		return
	}
	if fd, ok := descriptor(c); ok {
		l.fd = fd
		if err := c.SetDeadline(time.Time{}); err != nil {
			l.end(f.cfg.Ended, err)
			return
		}
		if !t.Lossy() { // else that was done
			t.limit(raw)
		}
		w.add(l)
		return
	}
	f.follow(l)
}

// follow serves a connection that cannot be written to without waiting.
func (f *Fan) follow(l *fanned) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() { // ends with this call
		select {
		case <-f.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	calls := newBell()
	if l.handle != nil {
		l.handle.by.Store(calls)
	}
	l.end(f.cfg.Ended, l.listener.follow(ctx, calls, l.wait))
}

// retry returns how soon a listener is tried again that takes no more.
func (t *Tail) retry() time.Duration {
	if t.Lossy() {
		return retryLossy
	}
	return retryInterval
}

// fanned is a listener with a connection of its own.
type fanned struct {
	listener
	conn  net.Conn
	fd    int           // of conn, for the worker that it is of
	waits bool          // it takes no more for the moment
	again time.Time     // when it is tried again then, if a batch is on its way
	pause time.Duration // until then
}

// wait is a writer that waits for the client, as long as it takes something.
func (l *fanned) wait(slices [][]byte) (n int, all bool, err error) {
	b := net.Buffers(slices)
	for len(b) > 0 {
		if err := l.conn.SetWriteDeadline(time.Now().Add(l.stall)); err != nil {
			return n, false, err
		}
		k, err := b.WriteTo(l.conn)
		n += int(k)
		if err != nil && (k == 0 || !os.IsTimeout(err)) {
			return n, false, err
		}
	}
	return n, true, nil
}

// end tells that the listener has gone and closes its connection: who sees that
// can rely on it.
func (l *fanned) end(told func(*Handle, int64, error), err error) {
	l.tail.leave()
	told(l.handle, l.sent, err)
	l.conn.Close() // what it has to say changes nothing
}
