package load

import "fmt"

// ListenersReport is what [Listeners] found. Sizes are in bytes.
type ListenersReport struct {
	URL       string `json:"url"`
	Listeners int    `json:"listeners"` // wanted
	Connected int    `json:"connected"` // answered with status 200
	Slow      int    `json:"slow"`      // of these, never read
	Throttled int    `json:"throttled"` // of these, read slowly for a while

	ConnectSeconds float64   `json:"connect_seconds"` // until the last one was answered or refused
	Connect        Quantiles `json:"connect"`         // of TCP, and TLS
	FirstByte      Quantiles `json:"first_byte"`      // from the start of connecting to the first byte of the answer
	FirstFrame     Quantiles `json:"first_frame"`     // from the same to the first whole frame
	Refused        Failures  `json:"refused"`         // while connecting
	Lost           Failures  `json:"lost"`            // afterwards

	// What follows was measured for Seconds, after all were connected.
	Seconds float64   `json:"seconds"`
	Gaps    Quantiles `json:"gaps"` // between reads with media, of one listener
	Silent  int       `json:"silent"`
	Bytes   int64     `json:"bytes"`
	Mbits   float64   `json:"mbit_s"`

	Frames  *FramesReport `json:"frames,omitempty"`
	Server  *Usage        `json:"server,omitempty"`
	LoadCPU float64       `json:"load_cpu_percent"`
	Samples []Sample      `json:"samples"`
}

// FramesReport is about the frames of a source of the load's own.
type FramesReport struct {
	// LowLatency says that the server announced to skip what is late.
	LowLatency bool      `json:"low_latency"`
	Age        Quantiles `json:"age"`        // of frames on arrival
	Behind     Quantiles `json:"behind"`     // at the end: age of the newest frame that a listener has
	Whole      int64     `json:"whole"`      // frames that arrived as they were sent
	Missing    int64     `json:"missing"`    // passed over
	Torn       int64     `json:"torn"`       // places with something else than a whole frame
	Disordered int64     `json:"disordered"` // repeated, or after a newer one
	Early      int       `json:"early"`      // listeners whose first byte was inside a frame

	ThrottledMissing int64     `json:"throttled_missing"` // of Missing, those of throttled listeners
	Released         Quantiles `json:"released"`          // throttled listeners, 2 s after their release: how far behind
}

func (c *crowd) report(m *meter, r result, crowd []*listener) *ListenersReport {
	rep := &ListenersReport{
		URL: c.URL, Listeners: c.N, Connected: len(crowd),
		ConnectSeconds: c.took.Seconds(),
		Connect:        c.connect.Counts().Quantiles(),
		FirstByte:      c.firstByte.Counts().Quantiles(),
		FirstFrame:     c.firstFrame.Counts().Quantiles(),
		Refused:        c.refused.all(), Lost: c.lost.all(),
		Seconds: r.seconds, Gaps: c.gaps.Counts().Quantiles(), Silent: c.silent,
		Bytes: r.bytes, Mbits: r.mbits, Server: r.server, LoadCPU: r.own, Samples: m.samples,
	}
	for _, l := range crowd {
		switch l.kind {
		case slowKind:
			rep.Slow++
		case throttledKind:
			rep.Throttled++
		}
	}
	if c.source == nil {
		return rep
	}
	f := &FramesReport{
		LowLatency: crowd[0].lowLatency, Age: c.ages.Counts().Quantiles(),
		Behind: c.behind.Counts().Quantiles(), Released: c.released.Counts().Quantiles(),
	}
	for _, l := range crowd {
		t := l.track
		f.Whole += t.frames
		f.Missing += t.missing
		f.Torn += t.torn
		f.Disordered += t.disordered
		if t.early {
			f.Early++
		}
		if l.kind == throttledKind {
			f.ThrottledMissing += t.missing
		}
	}
	rep.Frames = f
	return rep
}

// Rows returns the report for a person.
func (r *ListenersReport) Rows() []Row {
	who := fmt.Sprintf("%s of %s", number(r.Connected), number(r.Listeners))
	if r.Slow > 0 {
		who += fmt.Sprintf(", of whom %s never read", number(r.Slow))
	}
	if r.Throttled > 0 {
		who += fmt.Sprintf(", of whom %s read slowly for a while", number(r.Throttled))
	}
	rows := []Row{
		{"listeners", who},
		{"all connected after", fmt.Sprintf("%.2f s", r.ConnectSeconds)},
		{"refused", r.Refused.String()},
		{"time to connect", r.Connect.String()},
		{"time to the first byte", r.FirstByte.String()},
		{"time to the first frame", r.FirstFrame.String()},
		{"measured for", fmt.Sprintf("%.1f s", r.Seconds)},
		{"gaps between reads", r.Gaps.String()},
		{"received", fmt.Sprintf("%s, %.1f Mbit/s", megabytes(r.Bytes), r.Mbits)},
		{"lost", r.Lost.String()},
	}
	if r.Silent > 0 {
		rows = append(rows, Row{"silent", fmt.Sprintf("%s had heard nothing for %v at the end", number(r.Silent), silence)})
	}
	if r.Frames != nil {
		rows = append(rows, r.Frames.rows(r.Throttled)...)
	}
	return append(rows, useRows(r.Server, r.LoadCPU)...)
}

func (f *FramesReport) rows(throttled int) []Row {
	mode := "not offered: the answer has no X-Headwater-Mode: live"
	if f.LowLatency {
		mode = "offered"
	}
	rows := []Row{
		{"low-latency mode", mode},
		{"age of frames on arrival", f.Age.String()},
		{"behind live at the end", f.Behind.String()},
		{"frames", fmt.Sprintf("%s whole, %s missing, %s torn, %s out of order", number(f.Whole), number(f.Missing), number(f.Torn), number(f.Disordered))},
		{"began inside a frame", number(f.Early) + " listeners"},
	}
	if throttled > 0 {
		rows = append(rows,
			Row{"throttled, behind live 2 s after release", f.Released.String()},
			Row{"throttled, frames missing", number(f.ThrottledMissing)})
	}
	return rows
}

// Chart returns gaps, or ages if there is a source, and CPU over time.
func (r *ListenersReport) Chart() Chart {
	what := "gaps between reads"
	note := fmt.Sprintf("%.0f Mbit/s, 99 %% of gaps within %s", r.Mbits, duration(r.Gaps.P99))
	if r.Frames != nil {
		what, note = "age of frames on arrival", fmt.Sprintf("%.0f Mbit/s, 99 %% of frames within %s", r.Mbits, duration(r.Frames.Age.P99))
	}
	if r.Server != nil {
		note += fmt.Sprintf(", server %.1f %% of a core, %s", r.Server.CPU, megabytes(r.Server.RSS))
	}
	return timesChart(fmt.Sprintf("%s listeners", number(r.Connected)), note, what, r.Samples, r.Server != nil)
}
