package live

import "headwater/mux"

// frameForm makes batches of audio frames, as they came (hls-rules F04).
type frameForm struct{}

func (frameForm) add(b *batch, u *mux.Unit, _ mux.Ticks, _ bool) {
	b.codec = u.Program.Tracks[u.Track].Codec
	for i := range u.Frames {
		b.slices = append(b.slices, u.Frames[i].Data)
	}
}

// parts reports whether u cannot be in a batch with what b has.
func (frameForm) parts(b *batch, u *mux.Unit) bool {
	return b.codec != u.Program.Tracks[u.Track].Codec
}

func (frameForm) anew() form { return frameForm{} }
