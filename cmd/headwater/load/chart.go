package load

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Chart is the course of a load: two panels above one axis of seconds.
type Chart struct {
	Title  string
	Note   string // a second, smaller line
	Panels [2]Panel
}

// Panel is some lines that share a unit.
type Panel struct {
	Title string // with the unit
	Lines []Line
}

// Line is a series over time.
type Line struct {
	Name   string
	Points []Point
}

// Point is one value at a number of seconds since the load began.
type Point struct{ Seconds, Value float64 }

// Measures of the chart in pixels.
const (
	chartWidth   = 760
	chartHeight  = 460
	chartLeft    = 64
	chartRight   = 24
	panelTop     = 92 // of the first panel
	panelHeight  = 130
	panelStep    = 190 // from one panel to the next
	plotWidth    = chartWidth - chartLeft - chartRight
	gridLines    = 4
	chartMaxLine = 3 // lines of a panel, for which there are colours
)

// chartStyle serves bright and dark pages: what is drawn with an img element
// follows the reader's choice too.
const chartStyle = `text{font:12px system-ui,sans-serif;fill:#444}.t{font-size:16px;font-weight:600}` +
	`.g{stroke:#8884;fill:none}.l{fill:none;stroke-width:1.8;stroke-linejoin:round}` +
	`.c0{stroke:#1f77b4}.c1{stroke:#d9541e}.c2{stroke:#2a9d5c}.k0{fill:#1f77b4}.k1{fill:#d9541e}.k2{fill:#2a9d5c}` +
	`@media (prefers-color-scheme:dark){text{fill:#bbb}.c0{stroke:#6cb4ee}.k0{fill:#6cb4ee}}`

// WriteSVG writes the chart as one SVG image on a transparent ground.
func (c Chart) WriteSVG(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img"><title>%s</title><style>%s</style>`+"\n",
		chartWidth, chartHeight, html.EscapeString(c.Title), chartStyle)
	fmt.Fprintf(&b, `<text class="t" x="16" y="28">%s</text><text x="16" y="48">%s</text>`+"\n", html.EscapeString(c.Title), html.EscapeString(c.Note))
	end := 1.0
	for _, p := range c.Panels {
		for _, l := range p.Lines {
			for _, point := range l.Points {
				end = max(end, point.Seconds)
			}
		}
	}
	for i, p := range c.Panels {
		p.write(&b, panelTop+i*panelStep, end)
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// write draws the panel with its top at y; its axis ends at end seconds.
func (p Panel) write(b *strings.Builder, y int, end float64) {
	top := 0.0
	for _, l := range p.Lines {
		for _, point := range l.Points {
			top = max(top, point.Value)
		}
	}
	top = roundUp(top/gridLines) * gridLines
	fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`+"\n", chartLeft, y-10, html.EscapeString(p.Title))
	for i := range gridLines + 1 {
		at := y + panelHeight - i*panelHeight/gridLines
		fmt.Fprintf(b, `<path class="g" d="M%d %dh%d"/><text x="%d" y="%d" text-anchor="end">%s</text>`+"\n",
			chartLeft, at, plotWidth, chartLeft-6, at+4, figure(top*float64(i)/gridLines))
	}
	step := roundUp(end / 6)
	for s := 0.0; s <= end; s += step {
		fmt.Fprintf(b, `<text x="%.0f" y="%d" text-anchor="middle">%s s</text>`+"\n", chartLeft+s/end*plotWidth, y+panelHeight+18, figure(s))
	}
	for i, l := range p.Lines[:min(len(p.Lines), chartMaxLine)] {
		x := chartWidth - chartRight - 110*(len(p.Lines)-i)
		fmt.Fprintf(b, `<rect class="k%d" x="%d" y="%d" width="14" height="4"/><text x="%d" y="%d">%s</text>`+"\n",
			i, x, y-15, x+20, y-10, html.EscapeString(l.Name))
		l.write(b, i, func(p Point) (float64, float64) {
			return chartLeft + p.Seconds/end*plotWidth, float64(y) + panelHeight*(1-p.Value/top)
		})
	}
}

// write draws the line; place tells where a point is on the page.
func (l Line) write(b *strings.Builder, colour int, place func(Point) (x, y float64)) {
	if len(l.Points) == 0 {
		return
	}
	fmt.Fprintf(b, `<polyline class="l c%d" points="`, colour)
	for i, p := range l.Points {
		if i > 0 {
			b.WriteByte(' ')
		}
		x, y := place(p)
		fmt.Fprintf(b, "%.1f,%.1f", x, y)
	}
	b.WriteString("\"/>\n")
}

// roundUp returns the least 1, 2 or 5 times a power of ten that is v or more; 1 for 0.
func roundUp(v float64) float64 {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 5} {
		if v <= f*unit*(1+1e-9) {
			return f * unit
		}
	}
	return 10 * unit
}

// figure writes a number on an axis.
func figure(v float64) string {
	if v >= 100 || v == math.Trunc(v) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// timesChart returns the usual chart: quantiles of what is measured, and CPU.
func timesChart(title, note, times string, samples []Sample, server bool) Chart {
	line := func(name string, value func(Sample) float64) Line {
		l := Line{Name: name}
		for _, s := range samples {
			l.Points = append(l.Points, Point{s.At, value(s)})
		}
		return l
	}
	c := Chart{Title: title, Note: note}
	c.Panels[0] = Panel{times + ", ms", []Line{
		line("99 % within", func(s Sample) float64 { return s.P99 }),
		line("half within", func(s Sample) float64 { return s.P50 }),
	}}
	if server {
		c.Panels[1] = Panel{"server, % of one core", []Line{line("CPU", func(s Sample) float64 { return s.CPU })}}
	} else {
		c.Panels[1] = Panel{"Mbit/s", []Line{line("received", func(s Sample) float64 { return s.Mbits })}}
	}
	return c
}
