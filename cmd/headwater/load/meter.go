package load

import (
	"context"
	"fmt"
	"time"
)

// Sample is one second of a load.
type Sample struct {
	At      float64 `json:"at_s"`        // end of the second, since the load began
	P50     float64 `json:"p50_ms"`      // of what the load measures: gaps, ages, latencies
	P99     float64 `json:"p99_ms"`      // of the same
	Mbits   float64 `json:"mbit_s"`      // media and what carries it
	Clients int     `json:"clients"`     // connected
	CPU     float64 `json:"cpu_percent"` // of the server, of one core
	RSS     int64   `json:"rss_bytes"`   // of the server
}

// meter looks at a load once a second.
type meter struct {
	server  Process
	times   *Histogram // what the chart shows
	bytes   func() int64
	clients func() int

	start   time.Time
	use     Usage
	samples []Sample

	last struct { // when it was read last
		at    time.Time
		times Counts
		bytes int64
		cpu   time.Duration
	}
	began struct { // when the load is as it is to be measured
		at       time.Time
		cpu, own time.Duration
		bytes    int64
	}
}

// open notes how the server is before any load. The error says that it cannot be watched.
func (m *meter) open(start time.Time) error {
	if err := m.server.check(); err != nil {
		return err
	}
	m.start, m.last.at, m.last.times = start, start, m.times.Counts()
	if m.server != 0 {
		m.last.cpu, _ = m.server.CPU()
		m.use.RSSBefore, _ = m.server.RSS()
	}
	return nil
}

// run takes samples until ctx ends, and tells each to show.
func (m *meter) run(ctx context.Context, show func(Sample)) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			show(m.sample())
		case <-ctx.Done():
			return
		}
	}
}

// sample adds the time since the last one. A server that has ended uses nothing any more.
func (m *meter) sample() Sample {
	now := time.Now()
	seconds := now.Sub(m.last.at).Seconds()
	times, n := m.times.Counts(), m.bytes()
	recent := times.Since(m.last.times)
	s := Sample{
		At: now.Sub(m.start).Seconds(), P50: ms(recent.Quantile(0.5)), P99: ms(recent.Quantile(0.99)),
		Mbits: float64(n-m.last.bytes) * 8 / seconds / 1e6, Clients: m.clients(),
	}
	m.last.at, m.last.times, m.last.bytes = now, times, n
	if m.server != 0 {
		if cpu, err := m.server.CPU(); err == nil {
			s.CPU = 100 * (cpu - m.last.cpu).Seconds() / seconds
			m.last.cpu = cpu
		}
		s.RSS, _ = m.server.RSS()
		m.use.RSSMax = max(m.use.RSSMax, s.RSS)
	}
	m.samples = append(m.samples, s)
	return s
}

// begin notes where the time starts that the report is about.
func (m *meter) begin() {
	m.began.at, m.began.bytes, m.began.own = time.Now(), m.bytes(), ownCPU()
	if m.server != 0 {
		m.began.cpu, _ = m.server.CPU()
	}
}

// result is what was measured from begin to end.
type result struct {
	seconds float64
	bytes   int64
	mbits   float64
	server  *Usage  // nil if it was not watched
	own     float64 // CPU of the load, per cent of one core
}

// end measures the time since begin; zero if there was no begin.
func (m *meter) end() (r result) {
	if m.server != 0 {
		if rss, err := m.server.RSS(); err == nil {
			m.use.RSS, m.use.RSSMax = rss, max(m.use.RSSMax, rss)
		}
		r.server = &m.use
	}
	if m.began.at.IsZero() {
		return r
	}
	r.seconds = time.Since(m.began.at).Seconds()
	r.bytes = m.bytes() - m.began.bytes
	r.mbits = float64(r.bytes) * 8 / r.seconds / 1e6
	r.own = 100 * (ownCPU() - m.began.own).Seconds() / r.seconds
	if cpu, err := m.server.CPU(); m.server != 0 && err == nil {
		m.use.CPU = 100 * (cpu - m.began.cpu).Seconds() / r.seconds
	}
	return r
}

// line returns a sample for the progress line, without what is not known.
func (m *meter) line(s Sample) string {
	text := fmt.Sprintf("%.1f Mbit/s", s.Mbits)
	if s.P99 > 0 {
		text += fmt.Sprintf(", 99 %% within %s", duration(s.P99))
	}
	if m.server != 0 {
		text += fmt.Sprintf(", server %.0f %% of a core, %s", s.CPU, megabytes(s.RSS))
	}
	return text
}

// sleep returns false if ctx ends before d is over.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
