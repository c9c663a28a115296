package live_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin/live"
)

// told is a notice that is not empty.
type told struct {
	offset int // in the audio
	title  string
}

// strip takes the notices out of what an ICY listener got. It is strict: the
// first notice is not empty, and no other says what the one before said. What is
// cut off at the end is left out (hls-rules F05, F06).
func strip(stream []byte, every int) (audio []byte, notices []told, err error) {
	for len(stream) >= every {
		audio = append(audio, stream[:every]...)
		if stream = stream[every:]; len(stream) == 0 {
			return audio, notices, nil
		}
		n := 1 + 16*int(stream[0])
		switch {
		case n > len(stream):
			return audio, notices, nil
		case n == 1 && len(notices) == 0:
			return nil, nil, fmt.Errorf("the first notice is empty")
		case n > 1:
			title, _, err := readNotice(stream[:n])
			if err != nil {
				return nil, nil, fmt.Errorf("after %d bytes: %w", len(audio), err)
			}
			if len(notices) > 0 && notices[len(notices)-1].title == title {
				return nil, nil, fmt.Errorf("after %d bytes: %q is told again", len(audio), title)
			}
			notices = append(notices, told{len(audio), title})
		}
		stream = stream[n:]
	}
	return append(audio, stream...), notices, nil
}

// titled returns units of MP3, of which each so many begins a title, all of
// them together, and where in that the titles begin.
func titled(length mux.Ticks, each int) (units []*mux.Unit, audio []byte, titles []told) {
	for i, u := range muxtest.RawAudio(mux.CodecMP3).UnitsFor(length) {
		if i%each == each/2 {
			v := *u
			v.Title = &mux.Title{Artist: "Künstler", Name: fmt.Sprintf("Stück Nr. %d", i)}
			u = &v
			titles = append(titles, told{len(audio), u.Title.String()})
		}
		units = append(units, u)
		for _, f := range u.Frames {
			audio = append(audio, f.Data...)
		}
	}
	return units, audio, titles
}

// Over ten minutes with fifty titles, what remains without ICY is all of the
// source's frames, and each title is told within 100 ms of its first.
func TestICY(t *testing.T) {
	const every = 1600 // of 128 kbit/s
	units, audio, titles := titled(600*mux.ClockRate, 500)
	if len(titles) != 50 {
		t.Fatalf("%d titles, want 50", len(titles))
	}
	tail := live.NewFrames(live.TailConfig{Flush: 250 * time.Millisecond})
	tail.Append(units[0], time.Now())
	r := live.NewReaderOf(tail, live.Options{Metaint: every, Burst: time.Minute})
	plain := live.NewReader(tail, false)
	var got, other []byte
	for i, u := range units[1:] {
		tail.Append(u, time.Now())
		if i%7 == 0 {
			got, other = append(got, drain(r)...), append(other, drain(plain)...)
		}
	}
	tail.End()
	got, other = append(got, drain(r)...), append(other, drain(plain)...)
	if !bytes.Equal(other, audio) {
		t.Errorf("without ICY there are %d bytes, not the %d of the source", len(other), len(audio))
	}
	stripped, notices, err := strip(got, every)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stripped, audio) {
		t.Fatalf("with ICY there are %d bytes of audio, not the %d of the source", len(stripped), len(audio))
	}
	if len(notices) != 1+len(titles) || notices[0] != (told{every, ""}) {
		t.Fatalf("%d notices, the first %v, want %d, the first empty", len(notices), notices[0], 1+len(titles))
	}
	for i, n := range notices[1:] {
		late := n.offset - titles[i].offset
		if n.title != titles[i].title || late < 0 || late > every {
			t.Errorf("%q is told %d bytes after its first, want %q after 0 to %d", n.title, late, titles[i].title, every)
		}
	}
}

// A listener that comes is told the title of what it hears first, which is not
// yet the newest.
func TestICYBurst(t *testing.T) {
	const every = 1000
	units, audio, titles := titled(9*mux.ClockRate, 115) // 3 s
	tail := live.NewFrames(live.TailConfig{Burst: 4 * time.Second, Flush: 250 * time.Millisecond})
	for _, u := range units {
		tail.Append(u, time.Now())
	}
	tail.Break() // all is shown
	got, notices, err := strip(drain(live.NewReaderOf(tail, live.Options{Metaint: every, Burst: 4 * time.Second})), every)
	if err != nil || !bytes.HasSuffix(audio, got) {
		t.Fatalf("there are %d bytes of audio, %v, not the end of the source", len(got), err)
	}
	first := len(audio) - len(got)
	if len(notices) != 2 || notices[0] != (told{every, titles[1].title}) || notices[1].title != titles[2].title {
		t.Fatalf("the notices are %v, want those of %v", notices, titles[1:])
	}
	if late := first + notices[1].offset - titles[2].offset; late < 0 || late > every {
		t.Errorf("the next title is told %d bytes after its first", late)
	}
}

// Another source begins with no title that one could know of.
func TestICYBreak(t *testing.T) {
	const every = 300 // less than a frame
	units, _, titles := titled(2*mux.ClockRate, 20)
	tail := live.NewFrames(live.TailConfig{})
	r := live.NewReaderOf(tail, live.Options{Metaint: every})
	tail.Append(units[10], time.Now())
	got := drain(r)
	for range 2 {
		tail.Break()
		for _, u := range units[11:20] {
			tail.Append(u, time.Now())
		}
	}
	_, notices, err := strip(append(got, drain(r)...), every)
	if want := []told{{every, titles[0].title}, {2 * every, ""}}; err != nil || !slices.Equal(notices, want) {
		t.Errorf("the notices are %v, %v, want %v", notices, err, want)
	}
}

// Wherever a write ends, the next one goes on there.
func TestICYInPieces(t *testing.T) {
	units, audio, titles := titled(mux.ClockRate/4, 7)
	for _, every := range []int{1, 37, 417, 1600, 20_000} {
		for most := 1; most < 50; most++ {
			tail := live.NewFrames(live.TailConfig{Flush: 100 * time.Millisecond})
			tail.Append(units[0], time.Now())
			r := live.NewReaderOf(tail, live.Options{Metaint: every})
			var got []byte
			for _, u := range units[1:] {
				tail.Append(u, time.Now())
				b, _ := r.Drain(most)
				got = append(got, b...)
			}
			tail.End()
			b, over := r.Drain(most)
			stripped, notices, err := strip(append(got, b...), every)
			if err != nil || !over || !bytes.Equal(stripped, audio) {
				t.Fatalf("each %d bytes, in pieces of %d: %d bytes of audio, over %v, %v, want %d", every, most, len(stripped), over, err, len(audio))
			}
			if n := len(notices); every < 1000 && n != 1+len(titles) {
				t.Fatalf("each %d bytes, in pieces of %d: %d titles, want %d", every, most, n, len(titles))
			}
		}
	}
}

// Batches that are not copied together are cut as well.
func TestICYLargeBatches(t *testing.T) {
	units, audio, _ := titled(20*mux.ClockRate, 100)
	tail := live.NewFrames(live.TailConfig{Flush: 10 * time.Second, MaxAge: time.Minute})
	r := live.NewReaderOf(tail, live.Options{Metaint: 3000, Burst: time.Minute})
	whole := make([]*mux.Unit, 0, len(units))
	for _, u := range units {
		v := *u
		v.Title = nil // which would part them
		whole = append(whole, &v)
	}
	for _, u := range whole {
		tail.Append(u, time.Now())
	}
	tail.End()
	b, _ := r.Drain(999)
	if got, _, err := strip(b, 3000); err != nil || !bytes.Equal(got, audio) {
		t.Errorf("%d bytes of audio, %v, want %d", len(got), err, len(audio))
	}
}

// onFrames fails the test unless audio is frames of the source, whole and in
// their order, if not all of them.
func onFrames(t *testing.T, audio []byte, units []*mux.Unit) (missed int) {
	t.Helper()
	for _, u := range units {
		for _, f := range u.Frames {
			if bytes.HasPrefix(audio, f.Data) {
				audio = audio[len(f.Data):]
			} else {
				missed++
			}
		}
	}
	if len(audio) > 0 {
		t.Errorf("%d bytes of audio are not the frames of the source", len(audio))
	}
	return missed
}

// A listener of a lossy tail passes frames, and stays in phase.
func TestICYLossy(t *testing.T) {
	const every = 700
	units, _, titles := titled(10*mux.ClockRate, 50)
	tail := live.NewLossy(live.NewFrames(live.TailConfig{}))
	r := live.NewReaderOf(tail, live.Options{Metaint: every})
	now := time.Now()
	var got []byte
	r.DrainAt(1, now) // it is there
	for i, u := range units {
		now = now.Add(26 * time.Millisecond)
		tail.Append(u, now)
		if i%40 < 20 { // else it takes nothing, and what there was is late
			b, _ := r.DrainAt(100, now)
			got = append(got, b...)
		}
	}
	audio, notices, err := strip(got, every)
	if err != nil {
		t.Fatal(err)
	}
	if missed := onFrames(t, audio, units); missed < 100 || tail.Missed() == 0 {
		t.Errorf("%d frames were missed, %d counted, want many", missed, tail.Missed())
	}
	if last := notices[len(notices)-1].title; last != titles[len(titles)-1].title {
		t.Errorf("the last title is %q, want %q", last, titles[len(titles)-1].title)
	}
}

// A listener that others move goes on in phase, and hears of a title only if it
// is another one; with another codec it ends.
func TestICYHandleMoves(t *testing.T) {
	const every = 300
	units, _, _ := titled(mux.ClockRate, 1000) // none of them has a title
	title := &mux.Title{Name: "Ein Titel"}
	var tails [4]*live.Tail
	for i := range tails {
		tails[i] = live.NewFrames(live.TailConfig{})
		tails[i].Entitle(title)
		if i == 2 {
			tails[i].Entitle(&mux.Title{Name: "Ein anderer"})
		}
		first := units[i]
		if i == 3 {
			first = muxtest.RawAudio(mux.CodecAAC).UnitsFor(mux.ClockRate)[0]
		}
		tails[i].Append(first, time.Now())
	}
	var h live.Handle
	r := live.NewReaderOf(tails[0], live.Options{Metaint: every, Handle: &h})
	got, over := r.Drain(100)
	for _, to := range tails[1:] {
		h.Move(to)
		var b []byte
		b, over = r.Drain(100)
		got = append(got, b...)
	}
	audio, notices, err := strip(got, every)
	if want := []told{{every, "Ein Titel"}, {3 * every, "Ein anderer"}}; err != nil || !slices.Equal(notices, want) {
		t.Errorf("the notices are %v, %v, want %v", notices, err, want)
	}
	if missed := onFrames(t, audio, units[:3]); missed > 0 || !over {
		t.Errorf("%d frames were missed; over %v with another codec, want true", missed, over)
	}
}

// Steady listening with titles allocates nothing for the listener.
func TestICYAllocatesNothing(t *testing.T) {
	units, _, _ := titled(20*mux.ClockRate, 1000)
	tail := live.NewFrames(live.TailConfig{})
	with, without := live.NewReaderOf(tail, live.Options{Metaint: 100}), live.NewReader(tail, false)
	tail.Append(units[0], time.Now())
	with.Discard()
	without.Discard()
	n := 0
	measure := func(readers ...*live.Reader) float64 {
		return testing.AllocsPerRun(300, func() {
			n++
			tail.Append(units[n%len(units)], time.Now())
			for _, r := range readers {
				r.Discard()
			}
		})
	}
	one, both := measure(without), measure(without, with)
	if both > one {
		t.Errorf("a unit for a listener with ICY takes %v allocations, without %v", both, one)
	}
}
