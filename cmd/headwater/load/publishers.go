package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Publishers is a load of sources that send media in real time over TCP, each a
// stream of its own.
type Publishers struct {
	Addrs  []string      // host:port or host:first-last, see [Addresses]
	N      int           // publishers, one for each of the first N addresses; 0 means all
	For    time.Duration // how long to measure once all are connected; 0 means DefaultFor
	Rate   float64       // how many begin a second; 0 means all within 2 s
	Kind   string        // KindVideo or KindRadio; "" means video
	Media  []byte        // a transport stream, MP3 or ADTS file to send again and again in place of Kind; not changed
	Server Process       // what to watch; 0 means nothing

	// Hello is sent before the media, over each connection: a SOURCE request
	// of Icecast, for example. What is answered is not read.
	Hello []byte

	Progress func(line string) // called each second, if not nil
}

const (
	// publishersStart is how long the start of all publishers takes by itself.
	// They are not in step then, as encoders never are.
	publishersStart = 2 * time.Second
	// stallTime is the least time of a write that counts as a stall.
	stallTime = 100 * time.Millisecond
	// paceTime is how late a publisher may be that keeps pace.
	paceTime = time.Second
)

// press is one run of Publishers.
type press struct {
	Publishers
	media     func() media
	measuring atomic.Bool

	late, writes     Histogram // how late pieces were sent; how long writes took that stalled
	bytes, connected atomic.Int64
	failed           failures
}

// publisher is one source. Only its goroutine touches it, until that has ended.
type publisher struct {
	press   *press
	addr    string
	sent    int64         // pieces, while measuring
	latest  time.Duration // how late it was at the worst, while measuring
	lost    int           // connections
	stalled bool
}

// Run publishes. It returns a report also if ctx ends early. The error is that
// nothing could be measured: no publisher could connect, or the server's
// process cannot be watched.
func (o Publishers) Run(ctx context.Context) (*PublishersReport, error) {
	addrs, err := Addresses(o.Addrs)
	if err != nil {
		return nil, err
	}
	p := &press{Publishers: o}
	p.For, p.N = cmp.Or(o.For, DefaultFor), cmp.Or(o.N, len(addrs))
	switch {
	case len(addrs) == 0:
		return nil, fmt.Errorf("%w: no address to publish to, such as 127.0.0.1:9001-9100", ErrOptions)
	case p.N < 0 || p.N > len(addrs):
		return nil, fmt.Errorf("%w: %d publishers need as many addresses, and there are %d", ErrOptions, p.N, len(addrs))
	}
	if p.media, err = newMedia(o.Kind, o.Media); err != nil {
		return nil, err
	}
	m := &meter{server: o.Server, times: &p.late, bytes: p.bytes.Load, clients: func() int { return int(p.connected.Load()) }}
	if err := m.open(time.Now()); err != nil {
		return nil, err
	}
	all, r := p.publish(ctx, m, addrs[:p.N])
	if p.bytes.Load() == 0 {
		return nil, fmt.Errorf("no publisher could send: %v", p.failed.all())
	}
	return p.report(m, r, all), nil
}

// publish lets all publishers send until the time is over.
func (p *press) publish(ctx context.Context, m *meter, addrs []string) (all []*publisher, r result) {
	var metering, sending sync.WaitGroup
	meterCtx, stopMeter := context.WithCancel(ctx)
	defer stopMeter()
	metering.Go(func() { m.run(meterCtx, func(s Sample) { p.show(m, s) }) })
	sendCtx, stopSending := context.WithCancel(ctx)
	defer stopSending()
	pace := newPace(cmp.Or(p.Rate, float64(len(addrs))/publishersStart.Seconds()))
	for _, addr := range addrs {
		if !pace.wait(ctx) {
			break
		}
		pub := &publisher{press: p, addr: addr}
		all = append(all, pub)
		sending.Go(func() { pub.run(sendCtx) })
	}
	if sleep(ctx, min(settle, p.For)) {
		m.begin()
		p.measuring.Store(true)
		sleep(ctx, p.For)
	}
	stopMeter()
	metering.Wait()
	r = m.end()
	p.measuring.Store(false)
	stopSending()
	sending.Wait()
	return all, r
}

// show writes the progress line.
func (p *press) show(m *meter, s Sample) {
	if p.Progress == nil {
		return
	}
	text := fmt.Sprintf("%s of %s publishers, %s", number(s.Clients), number(p.N), m.line(s))
	if !m.began.at.IsZero() {
		text += fmt.Sprintf(", %.0f s to go", max(p.For-time.Since(m.began.at), 0).Seconds())
	}
	p.Progress(text)
}

// run sends until ctx ends, over a new connection when one is lost.
func (p *publisher) run(ctx context.Context) {
	for {
		err := p.send(ctx)
		if ctx.Err() != nil {
			return
		}
		p.lost++
		p.press.failed.add("", err)
		if !sleep(ctx, retry) {
			return
		}
	}
}

// send sends over one connection.
func (p *publisher) send(ctx context.Context) error {
	d := net.Dialer{Timeout: dialTimeout}
	conn, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() }) // wakes a blocked Write
	defer stop()
	p.press.connected.Add(1)
	defer p.press.connected.Add(-1)
	if _, err := conn.Write(p.press.Hello); err != nil {
		return err
	}
	return p.feed(ctx, conn, p.press.media())
}

// errEnded says that ctx has ended.
var errEnded = errors.New("ended")

// feed writes media to w, each piece when it is due.
func (p *publisher) feed(ctx context.Context, w io.Writer, m media) error {
	began := time.Now()
	for {
		piece, at := m.next()
		due := began.Add(at)
		if pause := time.Until(due); pause > 0 && !sleep(ctx, pause) {
			return errEnded
		}
		before := time.Now()
		n, err := w.Write(piece)
		p.press.bytes.Add(int64(n))
		if p.press.measuring.Load() {
			now := time.Now()
			p.note(now.Sub(due), now.Sub(before))
		}
		if err != nil {
			return err
		}
	}
}

// note counts a piece that was sent so late, by a write that took so long.
func (p *publisher) note(late, took time.Duration) {
	p.sent++
	p.latest = max(p.latest, late)
	p.press.late.Record(late)
	if took >= stallTime {
		p.stalled = true
		p.press.writes.Record(took)
	}
}

// keptPace reports whether the server took the media at its pace.
func (p *publisher) keptPace() bool { return p.sent > 0 && p.lost == 0 && p.latest < paceTime }
