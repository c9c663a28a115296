package load_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"headwater/cmd/headwater/load"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestChart(t *testing.T) {
	var chart load.Chart
	chart.Title, chart.Note = "8,000 listeners <of> a station", "gaps & more"
	for i := range 31 {
		s := float64(i)
		chart.Panels[0].Title = "gaps, ms"
		chart.Panels[1].Title = "server, % of one core"
		if i == 0 {
			chart.Panels[0].Lines = []load.Line{{Name: "99 % within"}, {Name: "half within"}}
			chart.Panels[1].Lines = []load.Line{{Name: "CPU"}}
		}
		add := func(l *load.Line, v float64) { l.Points = append(l.Points, load.Point{Seconds: s, Value: v}) }
		add(&chart.Panels[0].Lines[0], 260+40*math.Sin(s/3))
		add(&chart.Panels[0].Lines[1], 250)
		add(&chart.Panels[1].Lines[0], 28+s/10)
	}
	const name = "testdata/golden/chart.svg"
	var got strings.Builder
	if err := chart.WriteSVG(&got); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(name, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("WriteSVG is not %s; go test -update rewrites it", name)
	}
}

// Whatever there is to draw, the picture is well-formed and has no number that is none.
func TestChartIsAlwaysXML(t *testing.T) {
	one := load.Chart{Title: "\"&<>"}
	one.Panels[0].Lines = []load.Line{{Name: "&", Points: []load.Point{{Seconds: 0.5}}}}
	four := load.Chart{}
	four.Panels[1].Lines = make([]load.Line, 5)
	for _, chart := range []load.Chart{{}, one, four, (&load.ListenersReport{}).Chart(), (&load.ViewersReport{Server: new(load.Usage)}).Chart()} {
		var b strings.Builder
		if err := chart.WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(strings.NewReader(b.String()))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, &b)
			}
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("no number: %s", &b)
		}
	}
}
