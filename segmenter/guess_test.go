package segmenter_test

import (
	"testing"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/segmenter"
)

// Stream types do not tell MP2 from MP3. A track that turns out to be MP2 has
// no packed audio: not even an empty rendition for players to choose.
func TestMP2HasNoPackedAudio(t *testing.T) {
	stream := muxtest.AV()
	stream.Audio = mux.CodecMP3
	var known *mux.Program // from the first sound on
	o := newOrigin(t, segmenter.Config{}, &segmenter.MemoryRegistry{}, nil)
	for _, u := range stream.UnitsFor(60 * mux.ClockRate) {
		c := *u
		c.Frames = nil
		if u.Track == 1 && known == nil {
			known = withAudio(u.Program, mux.CodecMP2, u.Program.Tracks[1].Parameters)
		}
		if c.Program = known; known == nil {
			c.Program = withAudio(u.Program, mux.CodecMP3, mux.Parameters{})
		}
		o.pass(noon.Add((u.DTS - stream.Start).Duration()))
		o.Write([]*mux.Unit{&c}, o.now)
		o.collect()
	}
	checkRun(t, o)
	if main, audio := o.rendition(segmenter.RenditionMain), o.rendition(segmenter.RenditionAudio); len(main) < 6 || len(audio) > 0 {
		t.Errorf("%d segments of main, %d of audio", len(main), len(audio))
	}
}

// withAudio returns a copy of p whose second track is of codec c.
func withAudio(p *mux.Program, c mux.Codec, params mux.Parameters) *mux.Program {
	q := *p
	q.Tracks = append([]mux.Track(nil), p.Tracks...)
	q.Tracks[1].Codec, q.Tracks[1].Parameters = c, params
	return &q
}
