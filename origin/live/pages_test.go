package live_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ogg"
	"headwater/origin/live"
)

// oggSource appends the pages of links of Ogg to tails.
type oggSource struct {
	demux *ogg.Demuxer
	now   time.Time
}

func newOggSource() *oggSource {
	return &oggSource{ogg.NewDemuxer(), time.Unix(1_700_000_000, 0)}
}

// send appends what comes of b, and has it shown.
func (s *oggSource) send(b []byte, tails ...*live.Tail) {
	for _, u := range s.demux.Write(bytes.Clone(b)) {
		s.now = s.now.Add(time.Second / 4)
		for _, t := range tails {
			t.Append(u, s.now)
			t.Settle(s.now)
		}
	}
}

// pages returns pages from to until of o.
func pages(o muxtest.Ogg, from, until int) []byte {
	var b []byte
	for n := from; n < until; n++ {
		b = append(b, o.Page(n)...)
	}
	return b
}

// check compares what was sent to a listener with what it should be.
func check(t *testing.T, who string, got []byte, want ...[]byte) {
	t.Helper()
	if w := slices.Concat(want...); !bytes.Equal(got, w) {
		t.Errorf("%s gets %s, want %s", who, listPages(got), listPages(w))
	}
}

// listPages names pages by serial number and page number.
func listPages(b []byte) string {
	var s []string
	for p := range bytes.SplitSeq(b, []byte("OggS")) {
		if len(p) > 23 {
			s = append(s, fmt.Sprintf("%d/%d", p[10], p[14]))
		}
	}
	return fmt.Sprint(s)
}

// Who joins gets the header pages first, then pages from two seconds before;
// a link that follows brings its own to all.
func TestPages(t *testing.T) {
	first, second := muxtest.NewOgg(mux.CodecVorbis), muxtest.NewOgg(mux.CodecVorbis)
	second.Serial, second.Comments = 8, []string{"TITLE=Two"}
	tail := live.NewFrames(live.TailConfig{Burst: 2 * time.Second, Flush: 250 * time.Millisecond})
	src := newOggSource()
	early := live.NewReader(tail, false)
	src.send(first.Bytes(40), tail)
	got, _ := early.Drain(1 << 30)
	check(t, "who joins late", drain(live.NewReader(tail, false)), first.Headers(), pages(first, 31, 40))

	src.send(second.Bytes(20), tail)
	more, over := early.Drain(100)
	check(t, "who was there", append(got, more...), first.Headers(), pages(first, 31, 40), second.Bytes(20))
	if over {
		t.Error("the second link ends the body")
	}
	check(t, "who joins the second link", drain(live.NewReader(tail, false)), second.Headers(), pages(second, 11, 20))
}

// A listener that is moved forward gets whole pages, and header pages only if
// those it has are another link's.
func TestPagesMoved(t *testing.T) {
	first, second := muxtest.NewOgg(mux.CodecOpus), muxtest.NewOgg(mux.CodecOpus)
	second.Serial = 8
	tail := live.NewFrames(live.TailConfig{MaxAge: 5 * time.Second})
	src := newOggSource()
	src.send(first.Bytes(4), tail)
	r := live.NewReaderOf(tail, live.Options{Burst: time.Second})
	check(t, "at first it", drain(r), first.Headers(), pages(first, 0, 4))
	src.send(pages(first, 4, 104), tail)
	check(t, "moved in its link it", drain(r), pages(first, 99, 104))
	src.send(second.Bytes(100), tail)
	check(t, "moved to another link it", drain(r), second.Headers(), pages(second, 95, 100))
	if n := tail.Moved(); n != 2 {
		t.Errorf("Moved() = %d, want 2", n)
	}
}

// In a lossy tail it is so, too.
func TestPagesLossy(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecFLAC)
	whole := live.NewFrames(live.TailConfig{})
	tail := live.NewLossy(whole)
	src := newOggSource()
	src.send(o.Bytes(10), whole, tail)
	r := live.NewReader(tail, false)
	r.DrainAt(1<<30, src.now)
	src.send(pages(o, 10, 12), whole, tail)
	got, _ := r.DrainAt(1<<30, src.now)
	check(t, "it", got, o.Headers(), pages(o, 10, 12))
	src.send(pages(o, 12, 20), whole, tail)
	r.DrainAt(1<<30, src.now)
	src.send(pages(o, 20, 21), whole, tail)
	got, _ = r.DrainAt(1<<30, src.now)
	check(t, "after it was late it", got, pages(o, 20, 21))
}

// Nobody begins in the middle of a packet if there is another place.
func TestPagesContinued(t *testing.T) {
	o := muxtest.NewOgg(mux.CodecFLAC)
	page := func(n uint32, flags byte, lacing ...byte) []byte {
		p := muxtest.OggPage{Flags: flags, Serial: o.Serial, Sequence: n, Granule: int64(n) * 12000, Lacing: lacing}
		for _, n := range lacing {
			p.Body = append(p.Body, bytes.Repeat([]byte{0xff}, int(n))...)
		}
		return p.Bytes()
	}
	tail := live.NewFrames(live.TailConfig{Flush: time.Second})
	src := newOggSource()
	begin := page(4, 0, 255)
	src.send(slices.Concat(o.Headers(), page(2, 0, 255), page(3, 1, 9), begin, page(5, 1, 255), page(6, 1, 9)), tail)
	tail.Settle(src.now.Add(time.Hour))
	check(t, "who joins", drain(live.NewReader(tail, false)), o.Headers(), begin, page(5, 1, 255), page(6, 1, 9))
}

// A player of MP3 is not sent Ogg, nor one of Vorbis Opus.
func TestPagesOtherCodec(t *testing.T) {
	tail := live.NewFrames(live.TailConfig{})
	src := newOggSource()
	for _, u := range muxtest.RawAudio(mux.CodecMP3).UnitsFor(mux.ClockRate) {
		tail.Append(u, src.now)
	}
	r := live.NewReader(tail, false)
	drain(r)
	tail.Break()
	src.send(muxtest.NewOgg(mux.CodecVorbis).Bytes(3), tail)
	if b, over := r.Drain(1000); len(b) > 0 || !over {
		t.Errorf("a player of MP3 gets %d bytes of Ogg, over %v", len(b), over)
	}
	r = live.NewReader(tail, false)
	drain(r)
	src.send(muxtest.NewOgg(mux.CodecOpus).Bytes(3), tail)
	if b, over := r.Drain(1000); len(b) > 0 || !over {
		t.Errorf("a player of Vorbis gets %d bytes of Opus, over %v", len(b), over)
	}
}
