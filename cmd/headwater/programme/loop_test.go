package programme_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/mux"
)

// reader is a second, independent reading of what the loop restamps. It notes
// every timestamp by PID, unwrapped, and fails on a continuity gap.
type reader struct {
	t          *testing.T
	continuity map[mux.PID]uint8
	pts, dts   map[mux.PID][]mux.Ticks
	pcr        []mux.Ticks
}

func newReader(t *testing.T) *reader {
	return &reader{t: t, continuity: map[mux.PID]uint8{}, pts: map[mux.PID][]mux.Ticks{}, dts: map[mux.PID][]mux.Ticks{}}
}

func (r *reader) packet(p []byte) {
	r.t.Helper()
	if p[0] != 0x47 {
		r.t.Fatalf("sync byte = %#x, want 0x47", p[0])
	}
	pid := mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2])
	control := p[3] >> 4 & 3
	if last, ok := r.continuity[pid]; ok {
		want := last
		if control&1 != 0 {
			want = (last + 1) & 15
		}
		if p[3]&15 != want {
			r.t.Fatalf("continuity_counter of PID %#x = %d, want %d", pid, p[3]&15, want)
		}
	}
	r.continuity[pid] = p[3] & 15
	payload := p[4:]
	if control&2 != 0 {
		if p[4] > 0 && p[5]&0x10 != 0 {
			var base uint64
			for _, b := range p[6:11] {
				base = base<<8 | uint64(b)
			}
			r.pcr = appendUnwrapped(r.pcr, mux.Ticks(base>>7))
		}
		payload = p[5+int(p[4]):]
	}
	if p[1]&0x40 != 0 && control&1 != 0 && bytes.HasPrefix(payload, []byte{0, 0, 1}) {
		r.pts[pid] = appendUnwrapped(r.pts[pid], field(payload[9:]))
		if payload[7]&0x40 != 0 {
			r.dts[pid] = appendUnwrapped(r.dts[pid], field(payload[14:]))
		} else {
			r.dts[pid] = appendUnwrapped(r.dts[pid], field(payload[9:]))
		}
	}
}

func field(b []byte) mux.Ticks {
	return mux.Ticks(b[0]&0x0e)<<29 | mux.Ticks(b[1])<<22 | mux.Ticks(b[2]&0xfe)<<14 | mux.Ticks(b[3])<<7 | mux.Ticks(b[4])>>1
}

func appendUnwrapped(list []mux.Ticks, raw mux.Ticks) []mux.Ticks {
	if len(list) == 0 {
		return append(list, raw)
	}
	return append(list, list[len(list)-1].Nearest(raw))
}

const (
	videoPID mux.PID = 0x100
	audioPID mux.PID = 0x101
)

func TestLoopIsSeamless(t *testing.T) {
	for _, start := range []mux.Ticks{-1, 0, 12345, mux.Wrap - 20*mux.ClockRate} {
		t.Run(fmt.Sprintf("from %d", start), func(t *testing.T) {
			loop, err := programme.NewLoop(programme.TS(), start)
			if err != nil {
				t.Fatal(err)
			}
			if loop.Lap() != programme.Length {
				t.Fatalf("Lap() = %v, want %v", loop.Lap(), programme.Length)
			}
			const laps = 4
			r := newReader(t)
			latest := time.Duration(0)
			for played := 0; played < laps*len(programme.TS()); {
				packets, at := loop.Next()
				if at < latest {
					t.Fatalf("Next is due at %v after %v", at, latest)
				}
				latest, played = at, played+len(packets)
				for ; len(packets) > 0; packets = packets[mux.PacketSize:] {
					r.packet(packets[:mux.PacketSize])
				}
			}
			checkSpacing(t, "video DTS", r.dts[videoPID], 3600, laps*400)
			checkSpacing(t, "audio PTS", r.pts[audioPID], 1920, laps*750)
			if start >= 0 && r.dts[videoPID][0] != start {
				t.Errorf("first DTS = %d, want %d", r.dts[videoPID][0], start)
			}
			for i, pcr := range r.pcr[1:] {
				if gap := pcr - r.pcr[i]; gap <= 0 || gap > mux.ClockRate/10 {
					t.Fatalf("PCR %d comes %d ticks after the one before, want 1 to 9000", i+1, gap) // hls-rules C07
				}
			}
			for i, dts := range r.dts[videoPID] {
				if pts := dts.Nearest(r.pts[videoPID][i]); pts < dts || pts > dts+3*3600 {
					t.Fatalf("picture %d has PTS %d and DTS %d", i, pts, dts)
				}
			}
		})
	}
}

func checkSpacing(t *testing.T, what string, times []mux.Ticks, want mux.Ticks, count int) {
	t.Helper()
	if len(times) != count {
		t.Fatalf("%s: %d of them, want %d", what, len(times), count)
	}
	for i, at := range times[1:] {
		if at-times[i] != want {
			t.Fatalf("%s %d comes %d ticks after the one before, want %d", what, i+1, at-times[i], want)
		}
	}
}

func TestLoopReadEqualsNext(t *testing.T) {
	byNext, _ := programme.NewLoop(programme.TS(), 0)
	byRead, _ := programme.NewLoop(programme.TS(), 0)
	var want []byte
	for len(want) < 2*len(programme.TS()) {
		packets, _ := byNext.Next()
		want = append(want, packets...)
	}
	got := make([]byte, len(want))
	for n := 0; n < len(got); {
		m, err := io.ReadFull(byRead, got[n:min(n+1000, len(got))])
		if err != nil {
			t.Fatal(err)
		}
		n += m
	}
	if !bytes.Equal(got, want) {
		t.Error("Read gives other bytes than Next")
	}
}

func TestNewLoopRefuses(t *testing.T) {
	one := programme.TS()
	for _, test := range []struct {
		name   string
		source []byte
		want   error
	}{
		{"nothing", nil, programme.ErrNoTimestamps},
		{"no PES packet", one[:2*mux.PacketSize], programme.ErrNoTimestamps},
		{"a cut packet", one[:1000], mux.ErrTruncated},
		{"no sync byte", one[1 : 1+mux.PacketSize], mux.ErrSyncLost},
		{"a single PES packet", one[:4*mux.PacketSize], programme.ErrTooShort},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := programme.NewLoop(test.source, 0); !errors.Is(err, test.want) {
				t.Errorf("NewLoop = %v, want %v", err, test.want)
			}
		})
	}
}

// Whatever NewLoop takes, it plays: whole packets, all of the source in each
// lap, at times that never run backward. The corpus holds good packets
// (programme), an adaptation field longer than its packet (lying-af), a PES
// header that ends with the packet (short-pes) and times that run backward
// (backward).
func FuzzLoop(f *testing.F) {
	f.Add(programme.TS()[:100*mux.PacketSize])
	f.Fuzz(func(t *testing.T, source []byte) {
		loop, err := programme.NewLoop(source, 0)
		if err != nil {
			return
		}
		latest, played := time.Duration(0), 0
		for played < 3*len(source) {
			packets, at := loop.Next()
			if len(packets) == 0 || len(packets)%mux.PacketSize != 0 || at < latest {
				t.Fatalf("Next = %d bytes at %v, after %v", len(packets), at, latest)
			}
			latest, played = at, played+len(packets)
		}
		if played != 3*len(source) {
			t.Fatalf("3 laps have %d bytes, want %d", played, 3*len(source))
		}
	})
}

func TestNextAllocatesNothing(t *testing.T) {
	loop, err := programme.NewLoop(programme.TS(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2000 {
		loop.Next()
	}
	if n := testing.AllocsPerRun(3000, func() { loop.Next() }); n != 0 {
		t.Errorf("Next allocates %v times, want 0", n)
	}
}

func ExampleLoop() {
	loop, err := programme.NewLoop(programme.TS(), 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	var due time.Duration
	bytes := 0
	for due < time.Minute {
		var packets []byte
		packets, due = loop.Next()
		bytes += len(packets)
	}
	fmt.Println("a lap:", loop.Lap(), "a minute:", bytes*8/60/1000, "kbit/s")
	// Output: a lap: 16s a minute: 167 kbit/s
}

func BenchmarkLoop(b *testing.B) {
	loop, err := programme.NewLoop(programme.TS(), 0)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(programme.TS())))
	for b.Loop() {
		for n := 0; n < len(programme.TS()); {
			packets, _ := loop.Next()
			n += len(packets)
		}
	}
}
