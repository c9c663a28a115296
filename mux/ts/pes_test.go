package ts_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

const ac3PID = 0x100

// oneTrack begins a stream of one track of the given type on PID 0x100.
func oneTrack(typ byte) *input {
	return newInput().section(0, patSection(0, 1, 0x1000)).section(0x1000, pmtSection(1, 0, 0x100, "", es{typ, 0x100, ""}))
}

// sound returns a PES packet at a time in milliseconds.
func sound(ms int) muxtest.PES {
	at := mux.Ticks(90 * ms)
	return muxtest.PES{PID: ac3PID, StreamID: 0xbd, PTS: at, DTS: at, Payload: make([]byte, 300)}
}

// times writes PTS and DTS of units in milliseconds.
func times(units []*mux.Unit) []string {
	var s []string
	for _, u := range units {
		switch {
		case u.Untimed:
			s = append(s, "untimed")
		case u.PTS == u.DTS:
			s = append(s, fmt.Sprint(u.PTS/90))
		default:
			s = append(s, fmt.Sprintf("%d/%d", u.PTS/90, u.DTS/90))
		}
	}
	return s
}

func TestDemuxerPES(t *testing.T) {
	without := func(ms int) muxtest.PES {
		p := sound(ms)
		p.NoPTS = true
		return p
	}
	raw := func(ms int, change func(p []byte)) func(in *input) {
		return func(in *input) {
			at := len(in.b)
			in.pes(sound(ms))
			change(in.b[at : at+188 : at+188])
		}
	}
	tests := []struct {
		name    string
		input   func(in *input)
		want    []string
		damaged int
		bad     uint64 // Stats.BadPES
	}{
		{"without PTS from the start", func(in *input) { in.pes(without(0)).pes(without(0)) }, []string{"untimed", "untimed"}, 0, 0},
		{"one PTS only", func(in *input) { in.pes(sound(100)).pes(without(0)) }, []string{"100", "untimed"}, 0, 0},
		{"times go on at the last distance", func(in *input) {
			in.pes(sound(100)).pes(sound(132)).pes(without(0)).pes(without(0)).pes(sound(200))
		}, []string{"100", "132", "164", "196", "200"}, 0, 0},
		{"a distance over a reset is none", func(in *input) {
			in.pes(sound(100)).pes(sound(50000)).pes(without(0))
		}, []string{"100", "50000", "untimed"}, 0, 0},
		{"no marker bit is right: no PTS", raw(100, func(p []byte) {
			h := p[4+payloadGap(p):]
			h[9] &^= 1
			h[11] &^= 1
			h[13] &^= 1
		}), []string{"untimed"}, 0, 0},
		{"one marker bit is wrong", raw(100, func(p []byte) { p[4+payloadGap(p)+11] &^= 1 }), []string{"100"}, 0, 0},
		{"PES_header_data_length too small for a PTS", raw(100, func(p []byte) { p[4+payloadGap(p)+8] = 4 }), []string{"untimed"}, 0, 0},
		{"PES_header_data_length longer than the packet", raw(100, func(p []byte) { p[4+payloadGap(p)+8] = 255 }), []string{"100"}, 0, 0},
		{"padding stream", raw(100, func(p []byte) { p[4+payloadGap(p)+3] = 0xbe }), []string{"untimed"}, 0, 0},
		{"private_stream_2", raw(100, func(p []byte) { p[4+payloadGap(p)+3] = 0xbf }), []string{"untimed"}, 0, 0},
		{"PES_packet_length longer than the packet", func(in *input) {
			raw(100, func(p []byte) { p[4+payloadGap(p)+4]++ })(in)
			in.pes(sound(132))
		}, []string{"100", "132"}, 1, 0},
		{"PES_packet_length shorter than the packet: the first time what is behind is lost", func(in *input) {
			for i := range 4 {
				raw(100+32*i, func(p []byte) { p[4+payloadGap(p)+4], p[4+payloadGap(p)+5] = 0, 100 })(in)
			}
		}, []string{"100", "132", "164", "196"}, 0, 1},
		{"the first packet has one byte of payload", func(in *input) { in.pes(first(sound(100), 1)) }, []string{"100"}, 0, 0},
		{"the first packet ends inside the PTS", func(in *input) { in.pes(first(sound(100), 11)) }, []string{"100"}, 0, 0},
		{"the header has 200 bytes of stuffing", func(in *input) {
			p := sound(100)
			p.HeaderStuff = 200
			in.pes(p)
		}, []string{"100"}, 0, 0},
		{"PTS and DTS apart, over the wrap (hls-rules C15)", func(in *input) {
			p := sound(0)
			p.DTS, p.PTS = mux.Wrap-90*40, mux.Wrap+90*40
			in.pes(p)
			p.DTS, p.PTS = mux.Wrap, mux.Wrap+90*80
			in.pes(p)
		}, []string{"95443757/95443677", "95443797/95443717"}, 0, 0},
		{"ends inside a PES packet", func(in *input) {
			in.pes(sound(100)).pes(sound(132))
			in.b = in.b[:len(in.b)-188]
		}, []string{"100", "132"}, 1, 0},
		{"a larger jump than 10 s goes on", func(in *input) { in.pes(sound(60000)).pes(sound(100)).pes(sound(132)) }, []string{"60000", "100", "132"}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := oneTrack(ac3)
			tt.input(in)
			d := ts.NewDemuxer(ts.Options{})
			units := demux(t, d, in.b, whole)
			checkUnits(t, units)
			if got := times(units); !slices.Equal(got, tt.want) {
				t.Errorf("times = %v, want %v", got, tt.want)
			}
			damaged := 0
			for _, u := range units {
				if u.Damaged {
					damaged++
				}
			}
			if s := d.Stats(); damaged != tt.damaged || s.BadPES != tt.bad {
				t.Errorf("%d damaged, BadPES %d (%v), want %d, %d", damaged, s.BadPES, s.LastError, tt.damaged, tt.bad)
			}
		})
	}
}

// first lets the first packet of p carry n bytes only.
func first(p muxtest.PES, n int) muxtest.PES {
	p.FirstPayload = n
	return p
}

// TestDemuxerSplitHeader cuts the head of an IDR picture after each byte: what
// it says must not depend on that.
func TestDemuxerSplitHeader(t *testing.T) {
	clean := muxtest.AV().Chunks()
	var au []byte
	for c := range clean {
		au = bytes.Join(ts1(c.Data), nil)
		break
	}
	for n := 1; n <= 170; n++ {
		in := oneTrack(0x1b).pes(muxtest.PES{PID: 0x100, StreamID: 0xe0, PTS: 9000, DTS: 5400, Unbounded: true, FirstPayload: n, Payload: au})
		units := demux(t, ts.NewDemuxer(ts.Options{}), in.b, whole)
		if len(units) != 1 || units[0].PTS != 9000 || units[0].DTS != 5400 || units[0].Access != mux.AccessRandom || !units[0].Program.Tracks[0].Parameters.Known() {
			t.Fatalf("first packet with %d bytes: %v, parameters %+v", n, describe(units), units[0].Program.Tracks[0].Parameters)
		}
	}
}

// ts1 returns the elementary stream bytes of the first unit in b.
func ts1(b []byte) [][]byte {
	var es [][]byte
	head := 0
	for _, p := range packets(b) {
		if pidOf(p) != muxtest.VideoPID {
			continue
		}
		q := p[4+payloadGap(p):]
		if starts(p) {
			head = 9 + int(q[8])
			q = q[head:]
		}
		es = append(es, q)
	}
	return es
}

// TestDemuxerSections delivers the packets of a PID with sections one by one.
func TestDemuxerSections(t *testing.T) {
	in := newInput().section(0, patSection(0, 1, 0x1000))
	in.section(0x1000, pmtSection(1, 0, 0x100, "", es{ac3, 0x100, ""}, es{0x86, 0x101, ""}, es{0x05, 0x102, ""}))
	in.audio(1, 0x100).section(0x101, section(0xfc, 1, 0, 1, 0, 0, make([]byte, 300)...)).section(0x102, section(0x74, 1, 0, 1, 0, 0))
	in.audio(1, 0x100)
	units := demux(t, ts.NewDemuxer(ts.Options{}), in.b, whole)
	var got []string
	for _, u := range units {
		got = append(got, fmt.Sprintf("%d:%d:%t", u.Track, u.Size/188, u.Untimed))
		if u.Track > 0 && (u.Access != mux.AccessNone || u.Seq == 0) {
			t.Errorf("unit of sections: access %d, Seq %d", u.Access, u.Seq)
		}
	}
	if want := []string{"0:2:false", "1:1:true", "1:1:true", "2:1:true", "0:2:false"}; !slices.Equal(got, want) {
		t.Errorf("units = %v, want %v", got, want)
	}
}

// TestDemuxerEndlessUnit: a PES packet without end is dropped at a limit.
func TestDemuxerEndlessUnit(t *testing.T) {
	in := oneTrack(0x1b).pes(muxtest.PES{PID: 0x100, StreamID: 0xe0, PTS: 9000, DTS: 9000, Unbounded: true, Payload: make([]byte, 17<<20)})
	in.pes(muxtest.PES{PID: 0x100, StreamID: 0xe0, PTS: 12600, DTS: 12600, Unbounded: true, Payload: make([]byte, 1000)})
	d := ts.NewDemuxer(ts.Options{})
	units := demux(t, d, in.b, whole)
	if len(units) != 1 || units[0].PTS != 12600 || units[0].Damaged {
		t.Errorf("units %v, want the one at 12600", describe(units))
	}
	if s := d.Stats(); s.BadPES != 1 {
		t.Errorf("BadPES = %d, want 1", s.BadPES)
	}
}

// TestDemuxerResetKeepsTracksTogether: both tracks jump by half the range of
// the clock, one just more, the other just less; they stay on one line.
func TestDemuxerResetKeepsTracksTogether(t *testing.T) {
	in := newInput().section(0, patSection(0, 1, 0x1000)).section(0x1000, pmtSection(1, 0, 0x100, "", es{ac3, 0x100, ""}, es{ac3, 0x101, ""}))
	send := func(pid mux.PID, at mux.Ticks) {
		in.pes(muxtest.PES{PID: pid, StreamID: 0xbd, PTS: at, DTS: at, Payload: make([]byte, 100)})
	}
	send(0x100, 90000)
	send(0x101, 90000)
	send(0x100, 90000+mux.Wrap/2-1)
	send(0x101, 90000+mux.Wrap/2+1)
	units := demux(t, ts.NewDemuxer(ts.Options{}), in.b, whole)
	if apart(units[2].DTS, units[3].DTS) != 2 {
		t.Errorf("after the reset DTS %d and %d, want 2 apart", units[2].DTS, units[3].DTS)
	}
}
