package origin_test

import (
	"context"
	"slices"
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

// A group names the renditions of its live streams, the middle one first, and
// what is at the same time in each has the same number (hls-rules B16-B18, B21,
// B22).
func TestGroup(t *testing.T) {
	mp3 := func(rate int) muxtest.Stream {
		s := muxtest.RawAudio(mux.CodecMP3)
		s.BitRate = rate
		return s
	}
	for _, tt := range []struct {
		name    string
		group   string
		streams map[string]muxtest.Stream
		all     []string // what is named
		less    []string // and without stream high
	}{
		{"radio", "station", map[string]muxtest.Stream{"high": mp3(320_000), "low": mp3(48_000), "mid": mp3(128_000)},
			[]string{"mid/main", "high/main", "low/main"}, []string{"low/main", "mid/main"}},
		{"streams in folders", "radio/one/all", map[string]muxtest.Stream{"radio/one/high": mp3(320_000), "other": mp3(128_000)},
			[]string{"../../other/main", "../../radio/one/high/main"}, []string{"../../other/main"}},
		{"a stream with a standby", "station", map[string]muxtest.Stream{"high": mp3(320_000), "low": mp3(48_000), "spared": mp3(128_000)},
			[]string{"spared/main", "high/main", "low/main"}, []string{"low/main", "spared/main"}},
		{"pictures, with sound alone at the end", "tv", map[string]muxtest.Stream{"high": muxtest.AV(), "low": muxtest.AV()},
			[]string{"low/main", "high/main", "low/audio"}, []string{"low/main", "low/audio"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBed(t, origin.StreamConfig{Name: "by-itself"})
				ctx, cancel := context.WithCancel(t.Context())
				var running sync.WaitGroup
				var members []*origin.Stream
				for name, media := range tt.streams {
					st, err := origin.NewStream(origin.StreamConfig{Name: name, Segmenter: segmenter.Config{TargetDuration: 2 * time.Second}})
					if err != nil {
						t.Fatal(err)
					}
					if err := b.server.Add(st); err != nil {
						t.Fatal(err)
					}
					members = append(members, st)
					running.Go(func() { st.Run(ctx) })
					to := 300 * time.Second
					if strings.HasSuffix(name, "high") {
						to = 60 * time.Second
					}
					sounds := []sound{{from: 0, to: to}}
					if name == "spared" {
						sounds = []sound{{from: 0, to: 30 * time.Second}, {from: 33 * time.Second, to: to}}
						running.Go(func() { perform(ctx, t, st.Standby(), media, name, []sound{{from: 0, to: to}}) })
					}
					running.Go(func() { perform(ctx, t, st, media, name, sounds) })
				}
				if err := b.server.AddGroup(tt.group, members...); err != nil {
					t.Fatal(err)
				}
				path := "/" + tt.group + ".m3u8"
				synctest.Wait()
				b.sentence(b.body(path, 503), "no stream of group "+tt.group+" is live")
				time.Sleep(59 * time.Second)
				synctest.Wait()
				if got := named(t, b, path); !slices.Equal(got, tt.all) {
					t.Errorf("named are %q, want %q", got, tt.all)
				}
				first := b.get(path)
				if again := b.get(path); again.Header.Get("ETag") != first.Header.Get("ETag") || first.Header.Get("Cache-Control") != "public, max-age=1" {
					t.Errorf("headers %v, then %v", first.Header, again.Header)
				}
				checkNumbers(t, b, members)
				time.Sleep(40 * time.Second)
				synctest.Wait()
				if got := named(t, b, path); !slices.Equal(got, tt.less) {
					t.Errorf("without stream high named are %q, want %q", got, tt.less)
				}
				cancel()
				running.Wait()
				b.stop()
			})
		})
	}
}

// named returns the URIs of the variants of a playlist, without .m3u8, and
// checks the rest.
func named(t *testing.T, b *bed, path string) (uris []string) {
	t.Helper()
	m, err := playlist.ReadMultivariant([]byte(b.body(path, 200)))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range m.Variants {
		uris = append(uris, strings.TrimSuffix(v.URI, ".m3u8"))
		if v.Codecs == "" || v.Bandwidth < v.AverageBandwidth || v.AverageBandwidth == 0 {
			t.Errorf("variant %+v", v)
		}
	}
	return uris
}

// checkNumbers checks that one number stands for one slot of 2 s, and that
// all streams have as many discontinuities.
func checkNumbers(t *testing.T, b *bed, members []*origin.Stream) {
	t.Helper()
	begins := map[uint64]time.Time{}
	var breaks []uint64
	for _, st := range members {
		m, err := playlist.ReadMedia([]byte(b.body("/"+st.Name()+"/main.m3u8", 200)))
		if err != nil {
			t.Fatal(err)
		}
		for i, seg := range m.Segments {
			n := m.Sequence + uint64(i)
			if seg.Time.Sub(seg.Time.Truncate(2*time.Second)) > 50*time.Millisecond {
				continue // it begins behind a break, which is not at one instant in all
			}
			if at, ok := begins[n]; ok && at.Sub(seg.Time).Abs() > 50*time.Millisecond {
				t.Errorf("segment %d of stream %s begins at %v, elsewhere at %v", n, st.Name(), seg.Time, at)
			}
			begins[n] = seg.Time
		}
		n := m.DiscontinuitySequence
		for _, seg := range m.Segments {
			if seg.Discontinuity {
				n++
			}
		}
		breaks = append(breaks, n)
		if len(begins) < len(m.Segments)*3/4 {
			t.Errorf("only %d of %d segments begin at an edge", len(begins), len(m.Segments))
		}
	}
	if slices.Min(breaks) != slices.Max(breaks) {
		t.Errorf("the streams have %v discontinuities", breaks)
	}
}

func TestAddGroup(t *testing.T) {
	server := origin.NewServer(origin.ServerConfig{})
	var members []*origin.Stream
	for _, name := range []string{"high", "low"} {
		st, err := origin.NewStream(origin.StreamConfig{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		if err := server.Add(st); err != nil {
			t.Fatal(err)
		}
		members = append(members, st)
	}
	if err := server.AddGroup("all", members...); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		members []*origin.Stream
		want    string
	}{
		{"low", members, "has the name of a stream"},
		{"high/main", members, "would hide"},
		{"all", members, "exists already"},
		{"none", nil, "has no streams"},
	} {
		if err := server.AddGroup(tt.name, tt.members...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("AddGroup(%q) = %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	st, err := origin.NewStream(origin.StreamConfig{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Add(st); err == nil {
		t.Error("a stream was given the name of a group")
	}
}
