package origin_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// What can be fetched no more is not held in memory either: neither a list of
// segments nor a snapshot keeps what has left it.
func TestStreamLetsGoOfExpiredMedia(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		source := b.play(muxtest.AV())
		type packet struct {
			arrived time.Time
			first   weak.Pointer[byte]
		}
		var sent []packet
		next := source.units
		source.units = func() (*mux.Unit, bool) {
			u, ok := next()
			sent = append(sent, packet{time.Now(), weak.Make(&u.Packets[0][0])})
			return u, ok
		}
		// The window of 12 s, as long again and 4 s to be fetched still, slots of
		// 2 s at each end, and what the source's blocks and the tail add.
		const most = 45 * time.Second
		source.send(time.Minute)
		for range 60 {
			source.send(2 * time.Second)
			runtime.GC()
			for len(sent) > 0 && sent[0].first.Value() == nil {
				sent = sent[1:]
			}
			if age := time.Since(sent[0].arrived); age > most {
				t.Fatalf("media is held for %v, want at most %v", age, most)
			}
		}
	})
}
