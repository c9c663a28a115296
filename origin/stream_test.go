package origin_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/origin"
	"headwater/playlist"
	"headwater/segmenter"
)

// hls-rules A35, A43, B03, B09, B12, B14, B18, B22
func TestStreamBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{SendTo: "tcp://127.0.0.1:9999"})
		defer b.stop()
		b.sentence(b.body("/live.m3u8", 503), "no source is connected to stream live; send MPEG-TS, MP3, AAC or Ogg to tcp://127.0.0.1:9999")
		source := b.play(muxtest.AV())
		source.send(time.Second)
		b.sentence(b.body("/live.m3u8", 503), "measuring the keyframe interval")
		for range 60 {
			source.send(time.Second)
			if b.get("/live.m3u8").StatusCode == 200 {
				break
			}
		}
		m, err := playlist.ReadMultivariant([]byte(b.body("/live.m3u8", 200)))
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Variants) != 2 {
			t.Fatalf("%d variants, want main and audio", len(m.Variants))
		}
		main, audio := m.Variants[0], m.Variants[1]
		if main.URI != "live/main.m3u8" || audio.URI != "live/audio.m3u8" {
			t.Errorf("URIs %q, %q", main.URI, audio.URI)
		}
		if main.Width != 64 || main.Height != 64 || main.FrameRate != 25 || !strings.HasPrefix(main.Codecs, "avc1.") || !strings.HasSuffix(main.Codecs, ",mp4a.40.2") {
			t.Errorf("main is %+v", main)
		}
		if audio.Width != 0 || audio.FrameRate != 0 || audio.Codecs != "mp4a.40.2" {
			t.Errorf("audio is %+v", audio)
		}
		for _, v := range m.Variants {
			if v.Bandwidth < v.AverageBandwidth || v.AverageBandwidth == 0 || !v.ClosedCaptionsNone {
				t.Errorf("variant %+v", v)
			}
		}
		list, sound := b.media("main"), b.media("audio")
		if len(list.Segments) < 3 || len(list.Segments) != len(sound.Segments) || list.Sequence != sound.Sequence {
			t.Errorf("main has %d segments from %d, audio %d from %d", len(list.Segments), list.Sequence, len(sound.Segments), sound.Sequence)
		}
		for i, s := range list.Segments {
			if s.Time.IsZero() || !strings.HasPrefix(s.URI, "main/") || !strings.HasSuffix(s.URI, ".ts") || !strings.HasSuffix(sound.Segments[i].URI, ".aac") {
				t.Errorf("segment %d is %+v, audio %+v", i, s, sound.Segments[i])
			}
		}
		// B03: measured once.
		first := b.body("/live.m3u8", 200)
		source.send(20 * time.Second)
		if again := b.body("/live.m3u8", 200); again != first {
			t.Errorf("multivariant playlist changed:\n%s\nwas\n%s", again, first)
		}
	})
}

// hls-rules A21, A23, A26, A29, A31, A36, A45, D13, D24
func TestStreamSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(20 * time.Second)
		removed := map[string]time.Time{}
		last := b.media("main")
		for range 200 {
			source.send(250 * time.Millisecond)
			m := b.media("main")
			checkSlides(t, last, m)
			for _, s := range last.Segments[:m.Sequence-last.Sequence] {
				removed[s.URI] = time.Now()
			}
			newest := m.Segments[len(m.Segments)-1].URI
			if res := b.get("/live/" + newest); res.StatusCode != 200 || res.Header.Get("Content-Length") == "0" {
				t.Fatalf("GET %s = %d at the moment it is listed", newest, res.StatusCode)
			}
			for uri, at := range removed {
				age := time.Since(at)
				switch status := b.get("/live/" + uri).StatusCode; {
				case age < 2*time.Second+12*time.Second && status != 200: // its duration and the playlist's
					t.Fatalf("GET %s = %d, %v after it left the playlist", uri, status, age)
				case age > 2*time.Second+20*time.Second+4*time.Second && status != 410:
					t.Fatalf("GET %s = %d, %v after it left the playlist", uri, status, age)
				}
			}
			last = m
		}
		if len(removed) < 10 {
			t.Errorf("only %d segments left the playlist", len(removed))
		}
	})
}

// checkSlides reports changes of a live playlist that are not allowed.
func checkSlides(t *testing.T, last, m *playlist.Media) {
	t.Helper()
	if m.Sequence < last.Sequence || m.TargetDuration != last.TargetDuration || m.DiscontinuitySequence != last.DiscontinuitySequence {
		t.Fatalf("header %d %d %d after %d %d %d", m.Sequence, m.TargetDuration, m.DiscontinuitySequence, last.Sequence, last.TargetDuration, last.DiscontinuitySequence)
	}
	for i, s := range last.Segments[m.Sequence-last.Sequence:] {
		if now := m.Segments[i]; now.URI != s.URI || now.Duration != s.Duration || !now.Time.Equal(s.Time) {
			t.Fatalf("segment %d changed from %+v to %+v", m.Sequence+uint64(i), s, now)
		}
	}
	for i, s := range m.Segments[1:] {
		if gap := s.Time.Sub(m.Segments[i].Time) - m.Segments[i].Duration.Std(); gap.Abs() > time.Millisecond {
			t.Fatalf("%s begins %v after the one before ends", s.URI, gap)
		}
	}
}

// hls-rules A39, D22, D23, H17
func TestStreamLosesItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, logged := newLog()
		b := newBed(t, origin.StreamConfig{Log: log})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(30 * time.Second)
		if got := b.body("/live/ready", 200); got != "ready\n" {
			t.Errorf("ready answers %q", got)
		}
		source.feed.Close(nil, time.Now())
		began := time.Now()
		for b.get("/live/main.m3u8").StatusCode == 200 {
			time.Sleep(100 * time.Millisecond)
			if time.Since(began) > time.Minute {
				t.Fatal("playlists are served a minute after the source has gone")
			}
		}
		if away := time.Since(began); away < 4*time.Second {
			t.Errorf("503 after %v, before 2 target durations", away)
		}
		res := b.get("/live/main.m3u8")
		if res.Header.Get("Retry-After") == "" || res.Header.Get("Cache-Control") != "public, max-age=1" {
			t.Errorf("503 with headers %v", res.Header)
		}
		b.sentence(b.body("/live/main.m3u8", 503), "the source of stream live has been away for ")
		b.body("/live/ready", 503)
		time.Sleep(time.Minute)
		if n := strings.Count(logged(), "playlists answer 503"); n != 1 {
			t.Errorf("the log says %d times that there is no media:\n%s", n, logged())
		}

		// The same encoder comes back: no reload, no end, numbers run on.
		source.feed = b.attach()
		source.skipTo(time.Now())
		source.send(20 * time.Second)
		m := b.media("main")
		gaps := 0
		for _, s := range m.Segments {
			if s.Gap {
				gaps++
				b.body("/live/"+s.URI, 404) // A51
			}
		}
		if m.End {
			t.Error("the playlist has ended")
		}
		b.body("/live/ready", 200)
		if !strings.Contains(logged(), "media is back") {
			t.Errorf("the log does not say that media is back:\n%s", logged())
		}
	})
}

// skipTo drops what a source would have sent before t.
func (l *live) skipTo(at time.Time) {
	for {
		if l.ahead == nil {
			x, _ := l.next()
			l.ahead = &x
		}
		if !l.began.Add(l.ahead.Time.Duration()).Before(at) {
			return
		}
		l.ahead = nil
		l.units()
	}
}

func TestStreamHasOneSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		first := b.attach()
		_, err := b.stream.Attach(mux.SourceInfo{ID: "test-2"}, time.Now())
		var busy *mux.BusyError
		if !errors.As(err, &busy) || busy.Stream != "live" || busy.Holder.ID != "test-1" {
			t.Errorf("second Attach = %v, want a BusyError that names test-1", err)
		}
		first.Close(nil, time.Now())
		b.attach().Close(nil, time.Now())
		first.Write(muxtest.AV().UnitsFor(mux.ClockRate), time.Now()) // a source that is late to notice
		if s := b.stream.State(time.Now()); s.Source != nil || s.Program != nil {
			t.Errorf("state %+v after the source has gone", s)
		}
	})
}

// hls-rules A38, A39, D07
func TestStreamEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{EndAfter: 30 * time.Second})
		defer b.stop()
		source := b.play(muxtest.AV())
		source.send(20 * time.Second)
		b.stream.End()
		time.Sleep(time.Minute)
		for _, rendition := range []string{"main", "audio"} {
			if m := b.media(rendition); !m.End {
				t.Errorf("%s has no ENDLIST", rendition)
			}
		}
		ended := b.body("/live/main.m3u8", 200)
		if got := b.get("/live/main.m3u8").Header.Get("Cache-Control"); got != "public, max-age=3600" {
			t.Errorf("Cache-Control %q", got)
		}
		source.send(10 * time.Second) // nobody listens to it any more
		if got := b.body("/live/main.m3u8", 200); got != ended {
			t.Errorf("after the end:\n%s\nwas\n%s", got, ended)
		}
		source.feed = b.attach()
		source.send(20 * time.Second)
		if m := b.media("main"); m.End {
			t.Error("the stream did not become live again")
		}
		source.feed.Close(nil, time.Now())
		time.Sleep(31 * time.Second)
		if m := b.media("main"); !m.End {
			t.Error("no ENDLIST after EndAfter")
		}
	})
}

// hls-rules B14, B15: audio only lists nothing twice.
func TestStreamOfAudioOnly(t *testing.T) {
	for _, codec := range []mux.Codec{mux.CodecMP3, mux.CodecAAC} {
		for name, s := range map[string]muxtest.Stream{"raw": muxtest.RawAudio(codec), "TS": muxtest.Audio(codec)} {
			t.Run(codec.String()+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := newBed(t, origin.StreamConfig{})
					defer b.stop()
					source := b.play(s)
					source.send(20 * time.Second)
					m, err := playlist.ReadMultivariant([]byte(b.body("/live.m3u8", 200)))
					if err != nil {
						t.Fatal(err)
					}
					if len(m.Variants) != 1 || m.Variants[0].URI != "live/main.m3u8" || m.Variants[0].Width != 0 || strings.Contains(m.Variants[0].Codecs, ",") {
						t.Errorf("variants %+v", m.Variants)
					}
					suffix := map[mux.Codec]string{mux.CodecMP3: ".mp3", mux.CodecAAC: ".aac"}[codec]
					uri := b.media("audio").Segments[0].URI
					if !strings.HasSuffix(uri, suffix) {
						t.Errorf("packed segment %q, want %s", uri, suffix)
					}
					if head := b.body("/live/"+uri, 200); !strings.HasPrefix(head, "ID3") { // C21
						t.Errorf("packed segment begins % x", head[:8])
					}
				})
			})
		}
	}
}

// A stream that stops leaves nothing behind: synctest panics on a goroutine
// that does not end.
func TestStreamStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		source := b.play(muxtest.AV())
		source.send(5 * time.Second)
		b.stop()
		source.feed.Write(nil, time.Now())
		source.feed.Close(nil, time.Now())
		if got := b.get("/live.m3u8").StatusCode; got != http.StatusServiceUnavailable {
			t.Errorf("status %d", got)
		}
	})
}

// A source that sends faster than real time is taken in without loss of order.
func TestStreamTakesABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{Window: segmenter.WindowConfig{Duration: 10 * time.Minute}})
		defer b.stop()
		feed := b.attach()
		units := muxtest.AV().UnitsFor(300 * mux.ClockRate)
		for len(units) > 0 {
			n := min(100, len(units))
			feed.Write(units[:n], time.Now())
			units = units[n:]
		}
		time.Sleep(time.Second)
		if n := len(b.media("main").Segments); n < 140 {
			t.Errorf("%d segments of 2 s, want those of 300 s", n)
		}
	})
}

// A stream stops also while sources wait for its publisher.
func TestStreamStopsInABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream, err := origin.NewStream(origin.StreamConfig{Name: "live", Segmenter: segmenter.Config{TargetDuration: 2 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		feed, err := stream.Attach(mux.SourceInfo{ID: "test-1", Since: time.Now()}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		feed.Write(muxtest.AV().UnitsFor(100*mux.ClockRate), time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := stream.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
		if r := stream.State(time.Now()).Renditions; len(r) == 0 || r[0].Held < 40 {
			t.Errorf("renditions are %+v, want what was taken", r)
		}
	})
}
