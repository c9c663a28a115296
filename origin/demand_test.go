package origin_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// A listener of a stream on demand waits for the source that it brings about,
// and is told when none came.
func TestListenerWaitsForASourceOnDemand(t *testing.T) {
	tests := []struct {
		name     string
		onDemand bool
		source   time.Duration // until it comes
		status   int
		after    time.Duration
	}{
		{"it comes", true, 3 * time.Second, http.StatusOK, 3 * time.Second},
		{"it comes too late", true, 20 * time.Second, http.StatusServiceUnavailable, 10 * time.Second},
		{"the stream is not on demand", false, 3 * time.Second, http.StatusServiceUnavailable, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{OnDemand: tt.onDemand})
				defer b.stop()
				synctest.Wait() // until it runs
				before, _ := b.stream.Demand()
				type answer struct {
					status int
					after  time.Duration
				}
				answered := make(chan answer, 1)
				began := time.Now()
				go func() {
					res := b.request(http.MethodHead, "/live.mp3")
					answered <- answer{res.StatusCode, time.Since(began)}
				}()
				synctest.Wait()
				if after, listeners := b.stream.Demand(); after != before+1 || listeners != 0 {
					t.Errorf("Demand = %d, %d, want %d, 0", after, listeners, before+1)
				}
				time.Sleep(tt.source)
				b.play(muxtest.RawAudio(mux.CodecMP3)).send(time.Second)
				got := <-answered
				if late := got.after - tt.after; got.status != tt.status || late < 0 || late > 200*time.Millisecond {
					t.Errorf("HEAD = %d after %v, want %d after %v", got.status, got.after, tt.status, tt.after)
				}
			})
		})
	}
}
