package load

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// Viewers is a load of N viewers, who play one HTTP Live Streaming address as
// players do: the multivariant playlist once, its first variant and the sound
// that goes with it if that stands apart, a media playlist each target
// duration and after half of one if it had not changed (RFC 8216 §6.3.4), each
// segment once. Each has a connection of its own, kept alive, and takes
// playlists in gzip.
type Viewers struct {
	URL    string        // http or https, of a multivariant or a media playlist
	N      int           // viewers
	For    time.Duration // how long to measure once all have begun; 0 means DefaultFor
	Rate   float64       // how many begin a second; 0 means DefaultViewersRate
	Server Process       // what to watch; 0 means nothing

	Progress func(line string) // called each second, if not nil
}

// DefaultViewersRate is how many viewers begin a second.
const DefaultViewersRate = 100

// audience is one run of Viewers.
type audience struct {
	Viewers
	start time.Time

	first, playlists, segments, bodies Histogram // start-up; times of requests; of segments and playlists, to the last byte
	stalls                             Histogram
	bytes, media, requests             atomic.Int64
	unchanged, changed, zipped, gaps   atomic.Int64
	missed                             atomic.Int64 // segments that had left the playlist
	watching, playing, stalled         atomic.Int64
	errors                             failures
}

// Run plays. It returns a report also if ctx ends early. The error is that
// nothing could be measured: no viewer got a segment, or the server's process
// cannot be watched.
func (o Viewers) Run(ctx context.Context) (*ViewersReport, error) {
	a := &audience{Viewers: o, start: time.Now()}
	a.For, a.Rate = cmp.Or(o.For, DefaultFor), cmp.Or(o.Rate, DefaultViewersRate)
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("%w: %s is no URL: it must be like http://localhost:8080/live.m3u8", ErrOptions, o.URL)
	case o.N < 1:
		return nil, fmt.Errorf("%w: %d viewers: at least one is needed", ErrOptions, o.N)
	}
	m := &meter{server: o.Server, times: &a.bodies, bytes: a.bytes.Load, clients: func() int { return int(a.watching.Load()) }}
	if err := m.open(a.start); err != nil {
		return nil, err
	}
	r, requests := a.watch(ctx, m, u)
	if a.segments.Counts().N() == 0 {
		return nil, fmt.Errorf("no viewer could get a segment of %s: %v", o.URL, a.errors.all())
	}
	return a.report(m, r, requests), nil
}

// watch lets all viewers play until the time is over. It returns what was
// measured, and how many requests were answered in that time.
func (a *audience) watch(ctx context.Context, m *meter, u *url.URL) (r result, requests int64) {
	var metering, viewing sync.WaitGroup
	meterCtx, stopMeter := context.WithCancel(ctx)
	defer stopMeter()
	metering.Go(func() { m.run(meterCtx, func(s Sample) { a.show(m, s) }) })
	viewCtx, stopViewing := context.WithCancel(ctx)
	defer stopViewing()
	pace := newPace(a.Rate)
	for range a.N {
		if !pace.wait(ctx) {
			break
		}
		viewing.Go(func() {
			a.watching.Add(1)
			defer a.watching.Add(-1)
			newViewer(a).play(viewCtx, u)
		})
	}
	if ctx.Err() == nil {
		requests = a.requests.Load()
		m.begin()
		sleep(ctx, a.For)
	}
	stopMeter()
	metering.Wait()
	r = m.end()
	requests = a.requests.Load() - requests
	stopViewing()
	viewing.Wait()
	return r, requests
}

// show writes the progress line.
func (a *audience) show(m *meter, s Sample) {
	if a.Progress == nil {
		return
	}
	text := fmt.Sprintf("%s of %s viewers, %s playing, %s stalls, %s", number(s.Clients), number(a.N), number(a.playing.Load()), number(a.stalls.Counts().N()), m.line(s))
	if !m.began.at.IsZero() {
		text += fmt.Sprintf(", %.0f s to go", max(a.For-time.Since(m.began.at), 0).Seconds())
	}
	a.Progress(text)
}
