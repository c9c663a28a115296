package segmenter_test

import (
	"testing"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ogg"
	"headwater/segmenter"
)

// playOgg feeds so many quarters of a second of Ogg, as they come.
func playOgg(o *origin, pages int) {
	d := ogg.NewDemuxer()
	link := muxtest.NewOgg(mux.CodecVorbis)
	o.Write(d.Write(link.Headers()), o.now)
	for n := range pages {
		o.pass(o.now.Add(time.Second / 4))
		o.Write(d.Write(link.Page(n)), o.now)
		o.collect()
	}
}

// Ogg is cut into nothing, and said so; no gap is made in its place.
func TestOggIsNotCut(t *testing.T) {
	const sentence = "Ogg Vorbis cannot be in HLS: send MP3 or AAC for that"
	mp3 := muxtest.RawAudio(mux.CodecMP3)
	o := newOrigin(t, segmenter.Config{TargetDuration: 4 * time.Second}, &segmenter.MemoryRegistry{}, nil)
	o.Attach(o.now)
	playOgg(o, 120)
	st := o.Status()
	if len(o.slots) != 0 || st.Phase != segmenter.PhaseWaiting || st.Uncut != sentence || st.Program == nil || st.Program.Headers == nil {
		t.Fatalf("%d slots, phase %d, Uncut = %q, want none and %q", len(o.slots), st.Phase, st.Uncut, sentence)
	}
	o.Detach(o.now)

	playMP3 := func() {
		o.Attach(o.now)
		begin := o.now
		for _, u := range mp3.UnitsFor(20 * mux.ClockRate) {
			o.pass(begin.Add(u.DTS.Duration()))
			o.Write([]*mux.Unit{u}, o.now)
			o.collect()
		}
		o.Detach(o.now)
	}
	playMP3()
	if st := o.Status(); st.Uncut != "" || st.Phase != segmenter.PhaseLive || len(o.slots) < 3 {
		t.Fatalf("after Ogg, MP3 made %d slots, phase %d, Uncut = %q", len(o.slots), st.Phase, st.Uncut)
	}

	o.Attach(o.now)
	playOgg(o, 240)
	if st := o.Status(); st.Uncut != sentence || st.Phase != segmenter.PhaseDead {
		t.Errorf("Ogg behind MP3: phase %d, Uncut = %q", st.Phase, st.Uncut)
	}
	if gaps, _ := o.counts(); gaps != 0 {
		t.Errorf("%d gaps were made while Ogg came\n%v", gaps, o)
	}
	o.Detach(o.now)
	playMP3()
	if st := o.Status(); st.Phase != segmenter.PhaseLive {
		t.Errorf("phase %d when MP3 was back, want live", st.Phase)
	}
	checkRun(t, o)
}
