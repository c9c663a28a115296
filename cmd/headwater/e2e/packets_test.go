//go:build e2e

package e2e_test

import (
	"bufio"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// packet is one coded picture or audio frame as ffmpeg takes it out of its container.
type packet struct {
	pts  float64 // seconds
	hash string  // of its bytes
}

// readPackets reads what "ffmpeg -c copy -f framemd5" printed: the packets of
// each stream in order.
func readPackets(t *testing.T, text string) [][]packet {
	t.Helper()
	var streams [][]packet
	var base []float64
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := lines.Text()
		var stream, num, den int
		if _, err := fmt.Sscanf(line, "#tb %d: %d/%d", &stream, &num, &den); err == nil {
			base = append(base, float64(num)/float64(den))
			streams = append(streams, nil)
			continue
		}
		field := strings.Split(line, ",")
		if strings.HasPrefix(line, "#") || len(field) < 6 {
			continue
		}
		stream, err := strconv.Atoi(strings.TrimSpace(field[0]))
		if err != nil || stream >= len(streams) {
			t.Fatalf("framemd5 line %q: %v", line, err)
		}
		ticks, err := strconv.ParseInt(strings.TrimSpace(field[2]), 10, 64)
		if err != nil {
			t.Fatalf("framemd5 line %q: %v", line, err)
		}
		streams[stream] = append(streams[stream], packet{pts: float64(ticks) * base[stream], hash: strings.TrimSpace(field[5])})
	}
	return streams
}

// sent caches what is in the material.
var sent sync.Map // *material to func() [][]packet

// packets returns what is in the file, video before audio.
func (m *material) packets(t *testing.T) [][]packet {
	t.Helper()
	path := m.path(t)
	read, _ := sent.LoadOrStore(m, sync.OnceValue(func() [][]packet {
		r := run(t, time.Minute, "ffmpeg", "-v", "error", "-nostdin", "-i", path,
			"-map", "0:v?", "-map", "0:a", "-c", "copy", "-f", "framemd5", "-").must(t)
		return readPackets(t, r.stdout)
	}))
	return read.(func() [][]packet)()
}

// tick is the resolution of timestamps in a transport stream.
const tick = 1.0 / 90000

// settling is how many packets ffmpeg may stamp wrongly after it has joined a
// stream: it gives the first audio frames of the first PES packet one time.
const settling = 8

// find returns where in want the run got of packets begins. It fails unless
// every packet of got is there, byte for byte, with none missing in between.
func find(t *testing.T, what string, got, want []packet) int {
	t.Helper()
	if len(got) <= settling {
		t.Fatalf("%s: only %d packets were received", what, len(got))
	}
	best, bestAt := 0, -1
	for i := range want {
		n := 0
		for n < len(got) && i+n < len(want) && got[n].hash == want[i+n].hash {
			n++
		}
		if n > best {
			best, bestAt = n, i
		}
	}
	if best < len(got) {
		t.Fatalf("%s: %d packets were received, of which only the first %d are those that were sent, from number %d on", what, len(got), best, bestAt)
	}
	return bestAt
}

// sameTimes fails unless the packets of got are at the distances of those of
// want. It returns by how much the clocks differ. Pictures must be exact; sound
// may be off by what rounding to ticks in both does to a distance.
func sameTimes(t *testing.T, what string, got, want []packet, video bool) (shift float64) {
	t.Helper()
	tolerance := 2.01 * tick
	if video {
		tolerance = 0.01 * tick
	}
	shift = got[settling].pts - want[settling].pts
	for i := settling; i < len(got); i++ {
		if off := got[i].pts - want[i].pts - shift; math.Abs(off) > tolerance {
			t.Fatalf("%s: packet %d of %d has its timestamp %+.6f s off", what, i, len(got), off)
		}
	}
	return shift
}
