package profile

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime/metrics"
	"strconv"
	"strings"
)

// appendMetrics appends all that package runtime/metrics measures in the text
// format of Prometheus, by the names that its own client for Go gives them,
// and what the system says about the process.
func appendMetrics(b []byte) []byte {
	all := metrics.All()
	samples := make([]metrics.Sample, len(all))
	for i := range all {
		samples[i].Name = all[i].Name
	}
	metrics.Read(samples)
	for i, d := range all {
		switch v := samples[i].Value; v.Kind() {
		case metrics.KindUint64:
			b = appendValue(b, metricName(d), d.Description, d.Cumulative, float64(v.Uint64()))
		case metrics.KindFloat64:
			b = appendValue(b, metricName(d), d.Description, d.Cumulative, v.Float64())
		case metrics.KindFloat64Histogram:
			b = appendHistogram(b, metricName(d), d.Description, v.Float64Histogram())
		}
	}
	return appendProcess(b)
}

// metricName turns /gc/heap/allocs:bytes into go_gc_heap_allocs_bytes_total.
func metricName(d metrics.Description) string {
	name := "go" + strings.NewReplacer("/", "_", "-", "_", ":", "_", "*", "_").Replace(d.Name)
	if d.Cumulative && d.Kind != metrics.KindFloat64Histogram {
		name += "_total"
	}
	return name
}

func appendHead(b []byte, name, help, kind string) []byte {
	help, _, _ = strings.Cut(help, ". ") // the rest would fill a page
	return fmt.Appendf(b, "# HELP %s %s\n# TYPE %s %s\n", name, strings.ReplaceAll(help, "\n", " "), name, kind)
}

func appendValue(b []byte, name, help string, counts bool, value float64) []byte {
	kind := "gauge"
	if counts {
		kind = "counter"
	}
	b = appendHead(b, name, help, kind)
	return append(appendNumber(append(append(b, name...), ' '), value), '\n')
}

// appendHistogram appends a histogram of the runtime with buckets that are at
// least twice as wide as the one before: it has hundreds. Its sum is not known.
func appendHistogram(b []byte, name, help string, h *metrics.Float64Histogram) []byte {
	b = appendHead(b, name, help, "histogram")
	var count uint64
	last := math.Inf(-1)
	for i, n := range h.Counts {
		count += n
		end := h.Buckets[i+1]
		if math.IsInf(end, 1) || end <= 0 || end < 2*last {
			continue
		}
		last = end
		b = append(append(b, name...), `_bucket{le="`...)
		b = append(appendNumber(b, end), `"} `...)
		b = append(strconv.AppendUint(b, count, 10), '\n')
	}
	return fmt.Appendf(b, "%s_bucket{le=\"+Inf\"} %d\n%s_count %d\n", name, count, name, count)
}

func appendNumber(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

// appendProcess appends what /proc knows; nothing where there is none.
func appendProcess(b []byte) []byte {
	if dir, err := os.Open("/proc/self/fd"); err == nil {
		names, err := dir.Readdirnames(-1)
		dir.Close()
		if err == nil {
			b = appendValue(b, "process_open_fds", "Open files.", false, float64(len(names)-1)) // dir is not counted
		}
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(statm); len(fields) > 1 {
			if pages, err := strconv.ParseFloat(string(fields[1]), 64); err == nil {
				b = appendValue(b, "process_resident_memory_bytes", "Memory that is resident.", false, pages*float64(os.Getpagesize()))
			}
		}
	}
	return b
}
