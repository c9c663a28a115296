package load

import "fmt"

// ViewersReport is what [Viewers] found. Sizes are in bytes.
type ViewersReport struct {
	URL     string `json:"url"`
	Viewers int    `json:"viewers"`
	Played  int64  `json:"played"`  // viewers who got a segment
	Stalled int64  `json:"stalled"` // of these, those whose picture stood still

	Start     Quantiles `json:"start"`     // from the beginning to the end of the first segment
	Playlists Quantiles `json:"playlists"` // from a request to the last byte of its answer
	Segments  Quantiles `json:"segments"`  // the same
	Stalls    Quantiles `json:"stalls"`    // how long each was
	Missed    int64     `json:"missed"`    // segments that had left the playlist before they were fetched
	Gaps      int64     `json:"gaps"`      // segments that the server said are missing
	Unchanged float64   `json:"unchanged"` // share of playlists that had nothing new
	Zipped    float64   `json:"gzip"`      // share of playlists that came in gzip
	Errors    Failures  `json:"errors"`

	// What follows was measured for Seconds, after all had begun.
	Seconds  float64 `json:"seconds"`
	Requests float64 `json:"requests_s"` // answered a second
	Bytes    int64   `json:"bytes"`      // of bodies
	Mbits    float64 `json:"mbit_s"`

	Server  *Usage   `json:"server,omitempty"`
	LoadCPU float64  `json:"load_cpu_percent"`
	Samples []Sample `json:"samples"`
}

func (a *audience) report(m *meter, r result, requests int64) *ViewersReport {
	share := func(part, whole int64) float64 { return float64(part) / float64(max(whole, 1)) }
	starts := a.first.Counts()
	rep := &ViewersReport{
		URL: a.URL, Viewers: a.N, Played: starts.N(), Stalled: a.stalled.Load(),
		Start: starts.Quantiles(), Playlists: a.playlists.Counts().Quantiles(), Segments: a.segments.Counts().Quantiles(),
		Stalls: a.stalls.Counts().Quantiles(), Missed: a.missed.Load(), Gaps: a.gaps.Load(),
		Unchanged: share(a.unchanged.Load(), a.unchanged.Load()+a.changed.Load()),
		Zipped:    share(a.zipped.Load(), a.playlists.Counts().N()),
		Errors:    a.errors.all(),
		Seconds:   r.seconds, Bytes: r.bytes, Mbits: r.mbits, Server: r.server, LoadCPU: r.own, Samples: m.samples,
	}
	if r.seconds > 0 {
		rep.Requests = float64(requests) / r.seconds
	}
	return rep
}

// Rows returns the report for a person.
func (r *ViewersReport) Rows() []Row {
	stalls := "none"
	if r.Stalls.Count > 0 {
		stalls = fmt.Sprintf("%s, of %s viewers: %s", number(r.Stalls.Count), number(r.Stalled), r.Stalls)
	}
	rows := []Row{
		{"viewers who play", fmt.Sprintf("%s of %s", number(r.Played), number(r.Viewers))},
		{"time to the first whole segment", r.Start.String()},
		{"answers to playlists", r.Playlists.String()},
		{"answers to segments", r.Segments.String()},
		{"stalls", stalls},
		{"segments missed", fmt.Sprintf("%s had left the playlist, %s were marked as missing", number(r.Missed), number(r.Gaps))},
		{"playlists", fmt.Sprintf("%s, %.0f %% without news, %.0f %% in gzip", number(r.Playlists.Count), 100*r.Unchanged, 100*r.Zipped)},
		{"errors", r.Errors.String()},
		{"measured for", fmt.Sprintf("%.1f s", r.Seconds)},
		{"requests", fmt.Sprintf("%.1f a second", r.Requests)},
		{"received", fmt.Sprintf("%s, %.1f Mbit/s", megabytes(r.Bytes), r.Mbits)},
	}
	return append(rows, useRows(r.Server, r.LoadCPU)...)
}

// Chart returns latencies and CPU over time.
func (r *ViewersReport) Chart() Chart {
	note := fmt.Sprintf("%.1f requests a second, %.0f Mbit/s, stalls: %s", r.Requests, r.Mbits, number(r.Stalls.Count))
	if r.Server != nil {
		note += fmt.Sprintf(", server %.1f %% of a core, %s", r.Server.CPU, megabytes(r.Server.RSS))
	}
	return timesChart(fmt.Sprintf("%s viewers", number(r.Viewers)), note, "answers to requests", r.Samples, r.Server != nil)
}
