package origin_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// What is on air at a stream, its standby too, is heard where it is followed:
// each unit once, with the title that it is under, and each source by itself.
func TestFollower(t *testing.T) {
	const s = time.Second
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		sink := &recorder{}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		mp3 := muxtest.RawAudio(mux.CodecMP3)
		running.Go(func() {
			perform(ctx, t, b.stream, mp3, "main", []sound{{from: 0, to: 10 * s}, {from: 30 * s, to: 60 * s}})
		})
		running.Go(func() {
			perform(ctx, t, b.stream.Standby(), mp3, "standby", []sound{{from: 0, to: 20 * s}})
		})
		time.Sleep(6*s + s/2)
		var following sync.WaitGroup
		followCtx, follow := context.WithCancel(ctx)
		following.Go(func() {
			if err := origin.NewFollower(b.stream, sink).Run(followCtx); err != nil {
				t.Error(err)
			}
		})
		time.Sleep(28*s + s/2)
		follow()
		following.Wait()
		cancel()
		running.Wait()
		b.stop()

		var lengths []time.Duration
		var titles []string
		for _, run := range sink.runs {
			for i, u := range run[1:] {
				if step := u.PTS - run[i].PTS; step != 2160 { // 1152 samples
					t.Errorf("unit %d comes %d ticks after its predecessor", i+1, step)
				}
			}
			lengths = append(lengths, (run[len(run)-1].PTS - run[0].PTS).Duration().Round(s/2))
			titles = append(titles, run[0].Title.String())
		}
		if want := []time.Duration{3*s + s/2, 10 * s, 5 * s}; !slices.Equal(lengths, want) || sink.closed != 3 {
			t.Errorf("the sources brought %v, %d ended; want %v", lengths, sink.closed, want)
		}
		if want := []string{"main", "standby", "main"}; !slices.Equal(titles, want) {
			t.Errorf("they began with %q, want %q", titles, want)
		}
	})
}

// recorder is a sink that remembers what each source brought.
type recorder struct {
	mux.Feed // of no use but for what recorder has itself
	runs     [][]*mux.Unit
	closed   int
}

func (r *recorder) Attach(mux.SourceInfo, time.Time) (mux.Feed, error) {
	r.runs = append(r.runs, nil)
	return r, nil
}

func (r *recorder) Write(units []*mux.Unit, _ time.Time) {
	run := &r.runs[len(r.runs)-1]
	*run = append(*run, units...)
}

func (r *recorder) Close(error, time.Time) { r.closed++ }
