package demux_test

import (
	"fmt"
	"hash/crc32"
	"testing"
	"unsafe"

	"headwater/mux"
	"headwater/mux/demux"
	"headwater/mux/muxtest"
)

// TestBlocksAreFilledOnce: what was read into a buffer is never given out to
// be read into again, as long as somebody keeps a unit; and units stay as they
// were delivered. Readers of what is published count on it.
func TestBlocksAreFilledOnce(t *testing.T) {
	av := muxtest.AV()
	av.VideoBytes, av.ParameterSetsOnce = 4000, true // units get parameter sets put in
	damaged := av
	damaged.Lose = func(n int64) bool { return n%97 == 5 }
	bytes := av.Bytes(60 * mux.ClockRate)
	tests := []struct {
		name  string
		input []byte
	}{
		{"transport stream", bytes},
		{"transport stream that lost packets", damaged.Bytes(10 * mux.ClockRate)},
		{"packets of 192 bytes", widened(bytes, 4)},
		{"MP3", muxtest.RawAudio(mux.CodecMP3).Bytes(20 * mux.ClockRate)},
		{"ADTS after a tag", append(id3(5000), muxtest.RawAudio(mux.CodecAAC).Bytes(20*mux.ClockRate)...)},
		{"Ogg", muxtest.NewOgg(mux.CodecVorbis).Bytes(1000)},
		{"noise", noise(300_000)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := demux.New(demux.Options{})
			var filled memory
			var units []*mux.Unit
			var sums []uint32
			for rest, i := tt.input, 1; len(rest) > 0; i++ {
				room := d.Buffer()
				n := copy(room[:min(len(room), 1+i*i%5000)], rest)
				if err := filled.add(room[:n]); err != nil && d.Err() == nil { // what is of no use is read over itself
					t.Fatal(err)
				}
				rest = rest[n:]
				for _, u := range d.Advance(n) {
					units, sums = append(units, u), append(sums, sumOf(u))
				}
			}
			if len(units) == 0 && d.Err() == nil {
				t.Fatal("no units")
			}
			for i, u := range units {
				if got := sumOf(u); got != sums[i] {
					t.Fatalf("unit %d of %d has changed since it was delivered: checksum %08x, was %08x", i, len(units), got, sums[i])
				}
			}
		})
	}
}

// memory is bytes that were filled. It holds them, so that their addresses are
// not those of others later.
type memory struct{ spans [][]byte }

// add adds a span. The error says that it was filled before.
func (m *memory) add(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	first, last := address(&b[0]), address(&b[len(b)-1])
	for i, s := range m.spans {
		if first <= address(&s[len(s)-1]) && address(&s[0]) <= last {
			return fmt.Errorf("read %d fills %d bytes of read %d again", len(m.spans), len(b), i)
		}
	}
	m.spans = append(m.spans, b)
	return nil
}

func address(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) }

// sumOf returns a checksum of the bytes of a unit.
func sumOf(u *mux.Unit) uint32 {
	sum := crc32.NewIEEE()
	for _, p := range u.Packets {
		sum.Write(p)
	}
	for _, f := range u.Frames {
		sum.Write(f.Data)
	}
	return sum.Sum32()
}
