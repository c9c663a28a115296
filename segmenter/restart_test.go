package segmenter_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// A process that is killed and started again goes on where the other stopped:
// numbers run on, time lost is a gap, and there is no discontinuity if the
// source's clock ran on (hls-rules A24, H21).
func TestRestart(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		reset := seed%2 == 1
		stop := 40*time.Second + time.Duration(random.IntN(12_000))*time.Millisecond
		away := time.Duration(random.IntN(40_000)) * time.Millisecond
		stream := muxtest.AV()
		back := stop + away
		if reset {
			stream.Resets = []muxtest.Reset{{At: mux.FromDuration(back), To: 126_000}}
		}
		registry := &segmenter.MemoryRegistry{}
		a := newOrigin(t, segmenter.Config{}, registry, nil)
		a.feed(stream, 0, stop, nil)

		b := newOrigin(t, segmenter.Config{}, registry, a.last())
		b.now = noon.Add(back - 300*time.Millisecond)
		b.slots = a.slots
		b.feed(stream, back, back+60*time.Second, nil)
		checkRun(t, b)
		gaps, disc := b.counts()
		wantDisc := 0
		if reset {
			wantDisc = 1
		}
		if most := int(away/(6*time.Second)) + 3; gaps > most || disc != wantDisc {
			t.Errorf("%d gaps, at most %d; %d discontinuities, want %d", gaps, most, disc, wantDisc)
		}
		if n := len(b.slots); n < int((back+45*time.Second)/(6*time.Second)) {
			t.Errorf("only %d slots", n)
		}
		if t.Failed() {
			t.Fatalf("seed %d: stop %v away %v\n%v", seed, stop, away, b)
		}
	}
}

// Another target duration in the configuration cannot change the URL's (hls-rules
// A13, H29), and that is told; the same one is not.
func TestRestartWithAnotherTarget(t *testing.T) {
	for _, gop := range []int{50, 200, 210} { // 2 s, 8 s, 8.4 s
		stream := muxtest.AV()
		stream.GOP = gop
		registry := &segmenter.MemoryRegistry{}
		a := newOrigin(t, segmenter.Config{TargetDuration: 6 * time.Second}, registry, nil)
		a.feed(stream, 0, 100*time.Second, nil)
		for _, tt := range []struct {
			target time.Duration
			notes  int
		}{{6 * time.Second, 0}, {10 * time.Second, 1}} {
			b := newOrigin(t, segmenter.Config{TargetDuration: tt.target}, registry, a.last())
			st := b.Status()
			if len(st.Notes) != tt.notes || st.Record.TargetDuration != a.Status().Record.TargetDuration {
				t.Errorf("GOP of %d, target %v: target duration %d, notes %q", gop, tt.target, st.Record.TargetDuration, st.Notes)
			}
		}
	}
}

// After an hour's outage the playlist does not crawl through gaps: it waits for
// the source, then shows as many as a window can hold.
func TestRestartAfterAnHour(t *testing.T) {
	stream := muxtest.AV()
	registry := &segmenter.MemoryRegistry{}
	a := newOrigin(t, segmenter.Config{}, registry, nil)
	a.feed(stream, 0, 45*time.Second, nil)

	b := newOrigin(t, segmenter.Config{}, registry, a.last())
	b.now = noon.Add(time.Hour)
	b.slots = a.slots
	b.pass(noon.Add(time.Hour + 10*time.Second))
	if st := b.Status(); st.Phase != segmenter.PhaseDead || len(b.slots) != len(a.slots) {
		t.Errorf("phase %v, %d slots; want dead, %d", st.Phase, len(b.slots), len(a.slots))
	}
	b.now = noon.Add(time.Hour)
	fresh := stream
	fresh.Start = 777
	for _, u := range fresh.UnitsFor(30 * mux.ClockRate) {
		b.pass(noon.Add(time.Hour + (u.DTS - 777).Duration()))
		b.Write([]*mux.Unit{u}, b.now)
		b.collect()
	}
	checkRun(t, b)
	if gaps, disc := b.counts(); gaps < 590 || gaps > 600 || disc != 1 {
		t.Errorf("%d gaps, %d discontinuities", gaps, disc)
	}
}

// A source that pauses and goes on loses nothing more than the pause; one that
// was held up on the network and catches up keeps its place in time.
func TestPauseAndStall(t *testing.T) {
	t.Run("paused for 20 s without a step in its timestamps", func(t *testing.T) {
		stream := muxtest.AV()
		o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
		o.feed(stream, 0, 40*time.Second, nil)
		o.pass(noon.Add(60 * time.Second))
		o.feed(stream, 40*time.Second, 100*time.Second, func() time.Duration { return 20 * time.Second })
		checkRun(t, o)
		gaps, disc := o.counts()
		if gaps > 3 || disc != 1 {
			t.Errorf("%d gaps, %d discontinuities\n%v", gaps, disc, o)
		}
		if n := len(o.slots); n < 16 {
			t.Errorf("only %d slots\n%v", n, o)
		}
	})
	t.Run("held up for 15 s, then sent at once", func(t *testing.T) {
		stream := muxtest.AV()
		o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
		o.feed(stream, 0, 40*time.Second, nil)
		o.pass(noon.Add(55 * time.Second))
		o.feed(stream, 40*time.Second, 55*time.Second, nil) // time stands still in this call
		o.feed(stream, 55*time.Second, 110*time.Second, nil)
		checkRun(t, o)
		gaps, disc := o.counts()
		if gaps > 3 || disc != 0 {
			t.Errorf("%d gaps, %d discontinuities\n%v", gaps, disc, o)
		}
	})
}

// A connection that breaks and comes back inside a slot goes on behind what it
// brought before, although its demuxer counts units from the start again.
func TestReconnectInsideSlot(t *testing.T) {
	stream := muxtest.AV()
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	var want []byte
	seq := uint64(0)
	for _, u := range stream.UnitsFor(30 * mux.ClockRate) {
		at := (u.DTS - 10*mux.ClockRate).Duration()
		o.pass(noon.Add(at))
		if u.Track == 0 && at == 20*time.Second {
			o.Detach(o.now)
			o.Attach(o.now)
			seq = 0
		}
		c := *u
		c.Seq = seq
		seq++
		if u.Track == 0 {
			want = append(want, bytes.Join(u.Packets, nil)...)
		}
		o.Write([]*mux.Unit{&c}, o.now)
		o.collect()
	}
	checkRun(t, o)
	var got []byte
	for _, seg := range o.rendition(segmenter.RenditionMain) {
		for b := data(seg); len(b) > 0; b = b[mux.PacketSize:] {
			if mux.PID(b[1]&0x1f)<<8|mux.PID(b[2]) == muxtest.VideoPID {
				got = append(got, b[:mux.PacketSize]...)
			}
		}
	}
	if gaps, disc := o.counts(); gaps+disc > 0 || len(got) < len(want)/2 || !bytes.HasPrefix(want, got) {
		t.Errorf("%d gaps, %d discontinuities; %d bytes are not the first of %d\n%v", gaps, disc, len(got), len(want), o)
	}
}
