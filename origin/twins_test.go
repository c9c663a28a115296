package origin_test

import (
	"crypto/sha256"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
	"headwater/segmenter"
)

// Two origins that share a record, of which one joins three seconds late and
// whose media arrives up to half a second apart, serve the same bytes: every
// segment that both have, and the text of the playlists at each number, over a
// wrap of the timestamps and a restart of the source (hls-rules H07, H11, H26).
func TestTwinOrigins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := muxtest.AV()
		stream.Start = mux.Wrap - 40*mux.ClockRate
		stream.Resets = []muxtest.Reset{{At: 101 * mux.ClockRate, To: 5 * mux.ClockRate}}
		registry := new(segmenter.MemoryRegistry)
		config := origin.StreamConfig{
			Registry:  registry,
			Segmenter: segmenter.Config{TargetDuration: 2 * time.Second},
			Window:    segmenter.WindowConfig{Duration: 12 * time.Second, MinSegments: 6},
		}
		const length, late = 3 * time.Minute, 3 * time.Second
		began := time.Now()
		var feeding sync.WaitGroup
		texts := [2]map[string]map[uint64]string{}
		var beds [2]*bed
		for i := range beds {
			beds[i] = newBed(t, config)
			defer beds[i].stop()
			texts[i] = map[string]map[uint64]string{"main": {}, "audio": {}}
			if i == 1 { // the record exists when the second one joins
				time.Sleep(time.Until(began.Add(20*time.Second + late)))
			}
			joined := time.Since(began)
			random := rand.New(rand.NewPCG(uint64(i), 7))
			feeding.Go(func() { beds[i].jitter(stream, began, joined, length, random) })
			if i == 0 {
				time.Sleep(20 * time.Second)
			}
		}
		for time.Since(began) < length {
			time.Sleep(100 * time.Millisecond)
			for i, b := range beds {
				for name, seen := range texts[i] {
					if res := b.get("/live/" + name + ".m3u8"); res.StatusCode == http.StatusOK {
						text, _ := io.ReadAll(res.Body)
						m, err := playlist.ReadMedia(text)
						if err != nil {
							t.Fatal(err)
						}
						if len(m.Segments) >= 6 {
							seen[m.Sequence+uint64(len(m.Segments))] = string(text)
						}
					}
				}
			}
		}
		feeding.Wait()
		synctest.Wait()
		for name := range texts[0] {
			compareTwins(t, beds, name, texts[0][name], texts[1][name])
		}
	})
}

// compareTwins compares what two origins said about a rendition, by the number
// that follows the newest segment.
func compareTwins(t *testing.T, beds [2]*bed, name string, a, b map[uint64]string) {
	t.Helper()
	lists, segments, discontinuities := 0, 0, 0
	compared := map[string]bool{}
	for n, text := range b {
		other, ok := a[n]
		if !ok {
			continue
		}
		lists++
		if text != other {
			t.Errorf("%s lists up to %d differ:\n%s\n%s", name, n, other, text)
			return
		}
		discontinuities += strings.Count(text, "#EXT-X-DISCONTINUITY\n")
		for line := range strings.Lines(text) {
			uri := strings.TrimSpace(line)
			if strings.HasPrefix(uri, "#") || compared[uri] {
				continue
			}
			compared[uri] = true
			x, y := beds[0].get("/live/"+uri), beds[1].get("/live/"+uri)
			if x.StatusCode != http.StatusOK || y.StatusCode != http.StatusOK {
				continue // too old by now
			}
			if hash(t, x.Body) != hash(t, y.Body) || x.Header.Get("Etag") != y.Header.Get("Etag") {
				t.Errorf("%s differs", uri)
			}
			segments++
		}
	}
	if lists < 60 || segments < 15 || discontinuities == 0 {
		t.Errorf("%s: %d lists, %d segments, %d discontinuities compared", name, lists, segments, discontinuities)
	}
}

func hash(t *testing.T, r io.Reader) [sha256.Size]byte {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

// jitter sends what the stream has from the media time from on, each unit up
// to half a second late.
func (b *bed) jitter(s muxtest.Stream, began time.Time, from, length time.Duration, random *rand.Rand) {
	feed := b.attach()
	units, stop := iter.Pull(s.Units())
	defer stop()
	delay := time.Duration(0)
	for x := range s.Samples() {
		at := x.Time.Duration()
		if at > length {
			break
		}
		u, _ := units()
		if at < from {
			continue
		}
		delay = min(max(delay+time.Duration(random.IntN(41)-20)*time.Millisecond, 0), 500*time.Millisecond)
		time.Sleep(time.Until(began.Add(at + delay)))
		feed.Write([]*mux.Unit{u}, time.Now())
	}
	feed.Close(nil, time.Now())
}
