package ts_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// packets cuts b into packets.
func packets(b []byte) [][]byte { return slices.Collect(slices.Chunk(b, mux.PacketSize)) }

func pidOf(p []byte) mux.PID { return mux.PID(p[1]&0x1f)<<8 | mux.PID(p[2]) }

func starts(p []byte) bool { return p[1]&0x40 != 0 }

// edit returns b with each packet replaced by what change makes of it: nil
// drops it. n counts the packets of the PID from 0.
func edit(b []byte, change func(p []byte, pid mux.PID, n int) []byte) []byte {
	count := map[mux.PID]int{}
	var out []byte
	for _, p := range packets(bytes.Clone(b)) {
		pid := pidOf(p)
		out = append(out, change(p, pid, count[pid])...)
		count[pid]++
	}
	return out
}

// small is 4 s of H.264 in several packets a picture, and AAC in units of one or more.
func small() muxtest.Stream {
	s := muxtest.AV()
	s.VideoBytes, s.FramesPerPES = 1500, 2
	return s
}

const smallTime = 4 * mux.ClockRate

// TestDemuxerDamage feeds streams that are damaged or odd in one way each, and
// looks at what is left of them.
func TestDemuxerDamage(t *testing.T) {
	clean := small().Bytes(smallTime)
	all := demux(t, ts.NewDemuxer(ts.Options{}), clean, whole)
	video, audio := len(ofTrack(all, 0)), len(ofTrack(all, 1))
	tests := []struct {
		name    string
		change  func(p []byte, pid mux.PID, n int) []byte
		video   int // units
		audio   int
		damaged int
		stats   func(s *mux.Stats) uint64 // the counter to look at
		count   uint64
	}{
		{
			name: "nothing", video: video, audio: audio,
			change: func(p []byte, pid mux.PID, n int) []byte { return p },
			stats:  func(s *mux.Stats) uint64 { return s.Continuity + s.BadPES + s.BadPSI + s.Skipped },
		}, {
			name: "a packet in the middle of a picture is lost", video: video, audio: audio, damaged: 1, count: 1,
			change: func(p []byte, pid mux.PID, n int) []byte { return unless(p, pid == muxtest.VideoPID && n == 3) },
			stats:  func(s *mux.Stats) uint64 { return s.Continuity },
		}, {
			name: "the first packet of a picture is lost", video: video - 1, audio: audio, damaged: 1, count: 1,
			change: loseStart(muxtest.VideoPID, 5),
			stats:  func(s *mux.Stats) uint64 { return s.Continuity },
		}, {
			name: "the first packet of audio is lost: only that unit is", video: video, audio: audio - 1, count: 1,
			change: loseStart(muxtest.AudioPID, 5),
			stats:  func(s *mux.Stats) uint64 { return s.Continuity },
		}, {
			name: "all audio is lost", video: video,
			change: func(p []byte, pid mux.PID, n int) []byte { return unless(p, pid == muxtest.AudioPID) },
			stats:  func(s *mux.Stats) uint64 { return s.Continuity },
		}, {
			name: "transport error (hls-rules C20)", video: video, audio: audio, damaged: 1, count: 1,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid == muxtest.VideoPID && n == 3 {
					p[1] |= 0x80
				}
				return p
			},
			stats: func(s *mux.Stats) uint64 { return s.Transport + s.Continuity },
		}, {
			name: "scrambled packets (hls-rules C20)", audio: audio, video: video, damaged: 1, count: 2,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid == muxtest.VideoPID && (n == 3 || n == 4) {
					p[3] |= 0x80
				}
				return p
			},
			stats: func(s *mux.Stats) uint64 { return s.Scrambled + s.Continuity },
		}, {
			name: "each packet is sent twice (hls-rules C05)", video: video, audio: audio,
			count:  uint64(len(clean) / mux.PacketSize),
			change: func(p []byte, pid mux.PID, n int) []byte { return append(bytes.Clone(p), p...) },
			stats:  func(s *mux.Stats) uint64 { return s.Duplicates },
		}, {
			name: "a repeated packet may differ in the PCR", video: video, audio: audio, count: 1,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid != muxtest.VideoPID || n != 0 {
					return p
				}
				q := bytes.Clone(p)
				q[8]++
				return append(bytes.Clone(p), q...)
			},
			stats: func(s *mux.Stats) uint64 { return s.Duplicates },
		}, {
			name: "null packets", video: video, audio: audio, count: 40,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid == muxtest.VideoPID && n < 40 {
					return append(null(), p...)
				}
				return p
			},
			stats: func(s *mux.Stats) uint64 { return s.Null },
		}, {
			name: "an announced jump of the counter", video: video, audio: audio,
			change: jumpAt(muxtest.VideoPID, 5),
			stats:  func(s *mux.Stats) uint64 { return s.Continuity },
		}, {
			name: "PAT and PMT come late", video: 41, audio: 39,
			change: func(p []byte, pid mux.PID, n int) []byte {
				return unless(p, (pid == 0 || pid == muxtest.PMTPID) && n < 20)
			},
			stats: func(s *mux.Stats) uint64 { return s.Continuity },
		}, {
			name:   "PAT without PMT: nothing is delivered",
			change: func(p []byte, pid mux.PID, n int) []byte { return unless(p, pid == muxtest.PMTPID) },
			stats:  func(s *mux.Stats) uint64 { return s.Units },
		}, {
			name: "PMTs with a wrong CRC but the first", video: video, audio: audio, count: 33,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid == muxtest.PMTPID && n > 0 {
					p[20]++
				}
				return p
			},
			stats: func(s *mux.Stats) uint64 { return s.BadPSI },
		}, {
			name: "a PES packet without start code", video: video, audio: audio - 1, count: 1,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid == muxtest.AudioPID && n == 0 {
					p[4+payloadGap(p)] = 9
				}
				return p
			},
			stats: func(s *mux.Stats) uint64 { return s.BadPES },
		}, {
			name: "an adaptation field longer than the packet", video: video, audio: audio, damaged: 1, count: 1,
			change: func(p []byte, pid mux.PID, n int) []byte {
				if pid == muxtest.VideoPID && n == 3 {
					p[3], p[4] = p[3]|0x30, 255
				}
				return p
			},
			stats: func(s *mux.Stats) uint64 { return s.BadPES },
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := ts.NewDemuxer(ts.Options{})
			units := demux(t, d, edit(clean, tt.change), whole)
			damaged := 0
			for _, u := range units {
				if u.Damaged {
					damaged++
				}
			}
			s := d.Stats()
			if v, a := len(ofTrack(units, 0)), len(ofTrack(units, 1)); v != tt.video || a != tt.audio {
				t.Errorf("%d pictures, %d audio units, want %d, %d", v, a, tt.video, tt.audio)
			}
			if damaged != tt.damaged {
				t.Errorf("%d damaged, want %d", damaged, tt.damaged)
			}
			if got := tt.stats(&s); got != tt.count {
				t.Errorf("counted %d, want %d: %+v", got, tt.count, s)
			}
		})
	}
}

func unless(p []byte, drop bool) []byte {
	if drop {
		return nil
	}
	return p
}

// loseStart drops the first packet of unit n of a PID.
func loseStart(of mux.PID, n int) func([]byte, mux.PID, int) []byte {
	unit := -1
	return func(p []byte, pid mux.PID, _ int) []byte {
		if pid == of && starts(p) {
			unit++
			return unless(p, unit == n)
		}
		return p
	}
}

// jumpAt lets the counter of a PID jump at the start of unit n, which announces it.
func jumpAt(of mux.PID, n int) func([]byte, mux.PID, int) []byte {
	unit := -1
	return func(p []byte, pid mux.PID, _ int) []byte {
		if pid != of {
			return p
		}
		if starts(p) {
			if unit++; unit == n {
				p[5] |= 0x80
			}
		}
		if unit >= n {
			p[3] = p[3]&0xf0 | (p[3]+7)&15
		}
		return p
	}
}

// payloadGap returns the length of the adaptation field.
func payloadGap(p []byte) int {
	if p[3]&0x20 == 0 {
		return 0
	}
	return 1 + int(p[4])
}

func null() []byte {
	p := bytes.Repeat([]byte{0xff}, mux.PacketSize)
	copy(p, []byte{0x47, 0x1f, 0xff, 0x10})
	return p
}

// TestDemuxerNoise feeds what is no stream any more: it must not panic, and not keep much.
func TestDemuxerNoise(t *testing.T) {
	clean := small().Bytes(smallTime)
	flip := func(rate float64) []byte {
		r := rand.New(rand.NewPCG(1, 2))
		b := bytes.Clone(clean)
		for i := range len(b) * 8 {
			if r.Float64() < rate {
				b[i/8] ^= 1 << (i % 8)
			}
		}
		return b
	}
	random := func(n int) []byte {
		r := rand.New(rand.NewPCG(3, 4))
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	}
	tests := []struct {
		name  string
		input []byte
		least int // units that come out of it
	}{
		{"random bytes", random(1 << 20), 0},
		{"only sync bytes", bytes.Repeat([]byte{0x47}, 1<<20), 0},
		{"zeros", make([]byte, 1<<20), 0},
		{"1 bit error in 100,000", flip(1e-5), 190},
		{"1 bit error in 1,000", flip(1e-3), 0},
		{"30 % bit errors", flip(0.3), 0},
		{"cut short", clean[:len(clean)-1000], 190},
		{"random bytes, then a stream", append(random(100_001), clean...), 194},
		{"a stream with random bytes in it", slices.Concat(clean[:200_050], random(33_333), clean[200_050:]), 190},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := ts.NewDemuxer(ts.Options{})
			units := demux(t, d, tt.input, whole)
			checkUnits(t, units)
			if len(units) < tt.least {
				t.Errorf("%d units, want at least %d: %+v", len(units), tt.least, d.Stats())
			}
			s := d.Stats()
			if s.Bytes != uint64(len(tt.input)) {
				t.Errorf("Stats().Bytes = %d, want %d", s.Bytes, len(tt.input))
			}
			if s.Skipped+s.Packets*mux.PacketSize != s.Bytes {
				t.Errorf("%d bytes skipped and %d packets are not %d bytes", s.Skipped, s.Packets, s.Bytes)
			}
		})
	}
}

// checkUnits checks what is true of any unit: whole packets of one PID, and
// of a PES packet the first one starts it.
func checkUnits(t testing.TB, units []*mux.Unit) {
	t.Helper()
	for i, u := range units {
		track := u.Program.Tracks[u.Track]
		size := 0
		for _, run := range u.Packets {
			if len(run) == 0 || len(run)%mux.PacketSize != 0 {
				t.Fatalf("unit %d has a run of %d bytes", i, len(run))
			}
			for _, p := range packets(run) {
				if p[0] != 0x47 || pidOf(p) != track.PID {
					t.Fatalf("unit %d of PID %#x has a packet % x", i, track.PID, p[:4])
				}
				size++
			}
		}
		if size == 0 || size*mux.PacketSize != u.Size {
			t.Fatalf("unit %d of %d packets has Size %d", i, size, u.Size)
		}
		if first := u.Packets[0]; !starts(first) && track.StreamType != 0x05 && track.StreamType != 0x86 {
			t.Fatalf("unit %d does not start a PES packet", i)
		}
		if u.Untimed && (u.PTS != 0 || u.DTS != 0) {
			t.Fatalf("unit %d is untimed, at %d", i, u.PTS)
		}
		for _, f := range u.Frames {
			if len(f.Data) == 0 || f.Samples <= 0 || f.Rate <= 0 {
				t.Fatalf("unit %d has a frame of %d bytes, %d samples at %d Hz", i, len(f.Data), f.Samples, f.Rate)
			}
		}
	}
}

// TestDemuxerStrides strips what stands around packets of 192 and 204 bytes,
// and finds packets behind junk or where the input begins inside one.
func TestDemuxerStrides(t *testing.T) {
	clean := small().Bytes(smallTime)
	want := describe(demux(t, ts.NewDemuxer(ts.Options{}), clean, whole))
	wrapped := func(before, after []byte) []byte {
		var b []byte
		for _, p := range packets(clean) {
			b = slices.Concat(b, before, p, after)
		}
		return b
	}
	r := rand.New(rand.NewPCG(5, 6))
	odd := func() int { return 1 + r.IntN(1000) }
	tests := []struct {
		name   string
		input  []byte
		stride int
	}{
		{"plain", clean, 188},
		{"M2TS", wrapped([]byte{1, 2, 3, 4}, nil), 192},
		{"M2TS whose timestamps look like sync bytes", wrapped([]byte{0x47, 0x47, 2, 3}, nil), 192},
		{"parity", wrapped(nil, make([]byte, 16)), 204},
		{"parity made of sync bytes", wrapped(nil, bytes.Repeat([]byte{0x47}, 16)), 204},
		{"begins inside a packet", append(bytes.Repeat([]byte{0x47, 9}, 50), clean...), 188},
		{"begins with junk", append(bytes.Repeat([]byte("junk"), 5000), clean...), 188},
	}
	for _, tt := range tests {
		for reads, next := range map[string]func() int{"long reads": whole, "odd reads": odd} {
			t.Run(fmt.Sprintf("%s, %s", tt.name, reads), func(t *testing.T) {
				d := ts.NewDemuxer(ts.Options{})
				got := describe(demux(t, d, tt.input, next))
				if d.Stride() != tt.stride {
					t.Errorf("Stride() = %d, want %d", d.Stride(), tt.stride)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d units, want the %d of the plain stream", len(got), len(want))
				}
			})
		}
	}
}
