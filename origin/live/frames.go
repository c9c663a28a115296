package live

import "headwater/mux"

// frameForm makes batches of audio frames, as they came (hls-rules F04), or of
// the pages of Ogg. The header pages are put before the first page that needs them.
type frameForm struct {
	program *mux.Program // of the last unit, if that was Ogg; else nil
}

func (f *frameForm) add(b *batch, u *mux.Unit, _ mux.Ticks, broke bool) {
	b.codec = u.Program.Tracks[u.Track].Codec
	if h := u.Program.Headers; len(h) > 0 {
		if b.headers == nil && (broke || u.Program != f.program) {
			b.slices, b.led = append(b.slices, h), true
		}
		b.headers, f.program = h, u.Program
	}
	for i := range u.Frames {
		b.slices = append(b.slices, u.Frames[i].Data)
	}
}

// parts reports whether u cannot be in a batch with what b has: a player cannot
// go on with it, or needs other headers, or could begin with it but not with b.
func (f *frameForm) parts(b *batch, u *mux.Unit) bool {
	return b.codec != u.Program.Tracks[u.Track].Codec ||
		u.Program.Headers != nil && (u.Program != f.program || u.Access > b.start)
}

func (*frameForm) anew() form { return &frameForm{} }
