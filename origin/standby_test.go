package origin_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/audio"
	"headwater/mux/codec"
	"headwater/mux/muxtest"
	"headwater/origin"
)

// sound is when a source brings media, from the start of the test, and what
// becomes of it then.
type sound struct {
	from, to time.Duration
	silent   bool // it stays, and brings nothing; else it goes
}

// perform brings the media of s to sink as the sounds say, read each 100 ms,
// until ctx ends. A source has its name for its title, which it tells once.
func perform(ctx context.Context, t *testing.T, sink interface {
	Attach(mux.SourceInfo, time.Time) (mux.Feed, error)
}, s muxtest.Stream, name string, sounds []sound) {
	began := time.Now()
	sleep := func(until time.Duration) bool {
		select {
		case <-time.After(time.Until(began.Add(until))):
		case <-ctx.Done():
		}
		return ctx.Err() == nil
	}
	var feed mux.Feed
	fresh := true
	for _, x := range sounds {
		if !sleep(x.from) {
			break
		}
		if feed == nil {
			var err error
			if feed, err = sink.Attach(mux.SourceInfo{ID: name, Kind: "test", Since: time.Now()}, time.Now()); err != nil {
				t.Error(err)
				return
			}
			fresh = true
		}
		var units []*mux.Unit
		first := mux.Ticks(-1)
		for u := range s.Units() {
			if first < 0 {
				first = u.DTS
			}
			due := x.from + (u.DTS - first).Duration()
			if due >= x.to {
				break
			}
			for next := x.from + (due - x.from).Truncate(100*time.Millisecond); time.Now().Before(began.Add(next)); {
				if len(units) > 0 {
					feed.Write(units, time.Now())
					units = nil
				}
				if !sleep(next) {
					feed.Close(nil, time.Now())
					return
				}
			}
			if fresh {
				fresh = false
				c := *u
				c.Title = &mux.Title{Name: name}
				u = &c
			}
			units = append(units, u)
		}
		sleep(x.to)
		feed.Write(units, time.Now())
		if !x.silent {
			feed.Close(nil, time.Now())
			feed = nil
		}
	}
	if feed != nil {
		<-ctx.Done()
		feed.Close(nil, time.Now())
	}
}

// hls-rules F22, A27, C30
func TestStandby(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	always := []sound{{from: 0, to: 60 * s}}
	mp3, aac := muxtest.RawAudio(mux.CodecMP3), muxtest.RawAudio(mux.CodecAAC)
	for _, tt := range []struct {
		name          string
		main, standby []sound
		of            muxtest.Stream // the standby
		air           string         // who is on air from when, in tenths of a second
		breaks        int            // DISCONTINUITY tags
		gaps          bool
	}{
		{"the standby is silent as long as there is a source", []sound{{from: 0, to: 40 * s}}, always, mp3,
			"0 main", 0, false},
		{"a source that goes is replaced soon", []sound{{from: 0, to: 10 * s}}, always, mp3,
			"0 main, 102 standby", 1, false},
		{"a source that falls silent, within a second", []sound{{from: 0, to: 10 * s, silent: true}}, always, mp3,
			"0 main, 105 standby", 1, false},
		{"it is back within a second", []sound{{from: 0, to: 10 * s}, {from: 20 * s, to: 60 * s}}, always, mp3,
			"0 main, 102 standby, 203 main", 2, false},
		{"or when it is no longer silent", []sound{{from: 0, to: 10 * s, silent: true}, {from: 20 * s, to: 60 * s}}, always, mp3,
			"0 main, 105 standby, 203 main", 2, false},
		{"another codec is no hindrance", []sound{{from: 0, to: 10 * s}, {from: 20 * s, to: 60 * s}}, always, aac,
			"0 main, 102 standby, 203 main", 2, false},
		{"a source that sends no more than bits and pieces is not taken back", []sound{{from: 0, to: 10 * s},
			{from: 12 * s, to: 12*s + 200*ms}, {from: 14 * s, to: 14*s + 100*ms}, {from: 16 * s, to: 16*s + 240*ms}}, always, mp3,
			"0 main, 102 standby", 1, false},
		{"one that is lost again and again has to bring more each time", []sound{{from: 0, to: 10 * s},
			{from: 12 * s, to: 13 * s}, {from: 14 * s, to: 15 * s}, {from: 16 * s, to: 17 * s}, {from: 18 * s, to: 19 * s}}, always, mp3,
			"0 main, 102 standby, 123 main, 132 standby, 145 main, 152 standby", 5, false},
		{"one that is back soon goes on", []sound{{from: 0, to: 10 * s}, {from: 10*s + 100*ms, to: 60 * s}}, always, mp3,
			"0 main", 0, false},
		{"without a standby there are gaps", []sound{{from: 0, to: 10 * s}, {from: 15 * s, to: 60 * s}}, nil, mp3,
			"0 main, 100 nobody, 150 main", 0, true},
		{"a standby that comes later is taken then", []sound{{from: 0, to: 10 * s}}, []sound{{from: 15 * s, to: 60 * s}}, mp3,
			"0 main, 100 nobody, 150 standby", 1, true},
		{"one that goes leaves nothing", []sound{{from: 0, to: 10 * s}, {from: 30 * s, to: 60 * s}}, []sound{{from: 0, to: 20 * s}}, mp3,
			"0 main, 102 standby, 200 nobody, 300 main", 2, true},
		{"also where both begin late", []sound{{from: 5*s + 200*ms, to: 60 * s}}, []sound{{from: 5 * s, to: 60 * s}}, mp3,
			"0 nobody, 52 main", 0, true},
		{"the stream's source is waited for at the start", []sound{{from: 2 * s, to: 60 * s}}, always, mp3,
			"0 nobody, 5 standby, 23 main", 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{})
				ctx, cancel := context.WithCancel(t.Context())
				var performing sync.WaitGroup
				performing.Go(func() { perform(ctx, t, b.stream, mp3, "main", tt.main) })
				if tt.standby != nil {
					performing.Go(func() { perform(ctx, t, b.stream.Standby(), tt.of, "standby", tt.standby) })
				}
				var air []string
				last := "?"
				for i := range 350 {
					synctest.Wait()
					now := b.stream.State(time.Now()).OnAir
					if now == "" {
						now = "nobody"
					}
					if i == 0 && tt.main[0].from == 0 {
						now = "main" // which is about to connect
					}
					if now != last {
						air = append(air, fmt.Sprintf("%d %s", i, now))
						last = now
					}
					time.Sleep(100 * time.Millisecond)
				}
				if got := strings.Join(air, ", "); !sameAir(got, tt.air) {
					t.Errorf("on air were %s; want %s", got, tt.air)
				}
				checkStandbyPlaylist(t, b, tt.breaks, tt.gaps)
				cancel()
				performing.Wait()
				b.stop()
			})
		})
	}
}

// sameAir reports whether the same sides were on air from about the same times:
// who is first of two sources that write at the same instant is open.
func sameAir(got, want string) bool {
	a, b := strings.Split(got, ", "), strings.Split(want, ", ")
	return slices.EqualFunc(a, b, func(a, b string) bool {
		var at, wanted int
		var who, whom string
		fmt.Sscan(a, &at, &who)
		fmt.Sscan(b, &wanted, &whom)
		return who == whom && at >= wanted && at <= wanted+2
	})
}

// checkStandbyPlaylist checks how many breaks the stream has had, and that its
// segments join.
func checkStandbyPlaylist(t *testing.T, b *bed, breaks int, gaps bool) {
	t.Helper()
	m := b.media("main")
	found, missing := m.DiscontinuitySequence, false
	for i, seg := range m.Segments {
		if seg.Discontinuity {
			found++
		}
		missing = missing || seg.Gap
		if i > 0 {
			before := m.Segments[i-1]
			if d := seg.Time.Sub(before.Time.Add(before.Duration.Std())); d > 2*time.Millisecond || d < -2*time.Millisecond {
				t.Errorf("segment %d begins %v after the end of its predecessor", i, d)
			}
		}
	}
	if int(found) != breaks {
		t.Errorf("%d discontinuities, want %d", found, breaks)
	}
	if missing && !gaps {
		t.Error("there are gaps")
	}
}

// A listener of a continuous output stays as long as any source is on air, and
// for Linger without one. Where another source takes over, whole frames follow
// each other, and none of the time is missing (hls-rules F22).
func TestStandbyListener(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name          string
		main, standby []sound
		ends          time.Duration // when the listener is sent away; 0: never
		length        time.Duration // of what it hears
	}{
		{"the standby goes on for the source", []sound{{from: 0, to: 10 * s}, {from: 20 * s, to: 60 * s}}, []sound{{from: 0, to: 60 * s}}, 0, 40 * s},
		{"and for one that is silent", []sound{{from: 0, to: 10 * s, silent: true}, {from: 20 * s, to: 60 * s}}, []sound{{from: 0, to: 60 * s}}, 0, 40 * s},
		{"a source that is back within Linger goes on", []sound{{from: 0, to: 10 * s}, {from: 14 * s, to: 60 * s}}, nil, 0, 36 * s},
		{"one that is not has lost its listeners", []sound{{from: 0, to: 10 * s}, {from: 16 * s, to: 60 * s}}, nil, 15 * s, 10 * s},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{Linger: 5 * s})
				ctx, cancel := context.WithCancel(t.Context())
				var performing sync.WaitGroup
				performing.Go(func() { perform(ctx, t, b.stream, muxtest.RawAudio(mux.CodecMP3), "main", tt.main) })
				if tt.standby != nil {
					performing.Go(func() { perform(ctx, t, b.stream.Standby(), muxtest.RawAudio(mux.CodecMP3), "standby", tt.standby) })
				}
				began := time.Now()
				time.Sleep(s / 2)
				body := httptest.NewRecorder()
				var ended time.Duration
				var listening sync.WaitGroup
				listening.Go(func() {
					b.server.ServeHTTP(body, httptest.NewRequest("GET", "/live.mp3", nil))
					ended = time.Since(began)
				})
				time.Sleep(39*s + s/2)
				synctest.Wait()
				if got := ended.Truncate(s / 2); got != tt.ends {
					t.Errorf("the listener was sent away after %v, want %v", got, tt.ends)
				}
				cancel()
				performing.Wait()
				b.stop()
				listening.Wait()
				var heard mux.Ticks
				for data := body.Body.Bytes(); len(data) > 0; {
					h, err := codec.ParseMPEGAudio(data)
					if err != nil || h.Size > len(data) {
						t.Fatalf("after %v no frame follows: %v", heard.Duration(), err)
					}
					heard += mux.FromSamples(int64(h.Samples), h.SampleRate)
					data = data[h.Size:]
				}
				if d := heard.Duration() - tt.length; d < -s/2 || d > s/2 {
					t.Errorf("it heard %v, want %v", heard.Duration(), tt.length)
				}
			})
		})
	}
}

// Who listens reads the title of what is heard: the standby's while it is on
// air, and the source's again once it is back, though it has told nothing new.
// What is set meanwhile is the source's.
func TestStandbyTitles(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		name string
		main []sound
		set  map[time.Duration]string // from outside
		want string
	}{
		{"a source that goes tells anew", []sound{{from: 0, to: 10 * s}, {from: 20 * s, to: 60 * s}}, nil, "main|standby|main"},
		{"one that was silent need not", []sound{{from: 0, to: 10 * s, silent: true}, {from: 20 * s, to: 60 * s}}, nil, "main|standby|main"},
		{"what was set is still so", []sound{{from: 0, to: 10 * s, silent: true}, {from: 20 * s, to: 60 * s}},
			map[time.Duration]string{5 * s: "the news"}, "main|the news|standby|the news"},
		{"what is set meanwhile waits", []sound{{from: 0, to: 10 * s, silent: true}, {from: 20 * s, to: 60 * s}},
			map[time.Duration]string{15 * s: "the weather"}, "main|standby|the weather"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{})
				ctx, cancel := context.WithCancel(t.Context())
				var performing sync.WaitGroup
				silent := muxtest.RawAudio(mux.CodecMP3)
				performing.Go(func() { perform(ctx, t, b.stream, silent, "main", tt.main) })
				performing.Go(func() { perform(ctx, t, b.stream.Standby(), silent, "standby", []sound{{from: 0, to: 60 * s}}) })
				for at := range 30 {
					if text, ok := tt.set[time.Duration(at)*s]; ok {
						b.stream.SetTitle(mux.Title{Name: text}, time.Now())
					}
					time.Sleep(s)
				}
				var titles []string
				for _, p := range b.stream.Titles() {
					titles = append(titles, p.String())
				}
				if got := strings.Join(titles, "|"); got != tt.want {
					t.Errorf("titles were %s, want %s", got, tt.want)
				}
				cancel()
				performing.Wait()
				b.stop()
			})
		})
	}
}

// A process that starts again knows from what is stored what the source sounded
// like, so that its standby can be like it.
func TestSoundIsStored(t *testing.T) {
	for _, c := range []mux.Codec{mux.CodecMP3, mux.CodecAAC} {
		t.Run(c.String(), func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
				if head := b.stream.Sound(); head != nil {
					t.Errorf("Sound = %x before there is a source", head)
				}
				source := b.play(muxtest.RawAudio(c))
				source.send(11 * time.Second)
				want := b.stream.Sound()
				b.stop()
				b = newBed(t, origin.StreamConfig{Store: openStore(t, dir)})
				defer b.stop()
				if got := b.stream.Sound(); !audio.SameFormat(got, want) {
					t.Errorf("Sound = %x after a restart, was %x", got, want)
				}
			})
		})
	}
}

// A process that was held up does not take its source for silent before it has
// read what came meanwhile.
func TestStandbyOfAHeldUpProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := origin.NewStream(origin.StreamConfig{Name: "live"}) // which is not run: nobody looks at the time
		if err != nil {
			t.Fatal(err)
		}
		units := muxtest.RawAudio(mux.CodecMP3).UnitsFor(10 * mux.ClockRate)
		var feeds []mux.Feed
		for _, sink := range []origin.Sink{stream, stream.Standby()} {
			feed, err := sink.Attach(mux.SourceInfo{ID: "test"}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			feeds = append(feeds, feed)
		}
		for len(units) > 4 {
			for _, feed := range feeds {
				feed.Write(units[:4], time.Now())
			}
			units = units[4:]
			time.Sleep(96 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		feeds[1].Write(units[:1], time.Now()) // is read first
		if air := stream.State(time.Now()).OnAir; air != "main" {
			t.Errorf("on air is %s after 3 s of which nobody knows, want main", air)
		}
		for range 8 {
			time.Sleep(100 * time.Millisecond)
			feeds[1].Write(units[:1], time.Now())
		}
		if air := stream.State(time.Now()).OnAir; air != "standby" {
			t.Errorf("on air is %s when main is silent indeed, want standby", air)
		}
	})
}
