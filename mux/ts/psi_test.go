package ts_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ts"
)

// section returns a long section with CRC_32, computed bit by bit (ISO/IEC 13818-1 annex A).
func section(table byte, id uint16, version, current byte, number, last byte, body ...byte) []byte {
	s := []byte{table, 0, 0, byte(id >> 8), byte(id), 0xc0 | version<<1 | current, number, last}
	s = append(s, body...)
	binary.BigEndian.PutUint16(s[1:], 0xb000|uint16(len(s)+4-3))
	crc := ^uint32(0)
	for _, c := range s {
		for i := 7; i >= 0; i-- {
			bit := crc>>31 ^ uint32(c>>i&1)
			crc <<= 1
			if bit != 0 {
				crc ^= 0x04c11db7
			}
		}
	}
	return binary.BigEndian.AppendUint32(s, crc)
}

// patSection lists programs as number, PID, number, PID, …
func patSection(version byte, programs ...uint16) []byte {
	var body []byte
	for i := 0; i < len(programs); i += 2 {
		body = binary.BigEndian.AppendUint16(body, programs[i])
		body = binary.BigEndian.AppendUint16(body, 0xe000|programs[i+1])
	}
	return section(0, 1, version, 1, 0, 0, body...)
}

// es describes one stream of a PMT.
type es struct {
	typ         byte
	pid         mux.PID
	descriptors string
}

func pmtSection(program uint16, version byte, pcr mux.PID, descriptors string, streams ...es) []byte {
	body := []byte{0xe0 | byte(pcr>>8), byte(pcr), 0xf0 | byte(len(descriptors)>>8), byte(len(descriptors))}
	body = append(body, descriptors...)
	for _, s := range streams {
		body = append(body, s.typ, 0xe0|byte(s.pid>>8), byte(s.pid), 0xf0|byte(len(s.descriptors)>>8), byte(len(s.descriptors)))
		body = append(body, s.descriptors...)
	}
	return section(2, program, version, 1, 0, 0, body...)
}

// input builds a stream packet by packet; continuity_counter runs by itself.
type input struct {
	b  []byte
	cc map[mux.PID]uint8
}

func newInput() *input { return &input{cc: map[mux.PID]uint8{}} }

func (in *input) section(pid mux.PID, s []byte) *input {
	before := len(in.b)
	in.b = ts.AppendSection(in.b, pid, in.cc[pid], s)
	in.cc[pid] += uint8((len(in.b) - before) / mux.PacketSize)
	return in
}

func (in *input) pes(p muxtest.PES) *input {
	in.b, in.cc[p.PID] = muxtest.AppendPES(in.b, p, in.cc[p.PID])
	return in
}

// packet appends a packet with any payload.
func (in *input) packet(pid mux.PID, start bool, payload []byte) *input {
	p := bytes.Repeat([]byte{0xff}, mux.PacketSize)
	copy(p, []byte{0x47, byte(pid >> 8), byte(pid), 0x10 | in.cc[pid]&15})
	if start {
		p[1] |= 0x40
	}
	copy(p[4:], payload)
	in.cc[pid]++
	in.b = append(in.b, p...)
	return in
}

// audio appends n PES packets of AC-3, whose bytes nobody looks at, on each of the PIDs.
func (in *input) audio(n int, pids ...mux.PID) *input {
	for i := range n {
		for _, pid := range pids {
			in.pes(muxtest.PES{PID: pid, StreamID: 0xbd, PTS: mux.Ticks(90000 + 2880*i), DTS: mux.Ticks(90000 + 2880*i), Payload: make([]byte, 300)})
		}
	}
	return in
}

// tracks writes the tracks of a program down: "0x0100 AC-3 eng".
func tracks(p *mux.Program) string {
	if p == nil {
		return "none"
	}
	var words []string
	for _, t := range p.Tracks {
		words = append(words, strings.TrimSpace(strings.Join([]string{hex(t.PID), t.Codec.String(), t.Language}, " ")))
	}
	return strings.Join(words, ", ")
}

func hex(pid mux.PID) string {
	const digits = "0123456789abcdef"
	return "0x" + string([]byte{digits[pid>>12], digits[pid>>8&15], digits[pid>>4&15], digits[pid&15]})
}

const (
	ac3      = 0x81
	lang     = "\x0a\x04eng\x00"
	filler   = "\x80\xa0" + "................................................................................" + "................................................................................"
	regID3   = "\x05\x04ID3 "
	regOpus  = "\x05\x04Opus"
	regHDMV  = "\x05\x04HDMV"
	metadata = "\x26\x0d\xff\xffID3 \xffID3 \x00\x0f"
)

func TestDemuxerTables(t *testing.T) {
	pat := patSection(0, 1, 0x1000)
	pmt := pmtSection(1, 0, 0x100, "", es{ac3, 0x100, lang})
	tests := []struct {
		name  string
		input func(in *input)
		want  string // tracks at the end
		units int
		bad   uint64 // Stats.BadPSI
	}{
		{"one program", func(in *input) { in.section(0, pat).section(0x1000, pmt).audio(3, 0x100) }, "0x0100 AC-3 eng", 3, 0},
		{"PMT in two packets", func(in *input) {
			in.section(0, pat).section(0x1000, pmtSection(1, 0, 0x100, filler, es{ac3, 0x100, lang})).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"PMT in two packets, one lost", func(in *input) {
			in.section(0, pat).section(0x1000, pmtSection(1, 0, 0x100, filler, es{ac3, 0x100, lang}))
			in.b = in.b[:len(in.b)-188]
			in.audio(3, 0x100).section(0x1000, pmt).audio(2, 0x100)
		}, "0x0100 AC-3 eng", 2, 0},
		{"two sections in a packet, behind a pointer_field", func(in *input) {
			in.section(0, pat).packet(0x1000, true, slices.Concat([]byte{7}, []byte("garbage"), section(0x80, 5, 0, 1, 0, 0, 1, 2, 3), pmt)).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"a section begins where another ends", func(in *input) {
			long := section(0x80, 5, 0, 1, 0, 0, make([]byte, 200)...)
			in.section(0, pat).packet(0x1000, true, slices.Concat([]byte{0}, long[:183]))
			in.packet(0x1000, true, slices.Concat([]byte{byte(len(long) - 183)}, long[183:], pmt)).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"a section of 4 KiB on the PMT's PID", func(in *input) {
			in.section(0, pat).section(0x1000, section(0x80, 5, 0, 1, 0, 0, make([]byte, 4000)...)).section(0x1000, pmt).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"another table with the same number", func(in *input) {
			in.section(0, pat).section(0x1000, section(0x42, 1, 0, 1, 0, 0, 1, 2, 3, 4)).section(0x1000, pmt).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"tables in each packet", func(in *input) {
			for range 100 {
				in.section(0, pat).section(0x1000, pmt).audio(1, 0x100)
			}
		}, "0x0100 AC-3 eng", 100, 0},
		{"a PMT that is not yet applicable", func(in *input) {
			in.section(0, pat).section(0x1000, pmt).section(0x1000, section(2, 1, 1, 0, 0, 0, 0xe1, 0, 0xf0, 0, 0x81, 0xe2, 0, 0xf0, 0)).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"a new PMT changes the PID", func(in *input) {
			in.section(0, pat).section(0x1000, pmt).audio(3, 0x100).section(0x1000, pmtSection(1, 1, 0x200, "", es{ac3, 0x200, ""})).audio(2, 0x100, 0x200)
		}, "0x0200 AC-3", 5, 0},
		{"a new PMT adds a track", func(in *input) {
			in.section(0, pat).section(0x1000, pmt).audio(3, 0x100).section(0x1000, pmtSection(1, 1, 0x100, "", es{0x0f, 0x90, ""}, es{ac3, 0x100, lang})).audio(2, 0x100)
		}, "0x0090 AAC, 0x0100 AC-3 eng", 5, 0},
		{"the program moves to another PMT PID", func(in *input) {
			in.section(0, pat).section(0x1000, pmt).audio(3, 0x100).section(0, patSection(1, 1, 0x1001)).audio(1, 0x100)
			in.section(0x1001, pmtSection(1, 0, 0x200, "", es{ac3, 0x200, ""})).audio(2, 0x200)
		}, "0x0200 AC-3", 5, 0},
		{"the program ends", func(in *input) {
			in.section(0, pat).section(0x1000, pmt).audio(3, 0x100).section(0, patSection(1)).audio(1, 0x100)
		}, "none", 3, 0},
		{"PAT in two sections", func(in *input) {
			in.section(0, section(0, 1, 0, 1, 0, 1, 0, 9, 0xf0, 9)).section(0, section(0, 1, 0, 1, 1, 1, 0, 1, 0xf0, 0)).section(0x1000, pmt)
			in.section(0x1009, pmtSection(9, 0, 0x300, "")).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"a network PID", func(in *input) {
			in.section(0, patSection(0, 0, 0x10, 1, 0x1000)).section(0x1000, pmt).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"PMT on the PID of the PAT, of stuffing, of the CAT", func(in *input) {
			in.section(0, patSection(0, 1, 0, 2, 0x1fff, 3, 1)).section(0, pmt).section(0x1fff, pmt).section(1, pmt).audio(3, 0x100)
		}, "none", 0, 0},
		{"a stream on the PMT's own PID, on the PAT's, on none, and twice", func(in *input) {
			in.section(0, pat).section(0x1000, pmtSection(1, 0, 0x100, "", es{ac3, 0x1000, ""}, es{ac3, 0, ""}, es{ac3, 0x1fff, ""}, es{ac3, 0x100, lang}, es{0x0f, 0x100, ""})).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 4},
		{"two programs with one PMT PID", func(in *input) {
			in.section(0, patSection(0, 1, 0x1000, 2, 0x1000)).section(0x1000, pmt).section(0x1000, pmtSection(2, 0, 0x200, "", es{0x1b, 0x200, ""})).audio(3, 0x100, 0x200)
		}, "0x0200 H.264", 3, 0},
		{"video in the second program", func(in *input) {
			in.section(0, patSection(0, 1, 0x1000, 2, 0x1001)).section(0x1000, pmt).section(0x1001, pmtSection(2, 0, 0x200, "", es{0x1b, 0x200, ""})).audio(3, 0x100, 0x200)
		}, "0x0200 H.264", 3, 0},
		{"the PMT of the second program never comes", func(in *input) {
			in.section(0, patSection(0, 1, 0x1000, 2, 0x1001)).section(0x1000, pmt).audio(5, 0x100).section(0x1000, pmt).audio(3, 0x100)
		}, "0x0100 AC-3 eng", 3, 0},
		{"PMTs come once, one never", func(in *input) {
			in.section(0, patSection(0, 1, 0x1000, 2, 0x1001)).section(0x1000, pmt).audio(1100, 0x100)
		}, "0x0100 AC-3 eng", 100, 0},
		{"wrong CRC", func(in *input) {
			wrong := bytes.Clone(pmt)
			wrong[len(wrong)-1]++
			in.section(0, pat).section(0x1000, wrong).audio(3, 0x100)
		}, "none", 0, 1},
		{"section_length lies", func(in *input) {
			lie := bytes.Clone(pmt)
			lie[2] = 5
			in.section(0, pat).packet(0x1000, true, append([]byte{0}, lie...)).audio(3, 0x100)
		}, "none", 0, 1},
		{"pointer_field lies", func(in *input) {
			in.section(0, pat).packet(0x1000, true, append([]byte{250}, pmt...)).audio(3, 0x100)
		}, "none", 0, 1},
		{"program_info_length lies", func(in *input) {
			in.section(0, pat).section(0x1000, section(2, 1, 0, 1, 0, 0, 0xe1, 0, 0xff, 0xff, ac3, 0xe1, 0, 0xf0, 0)).audio(3, 0x100)
		}, "none", 0, 1},
		{"ES_info_length lies", func(in *input) {
			in.section(0, pat).section(0x1000, section(2, 1, 0, 1, 0, 0, 0xe1, 0, 0xf0, 0, ac3, 0xe1, 0, 0xff, 0xff)).audio(3, 0x100)
		}, "none", 0, 1},
		{"a PAT shorter than a section", func(in *input) { in.packet(0, true, []byte{0, 0, 0xb0, 0}) }, "none", 0, 1},
		{"scrambled tables", func(in *input) {
			in.section(0, pat)
			in.b[3] |= 0xc0
		}, "none", 0, 0},
		{"descriptors", func(in *input) {
			in.section(0, pat).section(0x1000, pmtSection(1, 0, 0x100, "",
				es{0x06, 0x101, "\x6a\x01\x00" + lang}, es{0x06, 0x102, "\x7a\x01\x00"}, es{0x06, 0x103, regOpus}, es{0x06, 0x104, "\x05\x04HEVC"},
				es{0x15, 0x105, metadata}, es{0x06, 0x106, regID3}, es{0x86, 0x107, ""}, es{0x06, 0x108, "\x59\x08deu\x10\x00\x01\x00\x01"},
				es{0x06, 0x109, "\x05\x04AC-3"}, es{0x87, 0x10a, ""}, es{0x11, 0x10b, ""}, es{0x24, 0x10c, ""}, es{0x06, 0x10d, "\x0a\xffeng"}))
		}, "0x0101 AC-3 eng, 0x0102 E-AC-3, 0x0103 Opus, 0x0104 HEVC, 0x0105 timed ID3, 0x0106 timed ID3, 0x0107 SCTE-35, " +
			"0x0108 data, 0x0109 AC-3, 0x010a E-AC-3, 0x010b AAC LATM, 0x010c HEVC, 0x010d data", 0, 0},
		{"DTS-HD of a Blu-ray disc is not SCTE-35", func(in *input) {
			in.section(0, pat).section(0x1000, pmtSection(1, 0, 0x100, regHDMV, es{ac3, 0x100, ""}, es{0x86, 0x107, ""}))
		}, "0x0100 AC-3, 0x0107 data", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := newInput()
			tt.input(in)
			d := ts.NewDemuxer(ts.Options{})
			for range 4 - min(4, len(in.b)/188) { // sync wants some packets
				in.b = append(in.b, null()...)
			}
			units := demux(t, d, in.b, whole)
			checkUnits(t, units)
			if got := tracks(d.Program()); got != tt.want {
				t.Errorf("tracks = %s, want %s", got, tt.want)
			}
			if len(units) != tt.units {
				t.Errorf("%d units, want %d", len(units), tt.units)
			}
			if s := d.Stats(); s.BadPSI != tt.bad {
				t.Errorf("BadPSI = %d (%v), want %d", s.BadPSI, s.LastError, tt.bad)
			}
		})
	}
}

func TestDemuxerProgramOption(t *testing.T) {
	in := newInput().section(0, patSection(0, 1, 0x1000, 2, 0x1001))
	in.section(0x1000, pmtSection(1, 0, 0x100, "", es{0x1b, 0x100, ""}))
	in.section(0x1001, pmtSection(2, 0, 0x200, "", es{ac3, 0x200, lang}, es{ac3, 0x201, "\x0a\x04deu\x00"}, es{0x06, 0x202, "\x59\x08deu\x10\x00\x01\x00\x01"}))
	in.audio(3, 0x100, 0x200)
	d := ts.NewDemuxer(ts.Options{Program: 2})
	units := demux(t, d, in.b, whole)
	if got := tracks(d.Program()); got != "0x0200 AC-3 eng, 0x0201 AC-3 deu, 0x0202 data" || len(units) != 3 {
		t.Errorf("tracks = %s with %d units, want those of program 2 with 3", got, len(units))
	}
	want := []string{
		"program 1 is not used: it has H.264",
		"PID 0x0201 is a further audio track: AC-3 (deu)",
		"PID 0x0202 carries DVB subtitles",
	}
	if got := d.Program().Notes; !slices.Equal(got, want) {
		t.Errorf("Notes = %q, want %q", got, want)
	}
	if got := d.Stats().Unreferenced; got != 6 {
		t.Errorf("Unreferenced = %d, want 6", got)
	}
}

func TestParsePMT(t *testing.T) {
	good := pmtSection(7, 3, 0x101, lang, es{0x1b, 0x101, "\x52\x01\x09"}, es{0x0f, 0x102, ""})
	m, err := ts.ParsePMT(good)
	if err != nil {
		t.Fatal(err)
	}
	if m.Program != 7 || m.Version != 3 || !m.Current || m.PCRPID != 0x101 || string(m.Descriptors) != lang || len(m.Streams) != 2 ||
		m.Streams[0].Type != 0x1b || m.Streams[0].PID != 0x101 || len(m.Streams[0].Descriptors) != 3 || m.Streams[1].PID != 0x102 {
		t.Errorf("ParsePMT() = %+v", m)
	}
	var parse *mux.ParseError
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if _, err := ts.ParsePMT(bad); !errors.As(err, &parse) {
			t.Errorf("byte %d wrong: error %v, want a ParseError", i, err)
		}
		if _, err := ts.ParsePMT(good[:i]); !errors.As(err, &parse) {
			t.Errorf("cut after %d: error %v, want a ParseError", i, err)
		}
	}
}
