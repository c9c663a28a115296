package live

import (
	"context"
	"io"

	"headwater/mux"
)

// AudioReader reads a tail as audio frames, as they came, from a frame edge
// (hls-rules F04). It ends when the codec changes: a player could not go on.
type AudioReader struct {
	cursor
	codec   mux.Codec
	items   [batch]item
	pending []item
	frames  []mux.Frame // of the unit begun
	part    []byte      // rest of a frame that was larger than dst
}

// NewAudioReader returns a reader of t that starts when its first Next is called.
func NewAudioReader(t *Tail) *AudioReader { return &AudioReader{cursor: cursor{tail: t}} }

// Size is half a second of most streams.
func (r *AudioReader) Size() int { return 8 << 10 }

// Next appends whole frames.
func (r *AudioReader) Next(ctx context.Context, dst []byte) ([]byte, error) {
	for {
		var full bool
		if dst, full = r.drain(dst); full {
			return dst, nil
		}
		if len(r.pending) == 0 {
			if len(dst) > 0 {
				return dst, nil
			}
			n, _, err := r.take(ctx, &r.items)
			if err != nil {
				return dst, err
			}
			r.pending = r.items[:n]
		}
		u := r.pending[0].unit
		codec := u.Program.Tracks[u.Track].Codec
		if r.codec != mux.CodecUnknown && codec != r.codec {
			if len(dst) > 0 {
				return dst, nil
			}
			return dst, io.EOF
		}
		r.codec, r.frames = codec, u.Frames
		r.pending[0] = item{} // a listener that hangs holds no memory
		r.pending = r.pending[1:]
	}
}

// drain moves the frames at hand to dst. It returns true when dst has no room
// for the next one. A frame larger than an empty dst goes out in pieces.
func (r *AudioReader) drain(dst []byte) (_ []byte, full bool) {
	for {
		if len(r.part) > 0 {
			n := min(len(r.part), cap(dst)-len(dst))
			dst, r.part = append(dst, r.part[:n]...), r.part[n:]
			if len(r.part) > 0 {
				return dst, true
			}
		}
		if len(r.frames) == 0 {
			return dst, false
		}
		f := r.frames[0].Data
		if len(f) > cap(dst)-len(dst) && len(dst) > 0 {
			return dst, true
		}
		r.part, r.frames = f, r.frames[1:]
	}
}
