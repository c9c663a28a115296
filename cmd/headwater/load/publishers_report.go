package load

import "fmt"

// PublishersReport is what [Publishers] found. Sizes are in bytes.
type PublishersReport struct {
	Publishers int `json:"publishers"`
	KeptPace   int `json:"kept_pace"` // never lost the connection, never a second late
	Stalled    int `json:"stalled"`   // had a write that took 100 ms or more

	Errors Failures `json:"errors"` // connections that could not be made, or were lost

	// What follows was measured for Seconds, after all had begun.
	Seconds float64   `json:"seconds"`
	Late    Quantiles `json:"late"`   // how late each piece had been written
	Stalls  Quantiles `json:"stalls"` // writes of 100 ms or more
	Bytes   int64     `json:"bytes"`
	Mbits   float64   `json:"mbit_s"`

	Server  *Usage   `json:"server,omitempty"`
	LoadCPU float64  `json:"load_cpu_percent"`
	Samples []Sample `json:"samples"`
}

func (p *press) report(m *meter, r result, all []*publisher) *PublishersReport {
	rep := &PublishersReport{
		Publishers: p.N, Errors: p.failed.all(), Seconds: r.seconds,
		Late: p.late.Counts().Quantiles(), Stalls: p.writes.Counts().Quantiles(),
		Bytes: r.bytes, Mbits: r.mbits, Server: r.server, LoadCPU: r.own, Samples: m.samples,
	}
	for _, pub := range all {
		if pub.keptPace() {
			rep.KeptPace++
		}
		if pub.stalled {
			rep.Stalled++
		}
	}
	return rep
}

// Rows returns the report for a person.
func (r *PublishersReport) Rows() []Row {
	stalls := "none"
	if r.Stalls.Count > 0 {
		stalls = fmt.Sprintf("%s, of %s publishers: %s", number(r.Stalls.Count), number(r.Stalled), r.Stalls)
	}
	rows := []Row{
		{"publishers who kept pace", fmt.Sprintf("%s of %s", number(r.KeptPace), number(r.Publishers))},
		{"lost or refused", r.Errors.String()},
		{"measured for", fmt.Sprintf("%.1f s", r.Seconds)},
		{"late by", r.Late.String()},
		{"writes that stalled", stalls},
		{"sent", fmt.Sprintf("%s, %.1f Mbit/s", megabytes(r.Bytes), r.Mbits)},
	}
	return append(rows, useRows(r.Server, r.LoadCPU)...)
}

// Chart returns lateness and CPU over time.
func (r *PublishersReport) Chart() Chart {
	note := fmt.Sprintf("%s kept pace, %.1f Mbit/s", number(r.KeptPace), r.Mbits)
	if r.Server != nil {
		note += fmt.Sprintf(", server %.1f %% of a core, %s", r.Server.CPU, megabytes(r.Server.RSS))
	}
	return timesChart(fmt.Sprintf("%s publishers", number(r.Publishers)), note, "how late media was sent", r.Samples, r.Server != nil)
}
