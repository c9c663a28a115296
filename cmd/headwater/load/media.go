package load

import (
	"fmt"
	"math/rand/v2"
	"time"

	"headwater/cmd/headwater/programme"
	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/muxtest"
)

// Kinds of media that publishers send.
const (
	KindVideo = "video" // H.264 and AAC in a transport stream, 2.75 Mbit/s, a keyframe each 2 s
	KindRadio = "radio" // MP3 of 128 kbit/s
)

// media is an endless stream in pieces. next returns the next one, valid until
// the one after it is asked for, and when it is due after the first one.
type media interface {
	next() (piece []byte, due time.Duration)
}

// newMedia returns what makes a stream for each publisher: of a kind, or of the
// bytes of a file if there are any.
func newMedia(kind string, file []byte) (func() media, error) {
	switch {
	case len(file) > 0:
		return fileMedia(file)
	case kind == KindVideo || kind == "":
		return loopMedia(video())
	case kind == KindRadio:
		return func() media { return &radio{run: rand.Uint32()} }, nil
	}
	return nil, fmt.Errorf("%w: there is no kind %q: it is video or radio", ErrOptions, kind)
}

// video makes a lap of a grey picture and of silence, with as many bytes as
// those of an encoder have.
func video() []byte {
	const lap, pictureBytes = 16, 12_230 // seconds; of a P picture, which brings it to the rate
	s := muxtest.AV()
	s.VideoBytes = pictureBytes
	return s.Bytes(lap * mux.ClockRate)
}

func fileMedia(file []byte) (func() media, error) {
	packets := file[:len(file)/mux.PacketSize*mux.PacketSize]
	if file[0] == 0x47 && len(packets) > 0 {
		return loopMedia(packets)
	}
	var frames []soundFrame
	s := audio.NewSplitter(mux.CodecUnknown)
	emit := func(frame []byte, samples, rate int) {
		frames = append(frames, soundFrame{frame, time.Duration(samples) * time.Second / time.Duration(rate)})
	}
	s.Write(file, emit)
	s.Flush(emit)
	if len(frames) == 0 {
		return nil, fmt.Errorf("%w: the file: %w", ErrOptions, mux.ErrUnknownFormat)
	}
	return func() media { return &sound{frames: frames} }, nil
}

// loop is a transport stream again and again.
type loop struct{ *programme.Loop }

func loopMedia(ts []byte) (func() media, error) {
	if _, err := programme.NewLoop(ts, -1); err != nil {
		return nil, fmt.Errorf("%w: the transport stream: %w", ErrOptions, err)
	}
	return func() media {
		l, err := programme.NewLoop(ts, -1)
		if err != nil {
			panic(err) // it was good before
		}
		return loop{l}
	}, nil
}

func (l loop) next() ([]byte, time.Duration) { return l.Next() }

// radio is stamped frames without end.
type radio struct {
	run   uint32
	n     int64
	frame []byte
}

func (r *radio) next() ([]byte, time.Duration) {
	due := frameTime(r.n)
	r.frame = appendFrame(r.frame[:0], stamp{run: r.run, n: uint32(r.n), sent: int64(due)})
	r.n++
	return r.frame, due
}

// sound is the frames of a file again and again.
type sound struct {
	frames []soundFrame
	n      int
	due    time.Duration
}

type soundFrame struct {
	data   []byte
	length time.Duration
}

func (s *sound) next() ([]byte, time.Duration) {
	f, due := s.frames[s.n], s.due
	s.n = (s.n + 1) % len(s.frames)
	s.due += f.length
	return f.data, due
}
