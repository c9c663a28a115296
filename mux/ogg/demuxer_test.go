package ogg_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ogg"
)

// read gives b to a demuxer, n bytes at a time.
func read(d *ogg.Demuxer, b []byte, n int) []*mux.Unit {
	var units []*mux.Unit
	for piece := range slices.Chunk(b, n) {
		units = append(units, d.Write(bytes.Clone(piece))...)
	}
	return append(units, d.Flush()...)
}

// describe writes units down, one a line.
func describe(units []*mux.Unit) string {
	var b strings.Builder
	for _, u := range units {
		f := u.Frames[0]
		fmt.Fprintf(&b, "%d %d %v %v %d %s", u.Seq, u.PTS, u.Access, u.Damaged, f.Samples, u.Program.Tracks[0].Codec)
		if u.Title != nil {
			fmt.Fprintf(&b, " %q", u.Title.String())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// data returns the pages that units are.
func data(units []*mux.Unit) []byte {
	var b []byte
	for _, u := range units {
		b = append(b, u.Frames[0].Data...)
	}
	return b
}

const quarter = mux.ClockRate / 4

// TestDemuxer: pages come out as they went in, timed by their granule
// positions, with the header pages in the program and the title on the first.
func TestDemuxer(t *testing.T) {
	for _, c := range []mux.Codec{mux.CodecVorbis, mux.CodecOpus, mux.CodecFLAC} {
		for _, n := range []int{1 << 20, 1000, 7, 1} {
			t.Run(fmt.Sprintf("%s, %d bytes at a time", c, n), func(t *testing.T) {
				o := muxtest.NewOgg(c)
				d := ogg.NewDemuxer()
				units := read(d, o.Bytes(10), n)
				if len(units) != 10 {
					t.Fatalf("%d units, want 10", len(units))
				}
				if want := o.Bytes(10)[len(o.Headers()):]; !bytes.Equal(data(units), want) {
					t.Error("the pages are not those that were sent")
				}
				p := units[0].Program
				if !bytes.Equal(p.Headers, o.Headers()) {
					t.Errorf("%d bytes of headers, want %d", len(p.Headers), len(o.Headers()))
				}
				if q := p.Tracks[0].Parameters; p.Tracks[0].Codec != c || q.SampleRate != 48000 || q.Channels != 2 {
					t.Errorf("track %v", p.Tracks[0])
				}
				for i, u := range units {
					if u.PTS != mux.Ticks(i)*quarter || u.Frames[0].Samples != 12000 || u.Program != p || u.Access != mux.AccessRandom || u.Damaged {
						t.Errorf("unit %d: %s", i, describe(units[i:i+1]))
					}
					if (u.Title != nil) != (i == 0) {
						t.Errorf("unit %d: title %v", i, u.Title)
					}
				}
				if got, want := *units[0].Title, (mux.Title{Artist: "An Artist", Name: "A Title"}); got != want {
					t.Errorf("Title = %v, want %v", got, want)
				}
				if s := d.Stats(); s.Units != 10 || s.Bytes != uint64(len(o.Bytes(10))) || s.Skipped+s.BadPES+s.SyncLosses+s.Continuity != 0 || s.LastError != nil {
					t.Errorf("Stats() = %+v", s)
				}
			})
		}
	}
}

// TestDemuxerChain: a new link makes a new program; time goes on.
func TestDemuxerChain(t *testing.T) {
	first, second, third := muxtest.NewOgg(mux.CodecVorbis), muxtest.NewOgg(mux.CodecVorbis), muxtest.NewOgg(mux.CodecOpus)
	second.Serial, second.Comments = 8, []string{"title=Another"}
	second.Rate, second.Samples = 44100, 1102
	third.Serial, third.Comments = 9, nil
	d := ogg.NewDemuxer()
	units := read(d, slices.Concat(first.Bytes(2), second.Bytes(2), third.Bytes(2)), 50)
	want := `0 0 2 false 12000 Vorbis "An Artist - A Title"
1 22500 2 false 12000 Vorbis
2 45000 2 false 11020 Vorbis "Another"
3 67490 2 false 11020 Vorbis
4 89980 2 false 12000 Opus ""
5 112480 2 false 12000 Opus
`
	if got := describe(units); got != want {
		t.Errorf("units:\n%swant\n%s", got, want)
	}
	if units[1].Program == units[2].Program || !bytes.Equal(units[2].Program.Headers, second.Headers()) {
		t.Error("the second link has not its own headers")
	}
}

// TestDemuxerFaults: what is damaged is left out and counted, and nothing else.
func TestDemuxerFaults(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecVorbis)
	page := o.Page
	damaged := page(2)
	damaged[100]++
	late := muxtest.NewOgg(mux.CodecOpus)
	late.First = 48000 * 3600
	tests := []struct {
		name  string
		input []byte
		seqs  string // of the pages that come out
		stats string // skipped, losses, bad, jumps, unreferenced
	}{
		{"junk before and between", slices.Concat([]byte("junkOggOgg"), o.Headers(), page(0), []byte("OggS\x00\xff"), page(1)), "0 1", "16 1 0 0 0"},
		{"a byte is wrong", slices.Concat(o.Headers(), page(0), page(1), damaged, page(3)), "0 1 3!", fmt.Sprint(len(damaged), " 1 1 1 0")},
		{"a page is missing", slices.Concat(o.Headers(), page(0), page(2), page(3)), "0 2! 3", "0 0 0 1 0"},
		{"the end of a page is missing", slices.Concat(o.Headers(), page(0), page(1)[:200], page(2), page(3)), "0 2! 3", "200 1 1 1 0"},
		{"a stream that ends in a page", slices.Concat(o.Headers(), page(0), page(1)[:200]), "0", "200 1 0 0 0"},
		{"joined late", slices.Concat(late.Headers(), late.Page(9), late.Page(10)), "9! 10", "0 0 0 1 0"},
		{"pages of nobody", slices.Concat(page(5), page(6)), "", "0 0 0 0 2"},
	}
	for _, tt := range tests {
		for _, n := range []int{1 << 20, 13} {
			t.Run(fmt.Sprintf("%s, %d bytes at a time", tt.name, n), func(t *testing.T) {
				d := ogg.NewDemuxer()
				var seqs []string
				for _, u := range read(d, tt.input, n) {
					s := fmt.Sprint(int(u.Frames[0].Data[18]) - 2)
					if u.Damaged {
						s += "!"
					}
					seqs = append(seqs, s)
				}
				if got := strings.Join(seqs, " "); got != tt.seqs {
					t.Errorf("pages %q, want %q", got, tt.seqs)
				}
				s := d.Stats()
				if got := fmt.Sprint(s.Skipped, s.SyncLosses, s.BadPES, s.Continuity, s.Unreferenced); got != tt.stats {
					t.Errorf("stats %q, want %q", got, tt.stats)
				}
			})
		}
	}
}

// TestDemuxerTime: positions that are set anew or not told make no hole.
func TestDemuxerTime(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecVorbis)
	page := func(sequence uint32, granule int64) []byte {
		p := muxtest.OggPage{Serial: o.Serial, Sequence: sequence, Granule: granule}
		p.Lace(make([]byte, 10))
		return p.Bytes()
	}
	input := slices.Concat(o.Headers(), page(2, 48000), page(3, -1), page(4, 96000), page(5, 24000), page(6, 72000), page(7, 1<<40), page(8, 1<<40+48000), page(9, -5))
	var times []mux.Ticks
	for _, u := range read(ogg.NewDemuxer(), input, 100) {
		times = append(times, u.PTS)
	}
	want := []mux.Ticks{0, 90000, 90000, 180000, 180000, 270000, 270000, 360000}
	if !slices.Equal(times, want) {
		t.Errorf("times %v, want %v", times, want)
	}
}

// TestDemuxerAccess: a listener begins where a packet does.
func TestDemuxerAccess(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecFLAC)
	full := bytes.Repeat([]byte{255}, 4)
	pages := []muxtest.OggPage{
		{Lacing: full, Granule: -1},
		{Lacing: full, Granule: -1, Flags: 1},
		{Lacing: []byte{255, 10, 255}, Flags: 1, Granule: 4096},
		{Lacing: []byte{10}, Flags: 1, Granule: 8192},
		{Lacing: []byte{10}, Granule: 12288},
	}
	b := o.Headers()
	for i, p := range pages {
		p.Serial, p.Sequence = o.Serial, uint32(i+2)
		for _, n := range p.Lacing {
			p.Body = append(p.Body, bytes.Repeat([]byte{0xff}, int(n))...)
		}
		b = append(b, p.Bytes()...)
	}
	var got []mux.Access
	for _, u := range read(ogg.NewDemuxer(), b, 100) {
		got = append(got, u.Access)
	}
	want := []mux.Access{mux.AccessRandom, mux.AccessNone, mux.AccessRecovery, mux.AccessNone, mux.AccessRandom}
	if !slices.Equal(got, want) {
		t.Errorf("access %v, want %v", got, want)
	}
}

// TestDemuxerErr: what cannot be sent on is named.
func TestDemuxerErr(t *testing.T) {
	first := func(serial uint32, packet string) []byte {
		p := muxtest.OggPage{Flags: 2, Serial: serial}
		p.Lace([]byte(packet))
		return p.Bytes()
	}
	next := func(serial uint32, size int) []byte {
		p := muxtest.OggPage{Serial: serial, Sequence: 1}
		p.Lace(make([]byte, size))
		return p.Bytes()
	}
	o := muxtest.NewOgg(mux.CodecVorbis)
	big := o.Headers()[:58]
	for n := uint32(1); n < 20; n++ {
		p := muxtest.OggPage{Serial: o.Serial, Sequence: n, Lacing: bytes.Repeat([]byte{255}, 255), Body: make([]byte, 255*255)}
		big = append(big, p.Bytes()...)
	}
	tests := []struct {
		name  string
		input []byte
		want  string
	}{
		{"Theora and Speex", slices.Concat(first(1, "\x80theora..."), first(2, "Speex   1.2"), next(1, 9)), "this is Ogg with Theora and Speex; send Ogg with Vorbis, Opus or FLAC"},
		{"no name", slices.Concat(first(1, "whatever"), next(1, 9)), "an unknown codec"},
		{"a rate of 0", slices.Concat(first(1, "\x01vorbis"+strings.Repeat("\x00", 23)), next(1, 9)), "an unknown codec"},
		{"headers without end", big, "header pages of Vorbis: larger than the limit of 1 MiB: leave out the cover picture"},
		{"a lost header page", slices.Concat(o.Headers()[:58], o.Page(3)), "header pages of Vorbis are missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := ogg.NewDemuxer()
			units := read(d, tt.input, 1000)
			if err := d.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Err() = %v, want %q", err, tt.want)
			}
			if len(units) != 0 {
				t.Errorf("%d units", len(units))
			}
			if units := read(d, muxtest.NewOgg(mux.CodecOpus).Bytes(2), 1000); len(units) != 2 || d.Err() != nil {
				t.Errorf("of a good link behind it came %d units, Err() = %v", len(units), d.Err())
			}
		})
	}
}

// TestDemuxerBeside: of several bitstreams the first of sound is taken.
func TestDemuxerBeside(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecVorbis)
	video := muxtest.OggPage{Flags: 2, Serial: 99}
	video.Lace([]byte("\x80theora..."))
	more := muxtest.OggPage{Serial: 99, Sequence: 1}
	more.Lace(make([]byte, 100))
	h := o.Headers()
	input := slices.Concat(video.Bytes(), h[:58], more.Bytes(), h[58:], o.Page(0), more.Bytes(), o.Page(1))
	units := read(ogg.NewDemuxer(), input, 33)
	if want := slices.Concat(o.Page(0), o.Page(1)); !bytes.Equal(data(units), want) {
		t.Fatalf("pages of %d units are not those of the sound", len(units))
	}
	p := units[0].Program
	if !bytes.Equal(p.Headers, h) {
		t.Error("the headers are not those of the sound")
	}
	if len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "left out: Theora") {
		t.Errorf("Notes = %q", p.Notes)
	}
}

// FuzzDemuxer: any bytes make no panic, and the same units in whatever pieces,
// as they are and with checksums that are right.
// Beginnings of the largest pages, with a good page among them now and then, cost
// no more than the bytes that they are, however often one may begin.
func TestDemuxerIsNotKeptBusy(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecVorbis)
	largest := append([]byte("OggS\x00\x00"), make([]byte, 20)...)
	largest = append(append(largest, 255), bytes.Repeat([]byte{255}, 255)...)
	b := o.Headers()
	for n := 0; len(b) < 4<<20; n++ {
		b = append(b, o.Page(n)...)
		b = append(b, bytes.Repeat(largest, 15)...)
	}
	d := ogg.NewDemuxer()
	read(d, b, 32<<10)
	if s := d.Stats(); s.BadPES > 500 { // of 65 kB each
		t.Errorf("%d checksums were looked at in %d bytes, want less than 500", s.BadPES, len(b))
	}
}

func FuzzDemuxer(f *testing.F) {
	for _, c := range []mux.Codec{mux.CodecVorbis, mux.CodecOpus, mux.CodecFLAC} {
		b := muxtest.NewOgg(c).Bytes(3)
		f.Add(b, uint16(100))
		b = bytes.Clone(b)
		b[150]++
		f.Add(b, uint16(7))
	}
	f.Add(slices.Concat(muxtest.NewOgg(mux.CodecOpus).Bytes(1), muxtest.NewOgg(mux.CodecVorbis).Bytes(2)), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, n uint16) {
		b = bytes.Clone(b)
		if n%2 == 1 {
			muxtest.SealOgg(b)
		}
		whole, pieces := ogg.NewDemuxer(), ogg.NewDemuxer()
		x, y := read(whole, b, len(b)+1), read(pieces, b, int(n)+1)
		if describe(x) != describe(y) || !bytes.Equal(data(x), data(y)) {
			t.Errorf("at once:\n%sin pieces of %d:\n%s", describe(x), int(n)+1, describe(y))
		}
		a, c := whole.Stats(), pieces.Stats()
		if a.Skipped != c.Skipped || a.BadPES != c.BadPES {
			t.Errorf("at once %+v, in pieces %+v", a, c)
		}
		if uint64(len(data(x)))+a.Skipped > uint64(len(b)) {
			t.Errorf("%d bytes in pages and %d skipped of %d", len(data(x)), a.Skipped, len(b))
		}
	})
}
