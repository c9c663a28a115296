package ingest

import (
	"bytes"
	"context"
	"time"

	"headwater/ingest/encode"
)

// maxEncoders is how many sources of one listener may be encoded at a time: one
// that is taken, and some that are about to be refused.
const maxEncoders = 4

// open looks at the first bytes of the connection, of which n more are in the
// demuxer's buffer. It returns how many of the buffer are for the demuxer: none
// while that is not known, and none of PCM, whose encoder takes the place of
// the connection.
func (s *session) open(ctx context.Context, n int) (int, error) {
	if s.opened {
		return n, nil
	}
	s.held += n
	head := s.demux.Buffer()[:s.held]
	wav, more := encode.Recognise(head)
	if more {
		return 0, nil
	}
	n, s.held, s.opened = s.held, 0, true
	if !wav {
		return n, nil
	}
	select {
	case s.opts.encoders <- struct{}{}:
	default:
		return 0, &encode.RefusedError{Reason: "this is WAV, and too many sources are being encoded: try again"}
	}
	encoder, err := encode.New(s.conn, bytes.Clone(head), s.opts.Encode, s.log)
	if err != nil {
		<-s.opts.encoders
		return 0, err
	}
	// The encoder falls silent when its source does.
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		encoder.Close()
		<-s.opts.encoders
		return 0, err
	}
	s.conn = encoder
	stop := context.AfterFunc(ctx, func() { encoder.Close() })
	s.finish = func() {
		stop()
		encoder.Close()
		<-s.opts.encoders
	}
	return 0, nil
}
