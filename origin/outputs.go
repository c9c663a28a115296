package origin

import (
	"fmt"
	"time"

	"headwater/mux"
	"headwater/origin/live"
)

// Mode says what becomes of the media of a continuous output that a listener's
// network does not take in time.
type Mode uint8

const (
	// ModeNormal: it is sent later. A listener gets every byte, as long as the
	// tail has it.
	ModeNormal Mode = iota
	// ModeLive: it is not sent. Each frame goes out as soon as it is there, and
	// a listener that lags misses whole frames, so that it hears what is live.
	ModeLive
	modes
)

var modeNames = [modes]string{"normal", "live"}

// String returns the name of the mode in URLs and in the configuration.
func (m Mode) String() string { return modeNames[m] }

// ParseMode returns the mode of a name.
func ParseMode(name string) (Mode, error) {
	for m, n := range modeNames {
		if n == name {
			return Mode(m), nil
		}
	}
	return 0, fmt.Errorf("must be %s or %s", modeNames[ModeNormal], modeNames[ModeLive])
}

const (
	// usualBurst is how much sound there is at once at the start of a continuous
	// output, unless something else is said (hls-rules F04).
	usualBurst = 2 * time.Second
	flush      = 250 * time.Millisecond // of sound, sent together
	// soundBytes bounds a tail of audio frames.
	soundBytes = 1 << 20
	// picturePatience is how long pictures may wait to be read: little beside a
	// segment, and enough for one wake-up to serve many sources. Sound, of
	// which less comes, may wait for flush, and for idlePatience while nobody
	// listens to a continuous output.
	picturePatience = 100 * time.Millisecond
	idlePatience    = 500 * time.Millisecond
)

// outputs are the tails of the continuous outputs of a stream.
type outputs struct {
	packets, sound [modes]*live.Tail
	patience       time.Duration // of sound
	idle           time.Duration // likewise, while nobody listens
	heard          uint64        // Seq of the first unit that listeners in ModeLive have not had
}

// newOutputs returns the outputs of a stream that is made in a way.
func newOutputs(c *StreamConfig) *outputs {
	cfg := live.TailConfig{Burst: max(0, c.Burst), Flush: c.Flush, FlushPictures: c.Flush}
	if c.Flush == 0 {
		cfg.Flush = flush
	}
	packets := live.NewPackets(cfg)
	cfg.MaxBytes = soundBytes
	sound := live.NewFrames(cfg)
	return &outputs{
		packets:  [modes]*live.Tail{packets, live.NewLossy(packets)},
		sound:    [modes]*live.Tail{sound, live.NewLossy(sound)},
		patience: min(cfg.Flush, flush),
		idle:     max(min(idlePatience, c.Segmenter.TargetDuration/12), flush),
	}
}

// append adds units of packets that came now.
func (o *outputs) append(units []*mux.Unit, now time.Time) {
	for _, u := range units {
		for _, t := range o.packets {
			t.Append(u, now)
		}
	}
	o.each(func(t *live.Tail) { t.Settle(now) })
}

// hear adds the sound of units as the source sent them: packets are made of
// several frames at a time.
func (o *outputs) hear(units []*mux.Unit, now time.Time) {
	for _, u := range units {
		sound := len(u.Frames) > 0 && u.Track == firstFramed(u.Program)
		if sound {
			o.sound[ModeNormal].Append(u, now)
		} else { // it may still say what the sound is that comes next
			o.sound[ModeNormal].Entitle(u.Title)
		}
		if sound && u.Seq >= o.heard {
			o.sound[ModeLive].Append(u, now)
		} else {
			o.sound[ModeLive].Entitle(u.Title)
		}
	}
}

// preview adds the sound of a unit that may prove to be none, in ModeLive.
func (o *outputs) preview(u *mux.Unit, now time.Time) {
	if u.Seq >= o.heard && u.Track == firstFramed(u.Program) {
		o.heard = u.Seq + 1
		o.sound[ModeLive].Append(u, now)
	}
}

// part tells that what comes next is another source's.
func (o *outputs) part() {
	o.heard = 0
	o.each((*live.Tail).Break)
}

// each calls f with all tails.
func (o *outputs) each(f func(*live.Tail)) {
	for m := range modes {
		f(o.packets[m])
		f(o.sound[m])
	}
}

// waits returns how long media of a program may wait to be read.
func (o *outputs) waits(p *mux.Program) time.Duration {
	switch {
	case o.packets[ModeLive].Listeners()+o.sound[ModeLive].Listeners() > 0:
		return 0
	case p != nil && p.Reference() >= 0 && p.Tracks[p.Reference()].Codec.Video():
		return picturePatience
	case o.listeners() > 0:
		return o.patience
	}
	return o.idle
}

// moved returns how many times a listener fell so far behind that it was moved forward.
func (o *outputs) moved() uint64 { return o.packets[ModeNormal].Moved() + o.sound[ModeNormal].Moved() }

// missed returns how many times a listener in ModeLive was not sent a frame.
func (o *outputs) missed() uint64 { return o.packets[ModeLive].Missed() + o.sound[ModeLive].Missed() }

// listeners returns how many there are.
func (o *outputs) listeners() (n int) {
	o.each(func(t *live.Tail) { n += t.Listeners() })
	return n
}

// bytes returns how much media the tails keep; those of ModeLive keep the same.
func (o *outputs) bytes() int64 { return o.packets[ModeNormal].Bytes() + o.sound[ModeNormal].Bytes() }
