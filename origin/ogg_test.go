package origin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headwater/mux"
	"headwater/mux/muxtest"
	"headwater/mux/ogg"
	"headwater/origin"
)

// sendOgg sends pages of a link in real time, beginning with its headers.
func sendOgg(feed mux.Feed, d *ogg.Demuxer, o muxtest.Ogg, pages int) {
	feed.Write(d.Write(o.Headers()), time.Now())
	for n := range pages {
		time.Sleep(time.Second / 4)
		feed.Write(d.Write(o.Page(n)), time.Now())
	}
	synctest.Wait()
}

// Ogg is in no playlist, which says why and where it is instead; the API tells
// its title; and a source of MP3 that follows makes the stream live.
func TestOggIsNotInHLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		feed := b.attach()
		sendOgg(feed, ogg.NewDemuxer(), muxtest.NewOgg(mux.CodecVorbis), 40)
		const sentence = "Ogg Vorbis cannot be in HLS: send MP3 or AAC for that; /live.ogg has it"
		b.sentence(b.body("/live.m3u8", http.StatusNotFound), sentence)
		b.sentence(b.body("/live/main.m3u8", http.StatusNotFound), sentence)
		b.sentence(b.body("/live.mp3", http.StatusNotFound), "the audio of stream live is Vorbis: ask for /live.ogg")
		b.sentence(b.body("/live.ts", http.StatusNotFound), "the audio of stream live is Vorbis: ask for /live.ogg")
		b.sentence(b.body("/live/ready", http.StatusOK), "ready")
		if pls := b.body("/live.m3u", http.StatusOK); !strings.Contains(pls, "/live.ogg") {
			t.Errorf("the pointer is %q, want one to /live.ogg", pls)
		}
		var state origin.StreamState
		if err := json.Unmarshal([]byte(b.body("/api/v1/streams/live", http.StatusOK)), &state); err != nil {
			t.Fatal(err)
		}
		if state.State != "continuous" || !state.Ready || state.Reason != sentence || len(state.Notes) != 0 || state.Program.Tracks[0].Codecs != "vorbis" {
			t.Errorf("the API tells %+v", state)
		}
		if titles := b.stream.Titles(); len(titles) != 1 || titles[0].Title != (mux.Title{Artist: "An Artist", Name: "A Title"}) {
			t.Errorf("Titles() = %v", titles)
		}

		feed.Close(nil, time.Now())
		time.Sleep(11 * time.Second)
		b.sentence(b.body("/live.m3u8", http.StatusServiceUnavailable), "no source is connected to stream live")
		mp3 := b.play(muxtest.RawAudio(mux.CodecMP3))
		mp3.send(12 * time.Second)
		if m := b.media("main"); len(m.Segments) < 3 {
			t.Errorf("of the MP3 that followed there are %d segments", len(m.Segments))
		}
		b.sentence(b.body("/live.ogg", http.StatusNotFound), "the audio of stream live is MP3: ask for /live.mp3")
		mp3.feed.Close(nil, time.Now())

		feed = b.attach()
		sendOgg(feed, ogg.NewDemuxer(), muxtest.NewOgg(mux.CodecOpus), 40)
		b.sentence(b.body("/live.m3u8", http.StatusNotFound), "Ogg Opus cannot be in HLS")
		feed.Close(nil, time.Now())
	})
}

// A listener gets the header pages and what came of the last two seconds, and
// the headers of the next link in line; notices of titles have no place in Ogg.
func TestOggContinuous(t *testing.T) {
	first, second := muxtest.NewOgg(mux.CodecVorbis), muxtest.NewOgg(mux.CodecVorbis)
	second.Serial = 9
	for _, path := range []string{"/live.ogg", "/live"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, origin.StreamConfig{})
			defer b.stop()
			feed, d := b.attach(), ogg.NewDemuxer()
			sendOgg(feed, d, first, 40)
			ctx, cancel := context.WithCancel(t.Context())
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
			r.Header.Set("Icy-MetaData", "1")
			w := httptest.NewRecorder()
			done := make(chan struct{})
			go func() { b.server.ServeHTTP(w, r); close(done) }()
			synctest.Wait()
			sendOgg(feed, d, second, 8)
			time.Sleep(time.Second)
			cancel()
			<-done
			if got := w.Header(); got.Get("Content-Type") != "audio/ogg" || got.Get("Icy-Metaint") != "" {
				t.Errorf("headers %v", got)
			}
			want := first.Headers()
			for n := 31; n < 40; n++ {
				want = append(want, first.Page(n)...)
			}
			want = append(want, second.Bytes(8)...)
			if !bytes.Equal(w.Body.Bytes(), want) {
				t.Errorf("the body has %d bytes, want %d, or they differ", w.Body.Len(), len(want))
			}
			feed.Close(nil, time.Now())
		})
	}
}

// What asks for the first bytes is told those that it would play (hls-rules F09).
func TestOggProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		feed := b.attach()
		o := muxtest.NewOgg(mux.CodecFLAC)
		sendOgg(feed, ogg.NewDemuxer(), o, 40)
		if got := b.body("/live.ogg", http.StatusPartialContent, "Range", "bytes=0-63"); got != string(o.Headers()[:64]) {
			t.Errorf("the first bytes are %q, want %q", got, o.Headers()[:64])
		}
		feed.Close(nil, time.Now())
	})
}

// An encoder that sends a page each second is not taken for one that is away;
// once it is, players of Ogg are not sent what the standby sends.
func TestOggWithAStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, origin.StreamConfig{})
		defer b.stop()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go perform(ctx, t, b.stream.Standby(), muxtest.RawAudio(mux.CodecMP3), "standby", []sound{{0, time.Hour, false}})
		time.Sleep(3 * time.Second)
		feed, d := b.attach(), ogg.NewDemuxer()
		o := muxtest.NewOgg(mux.CodecVorbis)
		o.Packets = 40 // a second
		feed.Write(d.Write(o.Headers()), time.Now())
		onAir := func() string { return b.stream.State(time.Now()).OnAir }
		body := httptest.NewRecorder()
		listening := make(chan struct{})
		for n := range 30 {
			for range 10 {
				time.Sleep(time.Second / 10)
				if air := onAir(); n > 3 && air != "main" {
					t.Fatalf("on air is %q after %d pages, want main", air, n)
				}
			}
			feed.Write(d.Write(o.Page(n)), time.Now())
			if n == 10 {
				go func() {
					b.server.ServeHTTP(body, httptest.NewRequestWithContext(ctx, http.MethodGet, "/live.ogg", nil))
					close(listening)
				}()
			}
		}
		if head := b.stream.Sound(); string(head) != "OggS" {
			t.Errorf("Sound() = %q, want the same of all pages", head)
		}
		feed.Close(nil, time.Now())
		time.Sleep(3 * time.Second)
		if air := onAir(); air != "standby" {
			t.Errorf("on air is %q when the encoder has gone, want standby", air)
		}
		<-listening
		if pages := bytes.Count(body.Body.Bytes(), []byte("OggS")); pages < 20 || !bytes.HasSuffix(body.Body.Bytes(), o.Page(29)) {
			t.Errorf("a listener got %d pages, want the last 20 and their headers, and nothing else", pages)
		}
	})
}
