package ts

import (
	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
)

// sound is what the demuxer remembers of an audio track whose frames it tells apart.
type sound struct {
	split  *audio.PESSplitter // nil before the first unit, and if the codec is not Framed
	layer3 bool               // types 0x03 and 0x04: seen to be MP3, not MP2
}

// listen splits the audio frames out of the unit under way on t. The frames
// are a copy in one piece: in the packets they are cut up.
func (d *Demuxer) listen(t *track, u *mux.Unit, h *pesHeader) {
	c := d.program.Tracks[t.index].Codec
	end := t.payload
	if t.length != 0 && !t.lengthLies {
		end = min(end, t.length)
	}
	if !c.Framed() || u.Untimed || end <= h.size {
		return
	}
	es := d.memory.open(end - h.size)
	appendPayload(es[:0], t.runs, h.size, len(es))
	if c == mux.CodecMP3 && !t.sound.layer3 && d.isMP2(t, es) {
		return
	}
	if t.sound.split == nil {
		t.sound.split = audio.NewPESSplitter(c)
	}
	d.split = t.sound.split.Split(d.split[:0], es, u.PTS, t.lost)
	u.Frames = d.frames.keep(d.split)
	clear(d.split)
	if len(u.Frames) > 0 {
		d.learn(t.index, c, t.sound.split.Parameters())
	}
}

// isMP2 finds out which layer a track of MPEG audio is, which stream types do
// not tell. It looks for a frame header, behind which another agrees if the
// PES packet goes that far.
func (d *Demuxer) isMP2(t *track, es []byte) bool {
	for i := range es {
		h, err := codec.ParseMPEGAudio(es[i:])
		if err != nil {
			continue
		}
		if i+h.Size < len(es) {
			if next, err := codec.ParseMPEGAudio(es[i+h.Size:]); err != nil || !next.Same(h) {
				continue
			}
		}
		if t.sound.layer3 = h.Layer == 3; !t.sound.layer3 {
			d.learn(t.index, mux.CodecMP2, h.Parameters())
			return true
		}
		return false
	}
	return false
}
