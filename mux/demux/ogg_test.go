package demux_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"headwater/mux"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
)

// TestOgg: Ogg is recognised by its first page, and named where it is no use.
func TestOgg(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecOpus)
	stranger := muxtest.OggPage{Flags: 2, Serial: 1}
	stranger.Lace([]byte("Speex   1.2"))
	second := muxtest.OggPage{Serial: 1, Sequence: 1}
	second.Lace(make([]byte, 50))
	middle := slices.Concat(o.Bytes(2)[len(o.Headers()):], bytes.Repeat(o.Page(2), 3000))
	tests := []struct {
		name  string
		input []byte
		units int
		err   string // "" if there is none
	}{
		{"Opus", o.Bytes(8), 8, ""},
		{"Opus with a picture of 500 KB in its comments", picture(o), 8, ""},
		{"Speex", slices.Concat(stranger.Bytes(), second.Bytes()), 0, "this is Ogg with Speex; send Ogg with Vorbis, Opus or FLAC"},
		{"without its beginning", middle, 0, "this is Ogg without its beginning: the header pages are missing"},
		{"nothing but its first bytes", []byte("OggS\x00\x02"), 0, "the Ogg ended after 6 bytes"},
	}
	for _, tt := range tests {
		for _, read := range []int{1 << 20, 1000} {
			t.Run(tt.name, func(t *testing.T) {
				d := demux.New(demux.Options{})
				units := drain(d, tt.input, read)
				if len(units) != tt.units {
					t.Errorf("%d units, want %d", len(units), tt.units)
				}
				err := d.Err()
				if tt.err == "" {
					if err != nil || d.Format() != demux.Ogg || d.Format().String() != "Ogg" || d.Program() != units[0].Program {
						t.Errorf("Format() = %v, Err() = %v", d.Format(), err)
					}
				} else if !errors.Is(err, mux.ErrUnknownFormat) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("Err() = %v, want %q", err, tt.err)
				}
			})
		}
	}
}

// picture returns a stream that carries a large comment, over several pages.
func picture(o muxtest.Ogg) []byte {
	tags := append([]byte("OpusTags\x04\x00\x00\x00test\x01\x00\x00\x00\x20\xa1\x07\x00"), make([]byte, 500_000)...)
	copy(tags[20:], "METADATA_BLOCK_PICTURE=")
	b := bytes.Clone(o.Headers()[:28+19])
	var whole muxtest.OggPage
	whole.Lace(tags)
	sequence := uint32(1)
	for i := 0; i < len(whole.Lacing); i += 255 {
		p := muxtest.OggPage{Serial: o.Serial, Sequence: sequence, Granule: -1}
		if i > 0 {
			p.Flags = 1
		}
		p.Lacing = whole.Lacing[i:min(i+255, len(whole.Lacing))]
		for _, n := range p.Lacing {
			p.Body, whole.Body = append(p.Body, whole.Body[:n]...), whole.Body[n:]
		}
		b = append(b, p.Bytes()...)
		sequence++
	}
	for n := range 8 {
		p := muxtest.OggPage{Serial: o.Serial, Sequence: sequence + uint32(n), Granule: int64(n+1) * 960}
		p.Lace([]byte("sound"))
		b = append(b, p.Bytes()...)
	}
	return b
}
