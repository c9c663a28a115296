package ingest_test

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/ingest"
	"headwater/ingest/ingesttest"
	"headwater/mux"
	"headwater/mux/muxtest"
)

// minute is MP3.
var minute = sync.OnceValue(func() []byte { return muxtest.RawAudio(mux.CodecMP3).Bytes(60 * mux.ClockRate) })

// sound returns what of minute is sent from a time to another.
func sound(from, to time.Duration) []byte {
	all := minute()
	return all[int(from*time.Duration(len(all))/time.Minute):int(to*time.Duration(len(all))/time.Minute)]
}

// atSpeed returns a source that sends a minute of sound.
func atSpeed(speed float64) func(write func([]byte)) {
	return func(write func([]byte)) {
		const step = 100 * time.Millisecond
		for d := time.Duration(0); d < time.Minute; d += step {
			write(sound(d, d+step))
			time.Sleep(time.Duration(float64(step) / speed))
		}
	}
}

// A source may send at any speed: what is ahead of its time waits in the
// connection, and what was held up is taken at once.
func TestPace(t *testing.T) {
	tests := []struct {
		name  string
		send  func(write func([]byte))
		takes int // seconds until all has come
		most  int // seconds that it was ahead at most
		last  int // and in the end
		log   string
	}{
		{"as it plays", atSpeed(1), 60, 0, 0, ""},
		{"ten times as fast", atSpeed(10), 50, 11, 10, "level=INFO msg=\"source sends faster than it plays, so it has to wait\""},
		{"a file at once", func(write func([]byte)) { write(minute()) }, 50, 11, 10, "source sends faster"},
		{"half as fast", atSpeed(0.5), 120, 0, -60, "speed=0.5"},
		{"held up for 8 s, then all that was late", func(write func([]byte)) {
			for d := time.Duration(0); d < time.Minute; d += time.Second {
				if d == 30*time.Second {
					time.Sleep(8 * time.Second)
					write(sound(d, d+8*time.Second))
					d += 8 * time.Second
				}
				write(sound(d, d+time.Second))
				time.Sleep(time.Second)
			}
		}, 60, 1, 0, "source sends slower"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sink ingesttest.Sink
				var log ingesttest.Log
				near, far := net.Pipe()
				go func() {
					tt.send(func(p []byte) {
						if _, err := near.Write(p); err != nil {
							t.Error(err)
						}
					})
					near.Close()
				}()
				ingest.Serve(t.Context(), far, ingest.NewSourceInfo("test", ""), ingest.Options{Sink: &sink, Log: log.Logger()})
				feed := sink.Feeds()[0]
				units := feed.Units()
				begun, ended := units[0], units[len(units)-1]
				about := func(what string, got time.Duration, want int) {
					t.Helper()
					if d := got - time.Duration(want)*time.Second; d < -1500*time.Millisecond || d > 1500*time.Millisecond {
						t.Errorf("%s %v, want about %d s", what, got, want)
					}
				}
				about("all came within", ended.At.Sub(begun.At), tt.takes)
				var most time.Duration
				for _, u := range units {
					most = max(most, u.PTS.Duration()-u.At.Sub(begun.At))
				}
				about("ahead at most", most, tt.most)
				about("ahead in the end", ended.PTS.Duration()-ended.At.Sub(begun.At), tt.last)
				if got, want := len(feed.Bytes()), len(minute()); got != want {
					t.Errorf("%d bytes came, want %d", got, want)
				}
				told := log.Lines("source sends")
				switch {
				case tt.log == "" && len(told) != 0, tt.log != "" && len(told) != 1:
					t.Errorf("the log says %q, want one line with %q, or none", told, tt.log)
				case tt.log != "" && len(log.Lines(tt.log)) != 1:
					t.Errorf("the log says %q, want %q", told, tt.log)
				}
			})
		})
	}
}

// What waits is not silent, and a source that waits can be stopped.
func TestPaceStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sink ingesttest.Sink
		slow := muxtest.RawAudio(mux.CodecMP3)
		slow.SampleRate, slow.BitRate, slow.Channels = 16000, 8000, 1 // a block is half a minute
		near, far := net.Pipe()
		go func() {
			near.Write(slow.Bytes(600 * mux.ClockRate))
			near.Close()
		}()
		done := make(chan error, 1)
		go func() {
			done <- ingest.Serve(t.Context(), far, ingest.NewSourceInfo("test", ""), ingest.Options{Sink: &sink})
		}()
		time.Sleep(5 * time.Minute)
		select {
		case err := <-done:
			t.Fatalf("it has ended: %v", err)
		default:
		}
		feed := sink.Feeds()[0]
		if _, stats := feed.Reported(); stats.Lead < 8*time.Second || stats.Lead > 60*time.Second {
			t.Errorf("Lead = %v, want some more than 10 s", stats.Lead)
		}
		feed.Info.End()
		begin := time.Now()
		<-done
		if took := time.Since(begin); took > time.Second {
			t.Errorf("it was stopped after %v", took)
		}
	})
}
